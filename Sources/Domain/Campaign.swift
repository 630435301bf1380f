/// An entry URL with its source, cost and flow.
public struct Campaign: Entity, Equatable {
    public static let kind = "campaign"

    public enum Redirect: String, CaseIterable, Sendable { case found = "302" }

    public let key: EntityKey
    public let name: String
    public let source: EntityKey
    public let redirect: Redirect
    public let cost: Cost
    /// Beside the source's own.
    public let destinations: [Destination]
    public let flow: Flow
    public let limits: ConversionLimits

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        reader.ignore("url", "url_with_tokens")
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        source = reader.requiredKey("source")
        redirect = reader.choice("redirect", default: .found)
        cost = Cost(&reader)
        destinations = Destination.list(&reader)
        flow = Flow(&reader)
        limits = ConversionLimits(&reader, currency: nil)
        reader.finish()
        try problems.throwIfAny()
    }

    public var document: JSONValue {
        .object(
            [
                JSONMember(name: "key", value: .string(key.text)),
                JSONMember(name: "name", value: .string(name)),
                JSONMember(name: "source", value: .string(source.text)),
                JSONMember(name: "redirect", value: .string(redirect.rawValue)),
                JSONMember(name: "cost", value: cost.document),
                JSONMember(name: "destinations", value: .array(destinations.map(\.document))),
                JSONMember(name: "flow", value: flow.document),
            ] + limits.members)
    }
}

/// Where a campaign's visitors go: weighted paths of weighted offers.
public struct Flow: Hashable, Sendable {
    public let paths: [Path]

    public struct Path: Hashable, Sendable {
        public let weight: Int
        public let offers: [WeightedOffer]
    }

    public struct WeightedOffer: Hashable, Sendable {
        public let offer: EntityKey
        public let weight: Int
    }

    public static let weightMax: Int64 = 1_000_000
    static let pathsMax = 100

    init(_ campaign: inout DocumentReader) {
        guard var reader = campaign.reader("flow") else {
            campaign.fail("flow", "is required")
            paths = []
            return
        }
        if !reader.array("rules", max: Self.pathsMax).isEmpty {
            reader.fail("rules", "are not supported yet: leave the list empty")
        }
        var paths: [Path] = []
        for (index, item) in reader.array("paths", max: Self.pathsMax).enumerated() {
            var path = DocumentReader(
                item, path: reader.field("paths[\(index)]"), problems: reader.problems)
            paths.append(Self.path(&path))
        }
        if !paths.contains(where: { $0.weight > 0 }) {
            reader.fail("paths", "must have at least one path with a weight above 0")
        }
        reader.finish()
        self.paths = paths
    }

    private static func path(_ reader: inout DocumentReader) -> Path {
        let weight = Int(reader.integer("weight", in: 0...weightMax, default: 100))
        if !reader.array("landers", max: pathsMax).isEmpty {
            reader.fail("landers", "are not supported yet: leave the list empty")
        }
        var offers: [WeightedOffer] = []
        for (index, item) in reader.array("offers", max: pathsMax).enumerated() {
            var offer = DocumentReader(
                item, path: reader.field("offers[\(index)]"), problems: reader.problems)
            offers.append(
                WeightedOffer(
                    offer: offer.requiredKey("offer"),
                    weight: Int(offer.integer("weight", in: 0...weightMax, default: 100))))
            offer.finish()
        }
        if !offers.contains(where: { $0.weight > 0 }) {
            reader.fail("offers", "must have at least one offer with a weight above 0")
        }
        reader.finish()
        return Path(weight: weight, offers: offers)
    }

    var document: JSONValue {
        [
            "rules": [],
            "paths": .array(
                paths.map { path in
                    [
                        "weight": .integer(path.weight),
                        "landers": [],
                        "offers": .array(
                            path.offers.map {
                                [
                                    "offer": .string($0.offer.text),
                                    "weight": .integer($0.weight),
                                ]
                            }),
                    ]
                }),
        ]
    }
}
