/// One text for all of a place, as clicks share it in their day's file.
extension Place {
    /// Longer texts are cut: what a location file says is the operator's, but no click is to grow
    /// by it without end.
    static let textMax = 100

    private static let fieldsMax = 6

    /// The fields in their order with a tab between them; those empty at the end are left out, so
    /// that an unknown place has no bytes.
    public var packed: [UInt8] {
        let number = asn == 0 ? "" : String(asn)
        var bytes: [UInt8] = []
        for (index, field) in [country, region, city, isp, number, connectionType].enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            bytes.append(contentsOf: field.utf8)
        }
        while bytes.last == UInt8(ascii: "\t") { bytes.removeLast() }
        return bytes
    }

    /// Nil for no bytes. More fields than are known belong to a later version, and are left out.
    public init?(packed bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty { return nil }
        let fields = bytes.split(
            separator: UInt8(ascii: "\t"), maxSplits: Self.fieldsMax,
            omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        func field(_ index: Int) -> String { index < fields.count ? fields[index] : "" }
        self.init()
        country = field(0)
        region = field(1)
        city = field(2)
        isp = field(3)
        asn = UInt32(field(4)) ?? 0
        connectionType = field(5)
    }

    /// A text of a location file as places hold it: without control characters, cut between
    /// characters.
    public static func text(_ text: String) -> String {
        let isPlain =
            text.utf8.count <= textMax && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        if isPlain { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            let next: Unicode.Scalar = isControl ? " " : scalar
            if result.utf8.count + UTF8.width(next) > textMax { break }
            result.unicodeScalars.append(next)
        }
        return result
    }
}
