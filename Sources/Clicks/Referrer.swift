/// The host of an address, for conditions on where a visitor came from.
enum ReferrerDomain {
    /// Appends the host without port and user; false where there is none.
    static func append(of referrer: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        var start = 0
        for index in referrer.indices.dropLast(2)
        where referrer[index] == UInt8(ascii: ":") && referrer[index + 1] == UInt8(ascii: "/")
            && referrer[index + 2] == UInt8(ascii: "/")
        {
            start = index + 3
            break
        }
        guard start > 0 else { return false }
        let mark = bytes.count
        for byte in referrer[start...] {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: ":"):
                return bytes.count > mark
            case UInt8(ascii: "@"): bytes.removeSubrange(mark...)
            default: bytes.append(byte)
            }
        }
        return bytes.count > mark
    }
}
