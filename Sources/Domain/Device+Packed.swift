/// One text for all of a device but `visit`, as clicks share it in their day's file.
extension Device {
    private static let fieldsMax = 9

    /// The fields in their order with a tab between them; those empty at the end are left out.
    public var packed: [UInt8] {
        let fields = [
            kind.rawValue, brand, model, os, osVersion, browser, browserVersion, inApp, language,
        ]
        var bytes: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            // A tab within would move all that follows.
            bytes.append(contentsOf: field.utf8.lazy.map { $0 == UInt8(ascii: "\t") ? 0x20 : $0 })
        }
        while bytes.last == UInt8(ascii: "\t") { bytes.removeLast() }
        return bytes
    }

    /// Nil for what `packed` doesn't write. More fields than are known belong to a later version,
    /// and are left out.
    public init?(packed bytes: UnsafeRawBufferPointer) {
        let fields = bytes.split(
            separator: UInt8(ascii: "\t"), maxSplits: Self.fieldsMax,
            omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        guard let kind = fields.first.flatMap({ Kind(rawValue: $0) }) else { return nil }
        func field(_ index: Int) -> String { index < fields.count ? fields[index] : "" }
        self.init()
        self.kind = kind
        brand = field(1)
        model = field(2)
        os = field(3)
        osVersion = field(4)
        browser = field(5)
        browserVersion = field(6)
        inApp = field(7)
        language = field(8)
    }
}
