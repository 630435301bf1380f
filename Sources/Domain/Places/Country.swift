/// A country or territory of ISO 3166-1, or Kosovo.
public struct Country: Hashable, Sendable {
    /// The two letters, upper case, one byte each: `0x5553` is US. Fit to be stored.
    public let rawValue: UInt16

    /// By its two-letter code, in any case; nil for every other text.
    public init?(_ code: some StringProtocol) {
        var letters: UInt16 = 0
        var count = 0
        for byte in code.utf8 {
            let upper = byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte
            guard count < 2, upper >= 0x41, upper <= 0x5A else { return nil }
            letters = letters << 8 | UInt16(upper)
            count += 1
        }
        self.init(rawValue: letters)
    }

    public init?(rawValue: UInt16) {
        guard Country.rows[rawValue] != nil else { return nil }
        self.rawValue = rawValue
    }

    private init(_ row: CountryTable.Row) {
        rawValue = row.alpha2.utf8.reduce(0) { $0 << 8 | UInt16($1) }
    }

    /// Reads a code that somebody wrote into a condition.
    ///
    /// - Throws: a sentence that goes on from the field's name, with the code that was probably
    ///   meant: three letters, a name, and customary mistakes such as UK are recognised.
    public static func parse(_ text: String) throws(CountryError) -> Country {
        if let country = Country(text) { return country }
        throw CountryError(
            "must be a two-letter country code of ISO 3166-1, such as US"
                + (meant(by: text).map { "; did you mean \"\($0.code)\" (\($0.name))?" } ?? ""))
    }

    /// The country that somebody probably meant by a text that is not its code.
    public static func meant(by text: String) -> Country? {
        let lowered = String(decoding: text.utf8.prefix(65).map(ASCII.lowercased), as: UTF8.self)
        if let code = CountryTable.aliases[lowered] { return Country(code) }
        let upper = text.uppercased()
        if let row = CountryTable.rows.first(where: { $0.alpha3 == upper }) { return Country(row) }
        // Among codes every other one is near, so only names are compared roughly.
        guard lowered.utf8.count > 3 else { return nil }
        let names = CountryTable.rows.map(\.name) + CountryTable.aliases.keys.sorted()
        guard let name = NearestName.suggestion(for: text, among: names) else { return nil }
        if let code = CountryTable.aliases[name] { return Country(code) }
        return CountryTable.rows.first { $0.name == name }.map { Country($0) }
    }

    /// `US`.
    public var code: String { row.alpha2 }
    /// `USA`.
    public var alpha3: String { row.alpha3 }
    /// The usual English name.
    public var name: String { row.name }

    /// All of them, sorted by code.
    public static let all: [Country] = CountryTable.rows.map { Country($0) }

    private var row: CountryTable.Row {
        guard let row = Country.rows[rawValue] else {
            preconditionFailure("no country has the code \(rawValue)")
        }
        return row
    }

    private static let rows = Dictionary(
        uniqueKeysWithValues: CountryTable.rows.map { (Country($0).rawValue, $0) })
}

/// Why a text is no country.
public struct CountryError: Error, Hashable, Sendable {
    /// Continues a sentence that begins with the field's name.
    public let message: String

    init(_ message: String) { self.message = message }
}
