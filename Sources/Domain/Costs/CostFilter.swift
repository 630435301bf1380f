/// Which clicks of a campaign a cost layer is about: `{"param:zone": ["1", "2"], "offer": "fit"}`.
/// Every member must hold; without one it is about all.
public struct CostFilter: Hashable, Sendable {
    /// What a click is told apart by.
    public enum Field: Hashable, Sendable {
        /// A parameter of the campaign URL, by its name there.
        case parameter(String)
        /// The offer that the click was sent to, by its key.
        case offer

        public var name: String {
            switch self {
            case .parameter(let name): "param:\(name)"
            case .offer: "offer"
            }
        }
    }

    public struct Test: Hashable, Sendable {
        public let field: Field
        /// Exact values, one of which has to be the click's; an empty one: it has none.
        public let values: Set<[UInt8]>
    }

    public let tests: [Test]

    static let testsMax = 10
    static let valuesMax = 1000
    static let valueBytesMax = 1000

    public var isAll: Bool { tests.isEmpty }

    /// - Parameter variables: the source's parameter names by the number of their `{varN}`: what
    ///   `var1` meant when the layer was made is what it stays about.
    init(_ layer: inout DocumentReader, variables: [Int: String]) {
        var tests: [Test] = []
        let field = layer.field("where")
        for member in layer.members("where", max: Self.testsMax) {
            let place = "\(field).\(member.name)"
            guard let known = Self.field(member.name, variables) else {
                let names = ["param:NAME", "offer"] + (1...Token.variableMax).map { "var\($0)" }
                let hint = NearestName.suggestion(for: member.name, among: names)
                layer.problems.add(
                    place,
                    "is nothing that recorded clicks are told apart by: use var1 … "
                        + "var\(Token.variableMax), param:NAME or offer"
                        + (hint.map { "; did you mean \"\($0)\"?" } ?? ""))
                continue
            }
            if tests.contains(where: { $0.field == known }) {
                layer.problems.add(place, "is named twice: \(known.name)")
            }
            tests.append(
                Test(field: known, values: Self.values(member.value, place, layer.problems)))
        }
        // Filters that mean the same are equal.
        self.tests = tests.sorted { $0.field.name < $1.field.name }
    }

    private static func field(_ name: String, _ variables: [Int: String]) -> Field? {
        if name == "offer" { return .offer }
        if name.hasPrefix("param:"), (7...134).contains(name.utf8.count) {
            return .parameter(String(name.dropFirst(6)))
        }
        for number in 1...Token.variableMax where name == "var\(number)" {
            return .parameter(variables[number] ?? name)
        }
        return nil
    }

    private static func values(_ value: JSONValue, _ place: String, _ problems: DocumentProblems)
        -> Set<[UInt8]>
    {
        let items = value.arrayValue ?? [value]
        guard (1...valuesMax).contains(items.count) else {
            problems.add(place, "must be a value, or 1 to \(valuesMax) of them")
            return []
        }
        var values: Set<[UInt8]> = []
        for item in items {
            switch item {
            case .null: values.insert([])
            case .string(let text) where text.utf8.count <= valueBytesMax:
                values.insert(Array(text.utf8))
            case .number(let text) where text.utf8.count <= valueBytesMax:
                values.insert(Array(text.utf8))
            case .string, .number, .bool, .array, .object:
                problems.add(
                    place,
                    "must be texts of at most \(valueBytesMax) bytes, or null for clicks without one"
                )
                return []
            }
        }
        return values
    }

    var document: JSONValue {
        .object(
            tests.map { test in
                let values = test.values.sorted { $0.lexicographicallyPrecedes($1) }
                    .map {
                        $0.isEmpty ? .null : JSONValue.string(String(decoding: $0, as: UTF8.self))
                    }
                return JSONMember(
                    name: test.field.name, value: values.count == 1 ? values[0] : .array(values))
            })
    }
}
