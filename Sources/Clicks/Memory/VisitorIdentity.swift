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

    /// - Parameters:
    ///   - rowID: of the click: who has no cookie and no address is like nobody else.
    ///   - ip: what of it may be kept: the number stays with the click.
    func visitor(
        _ http: borrowing Request, _ rowID: ClickRowID, ip: IPAddress?,
        userAgent: UnsafeRawBufferPointer
    ) -> VisitorNumber {
        if let header = http.header("cookie"), let visitor = VisitorCookie.visitor(in: header) {
            return visitor
        }
        var bits = ip?.household.bits ?? UInt128(UInt64(bitPattern: rowID.rawValue))
        return withUnsafeBytes(of: &bits) {
            VisitorNumber(rawValue: hash.hash($0, userAgent))
        }
    }
}
