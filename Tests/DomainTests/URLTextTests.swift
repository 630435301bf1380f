import Domain
import TestSupport
import Testing

@Suite struct URLTextTests {
    private func encoded(_ text: String) -> String { PercentEncoding.encode(text) }

    private func raw(_ text: String) -> String {
        var output: [UInt8] = []
        PercentEncoding.appendRaw(text.utf8, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func decoded(_ text: String, plusIsSpace: Bool = true) -> String {
        let bytes = Array(text.utf8).withUnsafeBytes {
            PercentEncoding.decode($0, plusIsSpace: plusIsSpace)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func pairs(_ query: String) -> [String] {
        Array(query.utf8).withUnsafeBytes { bytes in
            QueryScanner(bytes).map {
                "\(String(decoding: $0.name, as: UTF8.self)) \(String(decoding: $0.value, as: UTF8.self))"
            }
        }
    }

    private static func random(_ alphabet: String, _ random: inout SeededRandom) -> [UInt8] {
        let alphabet = Array(alphabet.utf8)
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
        }
    }

    /// Byte by byte, as the doc comments say it.
    private static func slowlyDecoded(_ raw: [UInt8], plusIsSpace: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        while index < raw.count {
            let digits = raw[index...].dropFirst().prefix(2)
            if raw[index] == UInt8(ascii: "%"), digits.count == 2,
                digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                output.append(byte)
                index += 3
            } else {
                output.append(plusIsSpace && raw[index] == UInt8(ascii: "+") ? 0x20 : raw[index])
                index += 1
            }
        }
        return output
    }

    @Test(arguments: 1...500) func `what is decoded in large steps is as byte by byte`(
        seed: UInt64
    ) {
        var random = SeededRandom(seed)
        for alphabet in ["abcdefgh%+4Ff\u{80}\u{ff}", "%%%012aFg", "abcdefghijklmnop+", "é%C3%A9"] {
            let raw = Self.random(alphabet, &random)
            for plusIsSpace in [true, false] {
                #expect(
                    raw.withUnsafeBytes { PercentEncoding.decode($0, plusIsSpace: plusIsSpace) }
                        == Self.slowlyDecoded(raw, plusIsSpace: plusIsSpace),
                    "\(String(decoding: raw, as: UTF8.self))")
            }
        }
    }

    @Test(arguments: 1...500) func `pairs are found as by splitting`(seed: UInt64) {
        var random = SeededRandom(seed)
        for alphabet in [
            "a&=", "abcdefghijkl&=", "abcdefghijklmnopqrstuvwxyz%=&", "\u{a6}\u{bd}&=",
        ] {
            let query = Self.random(alphabet, &random)
            let expected = query.split(separator: UInt8(ascii: "&")).compactMap {
                pair -> String? in
                let sides = pair.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard !sides[0].isEmpty else { return nil }
                let value = sides.count == 2 ? Array(sides[1]) : []
                return "\(String(decoding: sides[0], as: UTF8.self)) "
                    + "\(String(decoding: value, as: UTF8.self))"
            }
            let found = query.withUnsafeBytes { bytes in
                QueryScanner(bytes).map {
                    "\(String(decoding: $0.name, as: UTF8.self)) "
                        + "\(String(decoding: $0.value, as: UTF8.self))"
                }
            }
            #expect(found == expected)
        }
    }

    @Test func `only unreserved characters stay in a component`() {
        let unreserved = "ABCXYZabcxyz0189-._~"
        #expect(encoded(unreserved) == unreserved)
        #expect(
            encoded(" !\"#$%&'()*+,/:;<=>?@")
                == "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40")
        #expect(
            encoded("[\\]^`{|}\u{7F}\u{0}\r\né") == "%5B%5C%5D%5E%60%7B%7C%7D%7F%00%0D%0A%C3%A9")
        #expect(encoded("") == "")
    }

    @Test func `a raw piece keeps its delimiters and loses what no URL may hold`() {
        let kept = "aZ09-._~:/?#[]@!$&'()*+,;=%2F%"
        #expect(raw(kept) == kept)
        #expect(
            raw("\r\n \u{0}\u{7F}é\"<>\\^`{|}")
                == "%0D%0A%20%00%7F%C3%A9%22%3C%3E%5C%5E%60%7B%7C%7D")
    }

    @Test func `every byte is encoded alike by every overload`() {
        let bytes = Array(UInt8.min...UInt8.max)
        var fromArray: [UInt8] = []
        var fromBuffer: [UInt8] = []
        var fromSequence: [UInt8] = []
        PercentEncoding.append(bytes, to: &fromArray)
        bytes.withUnsafeBytes { PercentEncoding.append($0, to: &fromBuffer) }
        PercentEncoding.append(AnySequence(bytes), to: &fromSequence)
        #expect(fromArray == fromBuffer)
        #expect(fromArray == fromSequence)
        #expect(fromArray.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(
            fromArray.withUnsafeBytes { PercentEncoding.decode($0, plusIsSpace: true) } == bytes)
        var rawArray: [UInt8] = []
        var rawSequence: [UInt8] = []
        PercentEncoding.appendRaw(bytes, to: &rawArray)
        PercentEncoding.appendRaw(AnySequence(bytes), to: &rawSequence)
        #expect(rawArray == rawSequence)
        #expect(rawArray.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }

    @Test(arguments: [
        ("a%20b", "a b"), ("a+b", "a b"), ("%2b", "+"), ("%C3%a9", "é"), ("%", "%"), ("%4", "%4"),
        ("%4g", "%4g"), ("%%41", "%A"), ("100%", "100%"), ("%zz%41", "%zzA"), ("", ""),
        ("%41", "A"),
    ]) func `percent signs are decoded and broken ones stay`(text: String, meant: String) {
        #expect(decoded(text) == meant)
    }

    @Test func `a plus is a space only where asked`() {
        #expect(decoded("a+b%20c", plusIsSpace: false) == "a+b c")
    }

    @Test(arguments: [
        ("", []), ("a=1", ["a 1"]), ("a=1&b=2", ["a 1", "b 2"]), ("a", ["a "]), ("a=", ["a "]),
        ("=1", []), ("=", []), ("&", []), ("&&a=1&&", ["a 1"]), ("a=b=c", ["a b=c"]),
        ("a=1;b=2", ["a 1;b=2"]), ("=x&b=2", ["b 2"]), ("a&b", ["a ", "b "]), ("a=%26", ["a %26"]),
    ]) func `a query is taken apart without being decoded`(query: String, expected: [String]) {
        #expect(pairs(query) == expected)
    }

    @Test func `parameters are found by name without case, the first one wins`() {
        let parameters = QueryParameters(parsing: "CID=a%20b+c&cid=other&Empty=&%63%69=x&é=1")
        #expect(parameters.text(named: "cid") == "a b c")
        #expect(parameters.text(named: "EMPTY") == "")
        #expect(parameters.text(named: "ci") == "x")
        #expect(parameters.text(named: "é") == "1")
        #expect(parameters.value(named: "missing") == nil)
        #expect(parameters.pairs.map(\.name) == ["CID", "cid", "Empty", "ci", "é"])
        #expect(QueryParameters(parsing: "a=%FF%00").value(named: "a") == [0xFF, 0])
    }

    @Test func `the thousandth parameter is kept and the next one isn't`() {
        func query(_ count: Int) -> String {
            (0..<count).map { "n\($0)=\($0)" }.joined(separator: "&")
        }
        let full = QueryParameters(parsing: query(1_000))
        #expect(full.pairs.count == 1_000)
        #expect(!full.isTruncated)
        #expect(full.text(named: "n999") == "999")
        let over = QueryParameters(parsing: query(1_001))
        #expect(over.pairs.count == 1_000)
        #expect(over.isTruncated)
        #expect(over.value(named: "n1000") == nil)
    }

    @Test(arguments: 1...100) func `bytes survive being encoded and decoded`(seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<50 {
            let values = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            var query: [UInt8] = []
            for (index, value) in values.enumerated() {
                query += Array("&n\(index)=".utf8)
                PercentEncoding.append(value, to: &query)
            }
            let parameters = query.withUnsafeBytes { QueryParameters(parsing: $0) }
            #expect(parameters.pairs.map(\.value) == values)
        }
    }

    @Test(arguments: 1...100) func `no bytes make the query parser trap`(seed: UInt64) {
        var random = SeededRandom(seed)
        let alphabet = Array("&&==%%%+0aAfF\u{0}é".utf8) + [0xFF]
        for _ in 0..<100 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            bytes.withUnsafeBytes { buffer in
                let scanned = QueryScanner(buffer).map { ($0.name.count, $0.value.count) }
                #expect(scanned.allSatisfy { $0.0 > 0 })
                #expect(scanned.reduce(0) { $0 + $1.0 + $1.1 } <= buffer.count)
                #expect(QueryParameters(parsing: buffer).pairs.count == scanned.count)
            }
        }
    }
}
