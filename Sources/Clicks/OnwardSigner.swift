public import Crypto
internal import Domain

/// Signs the addresses of the second page of `double_meta`: `/r/<code>?<address>`. Only an address
/// that a campaign of ours led to is ever gone on to, so `/r/` is no open redirect; and it needs no
/// look-up, so it works while the disk fails.
public struct OnwardSigner: Sendable {
    /// Newest first.
    private let keys: [[UInt8]]

    static let prefix = Array("/r/".utf8)
    /// Of the address as it stands in the query: proxies commonly take request lines of 8 KiB.
    static let addressBytesMax = 7000
    /// 128 bits: nobody finds another's code by trying.
    private static let codeBytes = 16

    public init(_ clickIDs: ClickIDKeys) {
        // Not the click IDs' own keys: one key, one purpose (RFC 5869, section 3.2).
        keys = clickIDs.allKeys.map { HMACSHA256.code(key: $0, Array("clickrelay onward 1".utf8)) }
    }

    /// The relative address of the page that goes on to `address`; nil when it would be too long.
    /// - Parameter depth: how many folders below the root the referring page lies.
    func onward(_ address: [UInt8], depth: Int) -> [UInt8]? {
        var encoded: [UInt8] = []
        for byte in address {
            switch byte {
            // `%` so that decoding gives back exactly these bytes; the others would end the query
            // or be changed by browsers (URL standard, "special-query percent-encode set").
            case 0...0x20, 0x7F...0xFF, UInt8(ascii: "%"), UInt8(ascii: "#"), UInt8(ascii: "'"),
                UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"):
                PercentEncoding.appendEscape(byte, to: &encoded)
            default: encoded.append(byte)
            }
        }
        guard encoded.count <= Self.addressBytesMax else { return nil }
        var onward: [UInt8] = []
        for _ in 0..<depth { onward.append(contentsOf: "../".utf8) }
        onward.append(contentsOf: Self.prefix.dropFirst())
        onward.append(contentsOf: code(address, key: keys[0]))
        onward.append(UInt8(ascii: "?"))
        return onward + encoded
    }

    /// The address that was signed; nil for anything that we did not.
    func address(code: UnsafeRawBufferPointer, query: UnsafeRawBufferPointer) -> [UInt8]? {
        let address = PercentEncoding.decode(query, plusIsSpace: false)
        let code = Array(code)
        let isOurs = keys.contains { constantTimeEquals(self.code(address, key: $0), code) }
        return isOurs ? address : nil
    }

    private func code(_ address: [UInt8], key: [UInt8]) -> [UInt8] {
        Array(Hex.text(HMACSHA256.code(key: key, address).prefix(Self.codeBytes)).utf8)
    }
}
