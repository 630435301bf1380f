/// One thing wrong with a document, at the field that holds it (`destinations[0].url`).
public struct FieldError: Error, Hashable, Sendable {
    public let field: String
    public let message: String

    public init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }
}

/// Everything that is wrong with a document, so that one answer is enough to mend it.
public struct ValidationError: Error, Equatable, Sendable {
    public let errors: [FieldError]

    public init(_ errors: [FieldError]) { self.errors = errors }

    public init(_ field: String, _ message: String) { errors = [FieldError(field, message)] }
}

/// Collects the problems of one document while it is read.
///
/// Names and values in them are whoever sent them's to choose, and an answer must not be a multiple
/// of what was sent.
final class DocumentProblems {
    private(set) var errors: [FieldError] = []

    private static let errorsMax = 100
    private static let fieldBytesMax = 200
    private static let messageBytesMax = 500

    func add(_ field: String, _ message: String) {
        guard errors.count < Self.errorsMax else { return }
        errors.append(
            FieldError(
                field.cut(toBytes: Self.fieldBytesMax), message.cut(toBytes: Self.messageBytesMax)))
    }

    func throwIfAny() throws(ValidationError) {
        if !errors.isEmpty { throw ValidationError(errors) }
    }
}

/// Reads the members of one JSON object by name, with defaults, and reports what is wrong with
/// each. A name that nobody asked for is a problem too: a mistyped setting must not be ignored.
struct DocumentReader {
    let path: String
    let problems: DocumentProblems
    private let members: [JSONMember]
    private var known: Set<String> = []

    init(_ value: JSONValue, path: String = "", problems: DocumentProblems) {
        self.path = path
        self.problems = problems
        if case .object(let members) = value {
            self.members = members
        } else {
            members = []
            problems.add(path, "must be a JSON object")
        }
    }

    func field(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func fail(_ name: String, _ message: String) { problems.add(field(name), message) }

    /// The member's value; nil when it is absent or null.
    mutating func value(_ name: String) -> JSONValue? {
        known.insert(name)
        guard let value = members.first(where: { $0.name == name })?.value, value != .null else {
            return nil
        }
        return value
    }

    /// A member that answers carry and documents may repeat, but that nobody can set.
    mutating func ignore(_ names: String...) { known.formUnion(names) }

    mutating func string(_ name: String, max: Int = 200) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else {
            fail(name, "must be a string")
            return nil
        }
        guard text.utf8.count <= max else {
            fail(name, "must be at most \(max) bytes long")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            fail(name, "must not contain control characters")
            return nil
        }
        return text
    }

    mutating func requiredString(_ name: String, max: Int = 200) -> String {
        if let text = string(name, max: max), !text.isEmpty { return text }
        if !hasFailed(name) { fail(name, "is required") }
        return ""
    }

    mutating func key(_ name: String) -> EntityKey? {
        guard let text = string(name) else { return nil }
        guard let key = EntityKey(text) else {
            fail(name, EntityKey.rule)
            return nil
        }
        return key
    }

    mutating func requiredKey(_ name: String) -> EntityKey {
        if let key = key(name) { return key }
        if !hasFailed(name) { fail(name, "is required") }
        return .placeholder
    }

    mutating func bool(_ name: String, default fallback: Bool) -> Bool {
        guard let value = value(name) else { return fallback }
        guard case .bool(let flag) = value else {
            fail(name, "must be true or false")
            return fallback
        }
        return flag
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>, default fallback: Int64)
        -> Int64
    {
        guard let value = value(name) else { return fallback }
        guard let number = value.int64Value, range.contains(number) else {
            fail(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return fallback
        }
        return number
    }

    mutating func optionalInteger(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        guard value(name) != nil else { return nil }
        return integer(name, in: range, default: range.lowerBound)
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        guard let value = value(name) else { return fallback }
        guard case .string(let text) = value, let choice = Choice(rawValue: text) else {
            fail(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return fallback
        }
        return choice
    }

    mutating func currency(_ name: String, default fallback: Currency) -> Currency {
        guard let text = string(name) else { return fallback }
        guard let currency = Currency(text) else {
            fail(name, "must be an ISO 4217 currency code such as USD")
            return fallback
        }
        return currency
    }

    /// A decimal amount, written as a string or as a JSON number; in nanos.
    mutating func amount(_ name: String) -> Int64? {
        guard let value = value(name) else { return nil }
        let text: String
        switch value {
        case .string(let string): text = string
        case .number(let number): text = number
        case .null, .bool, .array, .object: text = ""
        }
        do {
            return try Amount.parse(text, format: .point)
        } catch {
            fail(name, "must be a decimal amount such as \"0.012\"")
            return nil
        }
    }

    mutating func array(_ name: String, max: Int) -> [JSONValue] {
        guard let value = value(name) else { return [] }
        guard case .array(let items) = value else {
            fail(name, "must be an array")
            return []
        }
        guard items.count <= max else {
            fail(name, "must have at most \(max) items")
            return []
        }
        return items
    }

    mutating func strings(_ name: String, max: Int = 200) -> [String] {
        var texts: [String] = []
        for (index, item) in array(name, max: max).enumerated() {
            guard case .string(let text) = item, !text.isEmpty, text.utf8.count <= 200 else {
                fail("\(name)[\(index)]", "must be a string of 1 to 200 bytes")
                continue
            }
            texts.append(text)
        }
        return texts
    }

    mutating func statuses(_ name: String) -> [ConversionStatus] {
        var statuses: [ConversionStatus] = []
        for (index, word) in strings(name).enumerated() {
            if let status = ConversionStatus(rawValue: word) {
                statuses.append(status)
            } else {
                let words = ConversionStatus.allCases.map(\.rawValue).joined(separator: ", ")
                fail("\(name)[\(index)]", "must be one of \(words)")
            }
        }
        return statuses
    }

    mutating func members(_ name: String, max: Int = 200) -> [JSONMember] {
        guard let value = value(name) else { return [] }
        guard case .object(let members) = value else {
            fail(name, "must be a JSON object")
            return []
        }
        guard members.count <= max else {
            fail(name, "must have at most \(max) members")
            return []
        }
        return members
    }

    mutating func reader(_ name: String) -> DocumentReader? {
        guard let value = value(name) else { return nil }
        return DocumentReader(value, path: field(name), problems: problems)
    }

    /// Named at most; the rest is refused with them.
    private static let strangersMax = 20

    /// Call when everything was asked for: names the members that nobody knows.
    func finish() {
        let names = known.sorted()
        let strangers = members.lazy.filter { [known] in !known.contains($0.name) }
        for member in strangers.prefix(Self.strangersMax) {
            let hint = NearestName.suggestion(for: member.name, among: names)
            fail(
                member.name,
                "is not a known field" + (hint.map { "; did you mean \"\($0)\"?" } ?? ""))
        }
    }

    func hasFailed(_ name: String) -> Bool {
        problems.errors.contains { $0.field == field(name) }
    }
}

extension String {
    /// Itself, or its beginning and `…`.
    fileprivate func cut(toBytes max: Int) -> String {
        utf8.count <= max ? self : String(decoding: utf8.prefix(max), as: UTF8.self) + "…"
    }
}

extension EntityKey {
    /// Stands in for a key that was refused; the document it came from is never used.
    static var placeholder: EntityKey { EntityKey(unchecked: "invalid") }

    private init(unchecked text: String) { self.text = text }
}
