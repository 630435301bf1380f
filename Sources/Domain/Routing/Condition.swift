/// When a rule applies: `{"country": ["US", "CA"], "device": "mobile"}`. Members must all hold;
/// `all`, `any` and `not` combine others.
public struct Condition: Hashable, Sendable {
    /// As it was written.
    public let document: JSONValue
    let root: Node

    indirect enum Node: Hashable, Sendable {
        case all([Node])
        case any([Node])
        case not(Node)
        case test(FactTest)
    }

    /// Holds always.
    static let always = Condition(document: [:], root: .all([]))

    private init(document: JSONValue, root: Node) {
        self.document = document
        self.root = root
    }

    init(_ document: JSONValue, field: String, problems: DocumentProblems) {
        var parser = ConditionParser(problems: problems)
        root = parser.node(document, field: field, depth: 0)
        self.document = document
    }

    /// Every fact that it asks for, repeats included.
    var facts: [Fact] { root.facts }
}

extension Condition.Node {
    /// Every fact that it asks for, repeats included.
    var facts: [Fact] {
        switch self {
        case .all(let nodes), .any(let nodes): nodes.flatMap(\.facts)
        case .not(let node): node.facts
        case .test(let test): [test.fact]
        }
    }
}
