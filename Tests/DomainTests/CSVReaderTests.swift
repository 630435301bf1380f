import Domain
import TestSupport
import Testing

@Suite struct CSVReaderTests {
    private func records(_ text: String) throws -> [[String]] {
        var reader = CSVReader(Array(text.utf8))
        var all: [[String]] = []
        while let record = try reader.next() { all.append(record.fields) }
        return all
    }

    @Test(
        arguments: [
            ("", []), ("a", [["a"]]), ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
            ("a,b\n\n\n1,\n", [["a", "b"], ["1", ""]]), (",", [["", ""]]),
            ("\u{feff}cid\n1", [["cid"], ["1"]]),
            (
                "\"a,b\",\"say \"\"hi\"\"\"\n\"two\r\nlines\",",
                [["a,b", "say \"hi\""], ["two\r\nlines", ""]]
            ),
            ("\"\"\n", [[""]]), (" a , b", [[" a ", " b"]]), ("ä,\u{1F600}", [["ä", "\u{1F600}"]]),
        ] as [(String, [[String]])])
    func `fields are what RFC 4180 says`(text: String, expected: [[String]]) throws {
        #expect(try records(text) == expected)
    }

    @Test(arguments: [
        ("a\"b", 1), ("\"a\"b", 1), ("x\ny,\"a", 2), ("a\rb", 1), ("a\r", 1),
        ("\"a\nb\"x", 2),
    ])
    func `what could be read in two ways is refused at its line`(text: String, line: Int) {
        let error = #expect(throws: CSVError.self) { try records(text) }
        #expect(error?.line == line)
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        var reader = CSVReader([97, 0xFF])
        #expect(throws: CSVError.self) { try reader.next() }
    }

    @Test func `fields and their number are bounded`() throws {
        let widest = String(repeating: ",", count: CSVReader.fieldsMax - 1)
        #expect(try records(widest) == [Array(repeating: "", count: CSVReader.fieldsMax)])
        #expect(throws: CSVError.self) { try records(widest + ",") }
        let longest = String(repeating: "x", count: CSVReader.fieldBytesMax)
        #expect(try records(longest) == [[longest]])
        #expect(throws: CSVError.self) { try records(longest + "x") }
    }

    @Test(arguments: UInt64(1)...50)
    func `any bytes end in records or an error, and quoted fields come back`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let alphabet = Array("a,\"\r\n\u{e9}".utf8)
        let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
            alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
        }
        var reader = CSVReader(bytes)
        do { while try reader.next() != nil {} } catch { #expect(error.line >= 1) }

        let texts = (0..<5).map { _ in
            String(
                (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    ["a", ",", "\"", "\n", "é"].randomElement(using: &random) ?? "a"
                }.joined())
        }
        let line = texts.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(
            separator: ",")
        #expect(try records(line) == [texts])
    }
}
