/// What counts as "the destination took it": some APIs answer 200 to a refusal.
public struct SuccessRule: Equatable, Sendable {
    public let statuses: ClosedRange<Int>
    public let bodyContains: String?
    public let bodyField: BodyField?

    /// A field of the answer's JSON, and the value that it must have or must not have.
    public struct BodyField: Equatable, Sendable {
        /// Names and array indexes, by dots: `data.0.code`.
        public let path: String
        /// A text, a number (compared by value: `0` and `0.0` are the same), true, false or null.
        public let value: JSONValue
        public let relation: Relation

        /// The name of the value's member.
        public enum Relation: String, CaseIterable, Sendable {
            /// An answer without the field, or that is no JSON, has nothing but null there.
            case equals
            /// It's a refusal that is known: every other answer, also one that is no JSON, is none.
            case notEquals = "not_equals"
        }

        static let pathMax = 200

        /// Nil for what no rule can be: an empty part in the path, or a list or object to equal.
        public init?(path: String, _ relation: Relation = .equals, _ value: JSONValue) {
            guard !path.isEmpty, path.utf8.count <= Self.pathMax,
                path.split(separator: ".", omittingEmptySubsequences: false)
                    .allSatisfy({ !$0.isEmpty })
            else { return nil }
            switch value {
            case .array, .object: return nil
            case .null, .bool, .number, .string: break
            }
            self.path = path
            self.relation = relation
            self.value = value
        }

        /// As `document` writes it.
        public init?(document: JSONValue) {
            let relations = Relation.allCases.filter { document[$0.rawValue] != nil }
            guard let path = document["path"]?.stringValue, relations.count == 1,
                let value = document[relations[0].rawValue]
            else { return nil }
            self.init(path: path, relations[0], value)
        }

        public var document: JSONValue {
            .object([
                JSONMember(name: "path", value: .string(path)),
                JSONMember(name: relation.rawValue, value: value),
            ])
        }
    }

    public init(
        statuses: ClosedRange<Int> = 200...299, bodyContains: String? = nil,
        bodyField: BodyField? = nil
    ) {
        self.statuses = statuses
        self.bodyContains = bodyContains
        self.bodyField = bodyField
    }

    init(_ destination: inout DocumentReader) {
        guard var reader = destination.reader("success") else {
            self.init()
            return
        }
        var statuses = 200...299
        if let value = reader.value("status") {
            let bounds = value.arrayValue?.compactMap(\.int64Value) ?? []
            if bounds.count == 2, 100 <= bounds[0], bounds[0] <= bounds[1], bounds[1] <= 599 {
                statuses = Int(bounds[0])...Int(bounds[1])
            } else {
                reader.fail("status", "must be two status codes such as [200, 299]")
            }
        }
        let text = reader.string("body_contains", max: 1000).nonEmpty
        let field = Self.bodyField(&reader)
        reader.finish()
        self.init(statuses: statuses, bodyContains: text, bodyField: field)
    }

    private static func bodyField(_ success: inout DocumentReader) -> BodyField? {
        guard var reader = success.reader("body_json") else { return nil }
        let path = reader.requiredString("path", max: BodyField.pathMax)
        // Null is a value here, not an absent member.
        let given = BodyField.Relation.allCases.compactMap { relation in
            success.value("body_json")?[relation.rawValue].map { (relation, $0) }
        }
        reader.ignore(BodyField.Relation.equals.rawValue, BodyField.Relation.notEquals.rawValue)
        reader.finish()
        guard given.count == 1 else {
            reader.fail(
                "equals",
                "is required, or \"not_equals\" in its place: a string, a number, true, false or null"
            )
            return nil
        }
        let (relation, value) = given[0]
        guard !path.isEmpty else { return nil }
        guard let field = BodyField(path: path, relation, value) else {
            reader.fail(
                "path",
                "must be names by dots such as \"data.code\", and \"\(relation.rawValue)\" a single value"
            )
            return nil
        }
        return field
    }

    /// Whether more than the status decides.
    public var readsBody: Bool { bodyContains != nil || bodyField != nil }

    /// Whether the answer says that it was taken.
    ///
    /// - Parameter body: the part of the answer's body that was read.
    public func accepts(status: Int, body: [UInt8]) -> Bool {
        statuses.contains(status) && refusal(of: body) == nil
    }

    /// Why a body whose status is accepted is no success, as the end of a sentence; nil when it is.
    public func refusal(of body: [UInt8]) -> String? {
        if let bodyContains, !body.contains(subsequence: Array(bodyContains.utf8)) {
            return "without the text \"\(bodyContains)\""
        }
        return bodyField.flatMap { $0.refusal(of: body) }
    }

    var document: JSONValue {
        [
            "status": [.integer(statuses.lowerBound), .integer(statuses.upperBound)],
            "body_contains": .string(orNull: bodyContains),
            "body_json": bodyField?.document ?? .null,
        ]
    }
}

extension SuccessRule.BodyField {
    fileprivate func refusal(of body: [UInt8]) -> String? {
        // What it's no JSON for makes no difference.
        let parsed = try? JSONValue(parsing: body, allowsDuplicates: true)
        let found = parsed.flatMap { value(in: $0) }
        let expected = value.encoded()
        switch relation {
        case .notEquals:
            return found.map(isEqual) == true ? "with \(expected) at \"\(path)\"" : nil
        case .equals:
            if parsed == nil {
                return "with a body that is no JSON, so \"\(path)\" is not \(expected)"
            }
            guard let found else {
                // To ask for null is to ask for nothing there, which many leave out.
                return value == .null ? nil : "without \"\(path)\", which should be \(expected)"
            }
            if isEqual(found) { return nil }
            let text = String(found.encoded().prefix(100))
            return "with \(text) at \"\(path)\", not \(expected)"
        }
    }

    private func value(in document: JSONValue) -> JSONValue? {
        var found = document
        for part in path.split(separator: ".") {
            let next: JSONValue?
            if let items = found.arrayValue {
                next = Int(part).flatMap { items.indices.contains($0) ? items[$0] : nil }
            } else {
                next = found[String(part)]
            }
            guard let next else { return nil }
            found = next
        }
        return found
    }

    private func isEqual(_ found: JSONValue) -> Bool {
        if found == value { return true }
        guard case .number(let left) = found, case .number(let right) = value,
            let left = Double(left), let right = Double(right)
        else { return false }
        // Codes, not money: what a double can't tell apart no API does either.
        return left == right
    }
}

extension Array where Element == UInt8 {
    /// Both sides are short: an answer of at most 64 KiB and a text of at most 1,000 bytes.
    func contains(subsequence needle: [UInt8]) -> Bool {
        guard !needle.isEmpty else { return true }
        guard count >= needle.count else { return false }
        return (0...(count - needle.count)).contains { start in
            self[start] == needle[0] && self[start..<(start + needle.count)].elementsEqual(needle)
        }
    }
}
