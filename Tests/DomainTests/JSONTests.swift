import Domain
import TestSupport
import Testing

@Suite struct JSONTests {
    private func error(_ text: String) -> JSONError? { error(Array(text.utf8)) }

    private func error(_ bytes: [UInt8]) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a document is read with its order and its numbers' text`() throws {
        let value = try JSONValue(
            parsing:
                #" {"b": 1.50, "a": [true, false, null, "x", -0, 1E+2, {}, []], "": {"n": {}}} "#)
        #expect(
            value == [
                "b": .number("1.50"),
                "a": [
                    true, false, nil, "x", .number("-0"), .number("1E+2"), .object([]), .array([]),
                ],
                "": ["n": .object([])],
            ])
        #expect(value.objectValue?.map(\.name) == ["b", "a", ""])
        #expect(value["b"]?.numberText == "1.50")
        #expect(value["a"]?.arrayValue?.count == 8)
        #expect(value["missing"] == nil)
        #expect(value["a"]?["b"] == nil)
    }

    @Test(arguments: [
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{C}\n\r\tz"),
        (#""\u00e9\u20AC""#, "é€"), (#""\ud83d\ude00""#, "😀"), (#""\u0000""#, "\u{0}"),
        ("\"é😀\u{7F}\u{2028}\"", "é😀\u{7F}\u{2028}"),
        (#""\uFFFF\uD7FF\uE000""#, "\u{FFFF}\u{D7FF}\u{E000}"),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
    ]) func `strings are decoded`(json: String, text: String) throws {
        let parsed = try JSONValue(parsing: json).stringValue
        #expect(parsed.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
    }

    @Test(arguments: ["0", "-0", "10", "-1", "0.5", "1.0", "1e1", "1E-10", "-12.34e+56"])
    func `numbers keep their text`(text: String) throws {
        #expect(try JSONValue(parsing: text) == .number(text))
        #expect(JSONValue.number(text).encoded() == text)
    }

    @Test(arguments: [
        "", " ", "01", "-", "-01", "+1", "1.", ".5", "1e", "1e+", "0x1", "1.e1", "NaN", "Infinity",
        "tru", "truee", "True", "nul", "null1", "'a'", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"",
        "\"\\u12G4\"", "\"a\nb\"", "\"\u{1}\"", "\"\u{0}\"", "[", "]", "{", "}", "[1", "[1,",
        "[1,]",
        "[,1]", "[1 2]", "[1}", "{]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
        "{\"a\" 1}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "{,}", "{\"a\":}", "1 2", "[] []",
        "// x\n1", "1 /* x */", "\u{A0}1", "1\u{0B}", "{\"a\":1,\"a\":2}", "\"\\ud800\"",
        "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u\"",
        "\"\\ude00\\ud83d\"",
    ]) func `what isn't strict JSON is refused`(text: String) {
        #expect(error(text) != nil)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
            [0xFF],
            [0xF0, 0x80, 0x80, 0xAF],
        ] as [[UInt8]]) func `invalid UTF-8 is refused`(bytes: [UInt8])
    {
        #expect(error([0x22] + bytes + [0x22])?.message == "a string that isn't valid UTF-8")
        #expect(error([0x22] + Array(#"\n"#.utf8) + bytes + [0x22]) != nil)
        #expect(error(bytes) != nil)
    }

    @Test func `an error says where and what`() {
        let first = error("{\n  \"é\": 1\n  \"b\": 2\n}")
        #expect(first?.line == 3)
        #expect(first?.column == 3)
        #expect(first?.offset == 14)
        #expect(first?.description == "line 3, column 3: expected ',' or '}' after a member")
        #expect(error("[1,\n2,]")?.description == "line 2, column 2: a comma before ']'")
        #expect(error("[\"é\", x]")?.column == 7)
        #expect(error("{\"a\":1,\"a\":2}")?.message == "the object has the name \"a\" twice")
        #expect(error("{'a':1}")?.message == "expected a member's name in double quotes")
        #expect(error("'a'")?.message == "strings are in double quotes in JSON")
        #expect(error("[1")?.message == "the document ends inside an array")
        #expect(error("{\"a\":{\"b\":1}")?.message == "the document ends inside an object")
        #expect(error("")?.message == "an empty document")
        #expect(error("\u{FEFF}x")?.offset == 3)
    }

    @Test func `a byte order mark is skipped`() throws {
        #expect(try JSONValue(parsing: "\u{FEFF}[1]") == [1])
    }

    @Test func `nesting ends at the limit`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try JSONValue(parsing: nested(64)).encoded() == nested(64))
        #expect(error(nested(65))?.message == "nested more than 64 levels deep")
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[[1]]", maxDepth: 1) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1]", maxDepth: 0) }
        #expect(try JSONValue(parsing: "1", maxDepth: -1) == 1)
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(513), maxDepth: .max) }
        #expect(error(String(repeating: "[", count: 1_000_000)) != nil)
        #expect(error(String(repeating: "{\"a\":", count: 200_000)) != nil)
    }

    @Test func `a name twice is found among few and among many members`() throws {
        for count in [1, 15, 16, 17, 5_000] {
            let members = (0..<count).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
            #expect(try JSONValue(parsing: "{\(members)}").objectValue?.count == count)
            for repeated in [0, count - 1] {
                let text = "{\(members),\"n\(repeated)\":0}"
                #expect(error(text)?.message == "the object has the name \"n\(repeated)\" twice")
                let value = try JSONValue(parsing: text, allowsDuplicates: true)
                #expect(value.objectValue?.count == count + 1)
            }
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("12", 12), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("9223372036854775808", nil), ("1.0", nil),
            ("1e3", nil),
        ] as [(String, Int64?)]) func `only plain integers are integers`(
            text: String, value: Int64?
        )
        throws
    {
        #expect(try JSONValue(parsing: text).int64Value == value)
    }

    @Test func `text is written so that a page and a terminal can hold it`() {
        let text = "\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}</script>&\u{2028}\u{2029}é😀"
        #expect(
            JSONValue.string(text).encoded()
                == #""\"\\/\b\f\n\r\t\u0001\u001f\u007f\u003c/script\u003e&\u2028\u2029é😀""#)
        #expect(
            JSONValue.string("\u{80}\u{9F}\u{A0}\u{61B}\u{61C}\u{200D}\u{200E}\u{200F}").encoded()
                == "\"\\u0080\\u009f\u{A0}\u{61B}\\u061c\u{200D}\\u200e\\u200f\"")
        #expect(
            JSONValue.string("\u{2027}\u{202A}\u{202E}\u{202F}\u{2065}\u{2066}\u{2069}\u{206A}")
                .encoded()
                == "\"\u{2027}\\u202a\\u202e\u{202F}\u{2065}\\u2066\\u2069\u{206A}\"")
    }

    @Test func `a number of ours that isn't one is written as a string`() {
        for text in ["NaN", "", "1 ", "\u{FEFF}1", "1,2", "[1]"] {
            #expect(JSONValue.number(text).encoded() == JSONValue.string(text).encoded())
        }
    }

    @Test func `a document can be written for people`() {
        let value: JSONValue = [
            "a": 1, "b": [], "c": [true, nil], "d": ["e": "f"], "g": .object([]),
        ]
        #expect(value.encoded() == #"{"a":1,"b":[],"c":[true,null],"d":{"e":"f"},"g":{}}"#)
        #expect(
            value.encoded(pretty: true) == """
                {
                  "a": 1,
                  "b": [],
                  "c": [
                    true,
                    null
                  ],
                  "d": {
                    "e": "f"
                  },
                  "g": {}
                }
                """)
        var bytes = Array("x=".utf8)
        value["d"]?.append(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == #"x={"e":"f"}"#)
    }

    private func randomValue(depth: Int, using random: inout SeededRandom) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &random) {
        case 0: return nil
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64(truncatingIfNeeded: random.next()))
        case 3: return .number("\(Int.random(in: -9...9, using: &random)).50e-7")
        case 4, 5:
            let scalars = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x2100, using: &random)) ?? "x"
            }
            return .string(String(String.UnicodeScalarView(scalars)))
        case 6:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    randomValue(depth: depth - 1, using: &random)
                })
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map {
                    JSONMember(
                        name: "n\($0)<", value: randomValue(depth: depth - 1, using: &random))
                })
        }
    }

    @Test(arguments: 1...100) func `a value survives being written and read`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<20 {
            let value = randomValue(depth: 5, using: &random)
            #expect(try JSONValue(parsing: value.encoded()) == value)
            #expect(try JSONValue(parsing: value.encoded(pretty: true)) == value)
        }
    }

    @Test(arguments: 1...100) func `no bytes make the parser trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let alphabet =
            Array(#"{}[]:,"\ue0123456789dD8-+.truefalsn "#.utf8) + [0xC3, 0xA9, 0xF0, 0xFF, 0]
        for round in 0..<200 {
            var bytes: [UInt8]
            if round % 2 == 0 {
                bytes = randomValue(depth: 4, using: &random).encodedBytes()
                for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                    let index = Int.random(in: bytes.indices, using: &random)
                    switch Int.random(in: 0...2, using: &random) {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes.remove(at: index)
                    default: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                    }
                }
            } else {
                bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                    alphabet.randomElement(using: &random) ?? 0
                }
            }
            do throws(JSONError) {
                let value = try JSONValue(parsing: bytes)
                #expect(try JSONValue(parsing: value.encoded()) == value)
            } catch {
                #expect(error.offset <= bytes.count)
                #expect(error.line >= 1 && error.column >= 1)
            }
        }
    }
}
