/// What counts as "the destination took it": some APIs answer 200 to a refusal.
public struct SuccessRule: Equatable, Sendable {
    public let statuses: ClosedRange<Int>
    public let bodyContains: String?
    public let bodyField: BodyField?

    /// A field of the answer's JSON and the value that it must have.
    public struct BodyField: Equatable, Sendable {
        /// Names and array indexes, by dots: `data.0.code`.
        public let path: String
        /// A text, a number (compared by value: `0` and `0.0` are the same), true, false or null.
        public let equals: JSONValue

        static let pathMax = 200

        /// Nil for what no rule can be: an empty part in the path, or a list or object to equal.
        public init?(path: String, equals: JSONValue) {
            guard !path.isEmpty, path.utf8.count <= Self.pathMax,
                path.split(separator: ".", omittingEmptySubsequences: false)
                    .allSatisfy({ !$0.isEmpty })
            else { return nil }
            switch equals {
            case .array, .object: return nil
            case .null, .bool, .number, .string: break
            }
            self.path = path
            self.equals = equals
        }

        /// As `document` writes it.
        public init?(document: JSONValue) {
            guard let path = document["path"]?.stringValue, let equals = document["equals"] else {
                return nil
            }
            self.init(path: path, equals: equals)
        }

        public var document: JSONValue { ["path": .string(path), "equals": equals] }
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
        let equals = success.value("body_json")?["equals"]
        reader.ignore("equals")
        reader.finish()
        guard let equals else {
            reader.fail("equals", "is required: a string, a number, true, false or null")
            return nil
        }
        guard !path.isEmpty else { return nil }
        guard let field = BodyField(path: path, equals: equals) else {
            reader.fail(
                "path",
                "must be names by dots such as \"data.code\", and \"equals\" a single value")
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
        let expected = equals.encoded()
        let parsed: JSONValue
        do throws(JSONError) {
            parsed = try JSONValue(parsing: body, allowsDuplicates: true)
        } catch {
            return "with a body that is no JSON, so \"\(path)\" is not \(expected)"
        }
        guard let found = value(in: parsed) else {
            return "without \"\(path)\", which should be \(expected)"
        }
        if isEqual(found) { return nil }
        let text = String(found.encoded().prefix(100))
        return "with \(text) at \"\(path)\", not \(expected)"
    }

    private func value(in document: JSONValue) -> JSONValue? {
        var value = document
        for part in path.split(separator: ".") {
            let next: JSONValue?
            if let items = value.arrayValue {
                next = Int(part).flatMap { items.indices.contains($0) ? items[$0] : nil }
            } else {
                next = value[String(part)]
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    private func isEqual(_ found: JSONValue) -> Bool {
        if found == equals { return true }
        guard case .number(let left) = found, case .number(let right) = equals,
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
