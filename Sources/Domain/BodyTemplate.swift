/// The body of an outbound POST: a JSON value with tokens inside its strings, a form, or a text.
public enum BodyTemplate: Hashable, Sendable {
    case json(JSONTemplate)
    case form(FormTemplate)
    case text(Template, Template.Encoding)

    /// - Parameter contentType: of the destination's headers; decides how a text takes its values,
    ///   which a visitor may choose and which must not end what they stand in: percent-encoded in a
    ///   form (also when there is none), in a form of parts and in a table, escaped in JSON and XML,
    ///   else as they are but for control characters, such as the end of a line.
    init(_ document: JSONValue, contentType: String?) throws(TemplateError) {
        if case .string(let text) = document {
            let type = (contentType ?? "application/x-www-form-urlencoded").lowercased()
            let template = try Template(text, braces: .mayBeText)
            if type.contains("json") {
                self = .text(template, .json)
            } else if type.contains("urlencoded") {
                self = .form(FormTemplate(template))
            } else if type.contains("xml") {
                self = .text(template, .xml)
            } else {
                let isTable = ["multipart/", "text/csv", "text/tab-separated-values"]
                    .contains(where: type.hasPrefix)
                self = .text(template, isTable ? .percent : .line)
            }
        } else {
            self = .json(try JSONTemplate(document, depth: 0))
        }
    }

    /// For a body whose destination names none.
    public var defaultContentType: String {
        switch self {
        case .json: "application/json"
        case .form, .text: "application/x-www-form-urlencoded"
        }
    }

    public var tokens: [TokenUse] {
        switch self {
        case .json(let template): template.tokens
        case .form(let template): template.tokens
        case .text(let template, _): template.tokens
        }
    }

    public func fill(_ values: some TokenValues, into bytes: inout [UInt8]) {
        switch self {
        case .json(let template): template.filled(values)?.append(to: &bytes)
        case .form(let template): template.fill(values, into: &bytes)
        case .text(let template, let encoding): template.fill(values, as: encoding, into: &bytes)
        }
    }
}

/// A JSON document whose strings are templates.
public indirect enum JSONTemplate: Hashable, Sendable {
    public struct Member: Hashable, Sendable {
        let name: String
        let value: JSONTemplate
    }

    /// Null, a boolean or a number, by its JSON text.
    case constant(String)
    case string(Template)
    case array([JSONTemplate])
    case object([Member])

    static let depthMax = 32

    init(_ document: JSONValue, depth: Int) throws(TemplateError) {
        guard depth < Self.depthMax else {
            throw TemplateError("is nested deeper than \(Self.depthMax) levels")
        }
        switch document {
        case .null, .bool, .number: self = .constant(document.encoded())
        case .string(let text): self = .string(try Template(text, braces: .mayBeText))
        case .array(let items):
            var templates: [JSONTemplate] = []
            for item in items { templates.append(try JSONTemplate(item, depth: depth + 1)) }
            self = .array(templates)
        case .object(let members):
            var templates: [Member] = []
            for member in members {
                templates.append(
                    Member(
                        name: member.name, value: try JSONTemplate(member.value, depth: depth + 1)))
            }
            self = .object(templates)
        }
    }

    var tokens: [TokenUse] {
        switch self {
        case .constant: []
        case .string(let template): template.tokens
        case .array(let items): items.flatMap(\.tokens)
        case .object(let members): members.flatMap(\.value.tokens)
        }
    }

    /// Nil for a string that is exactly one token without a value: the member or item is dropped.
    func filled(_ values: some TokenValues) -> JSONValue? {
        switch self {
        case .constant("null"): return .null
        case .constant("true"): return .bool(true)
        case .constant("false"): return .bool(false)
        case .constant(let number): return .number(number)
        case .string(let template):
            var bytes: [UInt8] = []
            let isComplete = template.fill(values, as: .plain, into: &bytes)
            if template.segments.count == 1, case .token(let use) = template.segments[0] {
                if !isComplete { return nil }
                let text = String(decoding: bytes, as: UTF8.self)
                return use.isNumber && Self.isNumber(text) ? .number(text) : .string(text)
            }
            return .string(String(decoding: bytes, as: UTF8.self))
        case .array(let items): return .array(items.compactMap { $0.filled(values) })
        case .object(let members):
            return .object(
                members.compactMap { member in
                    member.value.filled(values).map { JSONMember(name: member.name, value: $0) }
                })
        }
    }

    /// RFC 8259's number grammar: a visitor's parameter marked `:number` may be anything.
    static func isNumber(_ text: String) -> Bool {
        let parsed = Array(text.utf8).withUnsafeBytes { bytes in
            // A text that is no JSON at all is no number either: the reason does not matter.
            try? JSONValue(parsing: bytes)
        }
        guard case .number = parsed else { return false }
        // White space around it would be part of the document's text, not of the number.
        return text.utf8.allSatisfy { $0 > 32 }
    }
}
