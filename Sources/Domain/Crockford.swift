/// Douglas Crockford's base 32 (crockford.com/base32.html): digits without `i`, `l`, `o` and `u`;
/// written in lower case here, read in either case with `o` as 0 and `i`, `l` as 1.
enum Crockford {
    static let digits: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// 255 stands for "no digit".
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() {
            table[Int(digit)] = UInt8(value)
            if digit >= UInt8(ascii: "a") { table[Int(digit) - 32] = UInt8(value) }
        }
        for (alias, value) in [("o", 0), ("O", 0), ("i", 1), ("I", 1), ("l", 1), ("L", 1)] {
            table[Int(alias.utf8.first ?? 0)] = UInt8(value)
        }
        return table
    }()

    static func digit(_ byte: UInt8) -> UInt8? {
        let value = values[Int(byte)]
        return value == 255 ? nil : value
    }
}
