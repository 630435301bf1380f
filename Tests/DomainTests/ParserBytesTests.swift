import Domain
import TestSupport
import Testing

/// No byte string of any length makes a parser trap, and what one takes it writes so that it reads
/// the same again.
///
/// Amounts, JSON, queries, reports, CSV, `Retry-After` and entities have mutation tests of their own
/// beside their tables, and HTTP messages in `HTTPTests`: here each parser that a call's bytes reach
/// gets bytes of every length around its limits, up to ones that no call has.
@Suite struct ParserBytesTests {
    struct Parser: Sendable, CustomStringConvertible {
        let description: String
        /// What its texts are made of.
        let alphabet: String
        /// Lengths around which something changes.
        var lengths: [Int] = []
        let parse: @Sendable ([UInt8]) throws -> Void

        init(
            _ name: String, _ alphabet: String, _ lengths: [Int] = [],
            _ parse: @escaping @Sendable ([UInt8]) throws -> Void
        ) {
            description = name
            self.alphabet = alphabet
            self.lengths = lengths
            self.parse = parse
        }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func readAll(_ csv: [UInt8]) {
        var reader = CSVReader(csv)
        do { while try reader.next() != nil {} } catch { #expect(error.line >= 1) }
    }

    static let parsers: [Parser] = [
        Parser("click ID", "0123456789abcdefghjkmnpqrstvwxyzoilOILu", [25, 26, 27]) {
            let fromText = ClickID(text($0))
            #expect(ClickID(bytes: $0) == fromText)
            if let fromText { #expect(ClickID(fromText.text) == fromText) }
        },
        Parser("amount", "0123456789.,-+' \u{A0}\u{2212}", [9, 10, 18, 19, 20, 38, 39, 40]) {
            for format in NumberFormat.allCases {
                // Only: no trap, and what is taken reads back.
                guard let nanos = try? Amount.parse(text($0), format: format) else { continue }
                let again = try Amount.parse(Amount.format(nanos), format: .auto)
                #expect(again == nanos)
            }
        },
        Parser("amount in minor units", "0123456789.,-", [9, 10, 18, 19, 20, 38, 39, 40]) {
            for code in ["JPY", "USD", "KWD", "CLF"] {
                guard let currency = Currency(code) else { continue }
                // Only: no trap.
                _ = try? Amount.parseMinor(text($0), currency: currency, format: .auto)
            }
        },
        Parser("currency", "USDEURjpykwdX0", [2, 3, 4]) {
            if let currency = Currency(text($0)) { #expect(Currency(currency.code) == currency) }
        },
        Parser("RFC 3339 time", "0123456789-T:Z+. tz", [10, 19, 20, 25, 27, 30]) {
            if let instant = Instant(rfc3339: text($0)) {
                #expect(Instant(rfc3339: instant.rfc3339) == instant)
            }
        },
        Parser("day", "0123456789-", [9, 10, 11]) {
            if let day = Day(text($0)) { #expect(Day(day.text) == day) }
        },
        Parser("IP address", "0123456789abcdef:.%", [15, 39, 45, 46]) {
            if let address = IPAddress(text($0)) {
                #expect(IPAddress(address.text) == address)
            }
        },
        Parser("network of addresses", "0123456789abcdef:./", [18, 43, 49]) {
            _ = IPNetwork(text($0))
        },
        Parser("entity key", "abz09-_A", [63, 64, 65]) {
            if let key = EntityKey(text($0)) { #expect(EntityKey(key.text) == key) }
        },
        Parser("macro", "{}[]#%<>!_=$REPLACEreplace.:()x0-") {
            _ = UnreplacedMacro.matches(text($0))
        },
        Parser("percent-encoding", "%0123456789abcdefABCDEF+&=") { bytes in
            let decoded = bytes.withUnsafeBytes {
                PercentEncoding.decode($0, plusIsSpace: true)
            }
            #expect(decoded.count <= bytes.count)
            var encoded: [UInt8] = []
            PercentEncoding.append(bytes, to: &encoded)
            #expect(
                encoded.withUnsafeBytes { PercentEncoding.decode($0, plusIsSpace: false) }
                    == bytes)
        },
        Parser("query", "&=%+a;?#2", [1000, 2000]) { bytes in
            let pairs = bytes.withUnsafeBytes { QueryParameters(parsing: $0).pairs }
            #expect(pairs.count <= QueryParameters.pairsMax)
        },
        Parser("JSON", #"{}[]:,"\u0e1-. tfn"#, [63, 64, 65, 130]) {
            // Only: no trap.
            guard let value = try? JSONValue(parsing: $0) else { return }
            let again = try JSONValue(parsing: value.encoded())
            #expect(again == value)
        },
        Parser("CSV", "a,\"\r\n\u{e9}", [CSVReader.fieldBytesMax, CSVReader.fieldBytesMax + 1]) {
            readAll($0)
        },
    ]

    /// Every byte alone, short strings, strings at each limit, and far beyond: of the parser's own
    /// letters, of any bytes, and of one letter repeated (depth, runs of digits, runs of brackets).
    @Test(arguments: parsers) func `no bytes of any length make a parser trap`(parser: Parser)
        throws
    {
        var random = SeededRandom(20_261_121)
        let letters = Array(parser.alphabet.utf8)
        try parser.parse([])
        for byte in UInt8.min...UInt8.max { try parser.parse([byte]) }
        for length in Array(0...40) + parser.lengths {
            for round in 0..<(length > 1000 ? 4 : 40) {
                try parser.parse(
                    (0..<length).map { _ in
                        round % 4 == 0
                            ? UInt8.random(in: 0...255, using: &random)
                            : letters[Int.random(in: letters.indices, using: &random)]
                    })
            }
        }
        for length in parser.lengths + [255, 4096] {
            for letter in Set(letters) {
                try parser.parse(Array(repeating: letter, count: length))
            }
        }
        try parser.parse(Array(repeating: letters[0], count: 1_200_000))
    }

    @Test(
        arguments: [
            .min, .min + 1, -1_000_000_001, -1_000_000_000, -999_999_999, -1, 0, 1, 999_999_999,
            1_000_000_000, 1_000_000_001, .max - 1, .max,
        ] as [Int64])
    func `the ends and corners of money read back`(nanos: Int64) throws {
        for format in [NumberFormat.auto, .point] {
            #expect(try Amount.parse(Amount.format(nanos), format: format) == nanos)
        }
    }

    @Test(arguments: 0..<128) func `each bit of a click ID reads back`(bit: Int) {
        for block in [UInt128(1) << UInt128(bit), ~(UInt128(1) << UInt128(bit)), .max] {
            let clickID = ClickID(block: block)
            #expect(ClickID(clickID.text)?.block == block)
            #expect(ClickID(clickID.text.uppercased())?.block == block)
        }
    }
}
