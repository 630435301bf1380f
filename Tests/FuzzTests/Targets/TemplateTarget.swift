@testable import Domain
@testable import HTTP

extension FuzzTarget {
    /// Templates of URLs and bodies, filled with a visitor's words: these end nothing that they
    /// stand in.
    static let template = FuzzTarget(name: "template") { input in
        var input = FuzzInput(input)
        let kind = input.byte()
        let text = input.text()
        let values = FuzzValues(value: input.remaining())
        switch kind % 6 {
        case 0: try checkURL(text, values)
        case 1: try checkJSON(text, values)
        case 2: try checkText(text, "application/json", values)
        case 3: try checkText(text, "application/xml", values)
        case 4: try checkText(text, "application/x-www-form-urlencoded", values)
        default: try checkText(text, "text/plain", values)
        }
    }

    private static func count(_ marks: String, _ bytes: some Sequence<UInt8>) -> [Int] {
        marks.utf8.map { mark in bytes.count { $0 == mark } }
    }

    private static func checkURL(_ text: String, _ values: FuzzValues) throws {
        guard let template = try? URLTemplate(text) else { return }
        var bytes: [UInt8] = []
        template.fill(values, into: &bytes)
        let filled = String(decoding: bytes, as: UTF8.self)
        try require(
            bytes.allSatisfy { $0 > 32 && $0 < 127 && !Array("\"<>\\^`".utf8).contains($0) },
            "a byte that no URL has: \(filled)")
        if let url = try? URL(filled), let origin = try? URL(template.origin) {
            try require(
                url.host == origin.host && url.port == origin.port && url.scheme == origin.scheme,
                "\(filled) leads to \(url.host), not \(origin.host)")
        }
        let literals = try Template(text).literalBytes
        guard !template.tokens.contains(where: \.isRaw) else { return }
        try require(
            count("&?#/=:@", bytes) == count("&?#/=:@", literals), "a value adds a mark: \(filled)")
        var dropped: [UInt8] = []
        template.fillDroppingEmpty(values, into: &dropped)
        try require(
            dropped.count <= bytes.count && count("?#", dropped)[1] == count("?#", bytes)[1],
            "\(String(decoding: dropped, as: UTF8.self)) of \(filled)")
        if let more = try? template.appending(parameter: "s2={click_id}") {
            try require(more.origin == template.origin, "\(more.origin) for \(template.origin)")
        }
    }

    private static func checkJSON(_ text: String, _ values: FuzzValues) throws {
        guard let document = try? JSONValue(parsing: text),
            let template = try? BodyTemplate(document, contentType: nil)
        else { return }
        guard case .json = template else { return }
        var bytes: [UInt8] = []
        template.fill(values, into: &bytes)
        var plain: [UInt8] = []
        template.fill(values.isEmpty ? values : FuzzValues(value: [120]), into: &plain)
        if bytes.isEmpty, plain.isEmpty { return }
        let filled = try JSONValue(parsing: bytes, allowsDuplicates: true)
        let expected = try JSONValue(parsing: plain, allowsDuplicates: true)
        try require(
            shape(filled, names: true) == shape(expected, names: true),
            "\(filled.encoded()) for \(expected.encoded())")
    }

    private static func checkText(_ text: String, _ type: String, _ values: FuzzValues) throws {
        guard let template = try? BodyTemplate(.string(text), contentType: type),
            let literals = try? Template(text, braces: .mayBeText).literalBytes
        else { return }
        var bytes: [UInt8] = []
        template.fill(values, into: &bytes)
        let filled = String(decoding: bytes, as: UTF8.self)
        switch type {
        case "application/json":
            var plain: [UInt8] = []
            template.fill(values.isEmpty ? values : FuzzValues(value: [120]), into: &plain)
            guard let expected = try? JSONValue(parsing: plain, allowsDuplicates: true) else {
                return
            }
            let read = try? JSONValue(parsing: bytes, allowsDuplicates: true)
            guard let read else { throw FuzzFailure(description: "no JSON: \(filled)") }
            try require(
                shape(read, names: false) == shape(expected, names: false),
                "\(filled) for \(expected.encoded())")
        case "application/xml":
            try require(count("<>\"'", bytes) == count("<>\"'", literals), "marks: \(filled)")
        case "application/x-www-form-urlencoded":
            guard !template.tokens.contains(where: \.isRaw) else { return }
            let marks = zip(count("&=", bytes), count("&=", literals))
            try require(marks.allSatisfy { $0 <= $1 }, "a value adds a mark: \(filled)")
        default:
            func controls(_ bytes: [UInt8]) -> Int { bytes.count { $0 < 32 || $0 == 127 } }
            try require(controls(bytes) == controls(literals), "controls: \(filled)")
        }
    }

    /// Lists and objects, without what they hold.
    private static func shape(_ value: JSONValue, names: Bool) -> String {
        switch value {
        case .null, .bool, .number, .string: "."
        case .array(let items): "[\(items.map { shape($0, names: names) }.joined())]"
        case .object(let members):
            "{"
                + members.map { "\(names ? $0.name : "")\(shape($0.value, names: names))" }
                .joined(separator: ",") + "}"
        }
    }
}

/// One value for all tokens.
private struct FuzzValues: TokenValues {
    let value: [UInt8]

    var isEmpty: Bool { value.isEmpty }

    func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
        bytes += value
        return !value.isEmpty
    }

    func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes += [UInt8](repeating: UInt8(ascii: "a"), count: 64)
    }
}
