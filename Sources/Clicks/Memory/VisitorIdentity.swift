internal import Crypto
internal import Domain
internal import HTTP

/// Tells who comes: by our cookie, else by a keyed hash of address and browser. One per event loop.
struct VisitorIdentity {
    private let hash: KeyedHash

    init(_ clickIDs: ClickIDKeys) throws(CryptoError) {
        // The oldest key: visitors stay who they are when click IDs get a new one. Not that key
        // itself: one key, one purpose (RFC 5869, section 3.2).
        let oldest = clickIDs.allKeys[clickIDs.allKeys.count - 1]
        let code = HMACSHA256.code(key: oldest, Array("clickrelay visitor 1".utf8))
        hash = try KeyedHash(key: Array(code.prefix(KeyedHash.keyBytes)))
    }

    func visitor(
        _ http: borrowing Request, ip: IPAddress?, userAgent: UnsafeRawBufferPointer
    ) -> VisitorNumber {
        if let header = http.header("cookie"), let visitor = VisitorCookie.visitor(in: header) {
            return visitor
        }
        return visitor(ip: ip, userAgent: userAgent)
    }

    func visitor(ip: IPAddress?, userAgent: UnsafeRawBufferPointer) -> VisitorNumber {
        // Browsers change the lower half of an IPv6 address every day (RFC 8981); the network that
        // a household gets stays.
        var bits = ip.map { $0.isIPv4 ? $0.bits : $0.bits & ~UInt128(UInt64.max) } ?? 0
        return withUnsafeBytes(of: &bits) {
            VisitorNumber(rawValue: hash.hash($0, userAgent))
        }
    }
}
