internal import Domain
internal import Store

/// Reads the parameters of a call's query by name and collects what is wrong with them. A name that
/// nobody asked for is wrong too: a mistyped filter must not show everything.
struct QueryReader {
    static let limitDefault = 100
    static let limitMax = 1000

    private let parameters: QueryParameters
    private var known: [String] = []
    private(set) var errors: [FieldError] = []

    init(_ parameters: QueryParameters) { self.parameters = parameters }

    mutating func fail(_ name: String, _ message: String) {
        errors.append(FieldError(name, message))
    }

    /// The parameter's bytes; nil when it is absent or empty.
    mutating func bytes(_ name: String) -> [UInt8]? {
        known.append(name)
        var found: [UInt8]?
        for pair in parameters.pairs where pair.name == name {
            if found != nil {
                fail(name, "is given twice")
                break
            }
            found = pair.value
        }
        return found?.isEmpty == true ? nil : found
    }

    mutating func text(_ name: String) -> String? {
        bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// How many items a page has.
    mutating func limit(default fallback: Int = Self.limitDefault, max: Int = Self.limitMax) -> Int
    {
        guard let text = text("limit") else { return fallback }
        guard let limit = Int(text), (1...max).contains(limit) else {
            fail("limit", "must be a number from 1 to \(max)")
            return fallback
        }
        return limit
    }

    /// Where the page begins; nil on the first one.
    mutating func cursor() -> Int64? {
        guard let text = text("cursor") else { return nil }
        guard let cursor = Int64(text), cursor > 0 else {
            fail("cursor", "must be the next_cursor of the page before")
            return nil
        }
        return cursor
    }

    mutating func flag(_ name: String) -> Bool {
        switch text(name) {
        case nil, "0", "false": return false
        case "1", "true": return true
        case .some:
            fail(name, "must be 0 or 1")
            return false
        }
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type)
        -> Choice? where Choice.RawValue == String
    {
        guard let text = text(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue)
            fail(
                name,
                "must be one of \(names.joined(separator: ", "))"
                    + Self.hint(NearestName.suggestion(for: text, among: names)))
            return nil
        }
        return choice
    }

    mutating func entity<Value: Entity>(_ name: String, in index: EntityIndex<Value>)
        -> RowID<Value>?
    {
        guard let text = text(name) else { return nil }
        if let key = EntityKey(text), let stored = index[key] { return stored.id }
        let nearest = NearestName.suggestion(for: text, among: index.all.map(\.value.key.text))
        fail(name, "there is no \(Value.kind) \"\(text)\"" + Self.hint(nearest))
        return nil
    }

    /// Call when everything was asked for.
    mutating func finish() throws(Problem) {
        if parameters.isTruncated {
            fail("", "has more than \(QueryParameters.pairsMax) parameters")
        }
        for pair in parameters.pairs where !known.contains(pair.name) {
            let nearest = NearestName.suggestion(for: pair.name, among: known)
            fail(
                pair.name,
                known.isEmpty
                    ? "is not known: this takes no parameters"
                    : "is not one of \(known.joined(separator: ", "))" + Self.hint(nearest))
        }
        if !errors.isEmpty { throw Problem(ValidationError(errors)) }
    }

    private static func hint(_ nearest: String?) -> String {
        nearest.map { "; did you mean \"\($0)\"?" } ?? ""
    }
}
