/// Where visitors go: the first rule that holds and has a usable path, else the default paths.
public struct Flow: Hashable, Sendable {
    public let rules: [Rule]
    public let paths: [Path]

    static let rulesMax = 500

    /// - Parameter mayHaveNoPath: a fallback URL takes the visitors that no rule does.
    init(_ reader: inout DocumentReader, mayHaveNoPath: Bool) {
        rules = reader.list("rules", max: Self.rulesMax) { Rule(&$0) }
        paths = reader.list("paths", max: Path.itemsMax) { Path(&$0) }
        if !mayHaveNoPath, !paths.contains(where: \.isUsable) {
            reader.fail(
                "paths",
                "must have at least one enabled path with a weight above 0: it takes the visitors "
                    + "that no rule does")
        }
        checkNames(reader)
    }

    /// By its name a path's visitors are counted.
    private func checkNames(_ reader: DocumentReader) {
        let all = placedPaths
        guard all.contains(where: { $0.path.trafficCaps != nil }) else { return }
        var counts: [String: Int] = [:]
        for case let name? in all.map(\.path.name) { counts[name, default: 0] += 1 }
        for (place, path) in all where path.trafficCaps != nil {
            guard let name = path.name, counts[name, default: 0] > 1 else { continue }
            reader.fail(
                "\(place).name", "must be no other path's: by it its visitors are counted")
        }
    }

    /// The path that a click was decided to take; nil where there is none such.
    ///
    /// - Parameters:
    ///   - number: from 1.
    ///   - rule: as in `Decision`.
    public func path(_ number: Int, ofRule rule: Int) -> Path? {
        guard rule >= 0, rule <= rules.count else { return nil }
        let paths = rule == 0 ? self.paths : rules[rule - 1].paths
        return paths.indices.contains(number - 1) ? paths[number - 1] : nil
    }

    /// All of its paths, each with its place in the document.
    var placedPaths: [(place: String, path: Path)] {
        rules.enumerated().flatMap { number, rule in
            rule.paths.enumerated().map { ("rules[\(number)].paths[\($0)]", $1) }
        } + paths.enumerated().map { ("paths[\($0)]", $1) }
    }

    /// The offers that it leads to, each with its place in the document.
    public var offers: [(place: String, key: EntityKey)] {
        placedPaths.flatMap { place, path in
            path.offers.enumerated().map { ("\(place).offers[\($0)].offer", $1.offer) }
        }
    }

    /// The landers that it leads to, each with its place in the document.
    public var landers: [(place: String, key: EntityKey)] {
        placedPaths.flatMap { place, path in
            path.landers.enumerated().map { ("\(place).landers[\($0)].lander", $1.lander) }
        }
    }

    /// Paths that have caps, and so a name.
    public var cappedPaths: [(name: String, caps: TrafficCaps)] {
        placedPaths.compactMap { _, path in
            guard let name = path.name, let caps = path.trafficCaps else { return nil }
            return (name, caps)
        }
    }

    var document: JSONValue {
        ["rules": .array(rules.map(\.document)), "paths": .array(paths.map(\.document))]
    }
}

/// A flow that several campaigns use by its key.
public struct SharedFlow: Entity, Hashable {
    public static let kind = "flow"

    public let key: EntityKey
    public let name: String
    public let flow: Flow

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        // Whether its campaigns have a fallback URL is known when they name it.
        flow = Flow(&reader, mayHaveNoPath: false)
        reader.finish()
        try problems.throwIfAny()
    }

    public var document: JSONValue {
        .object(
            [
                JSONMember(name: "key", value: .string(key.text)),
                JSONMember(name: "name", value: .string(name)),
            ] + (flow.document.objectValue ?? []))
    }
}

/// A campaign's flow: its own, or a shared one.
public enum FlowReference: Hashable, Sendable {
    case own(Flow)
    case shared(EntityKey)

    init(_ campaign: inout DocumentReader, mayHaveNoPath: Bool) {
        switch campaign.value("flow") {
        case nil:
            campaign.fail("flow", "is required: rules and paths, or the key of a shared flow")
            self = .shared(.placeholder)
        case .string(let text):
            if EntityKey(text) == nil { campaign.fail("flow", EntityKey.rule) }
            self = .shared(EntityKey(text) ?? .placeholder)
        case .some(let value):
            var reader = DocumentReader(
                value, path: campaign.field("flow"), problems: campaign.problems)
            self = .own(Flow(&reader, mayHaveNoPath: mayHaveNoPath))
            reader.finish()
        }
    }

    var document: JSONValue {
        switch self {
        case .own(let flow): flow.document
        case .shared(let key): .string(key.text)
        }
    }
}
