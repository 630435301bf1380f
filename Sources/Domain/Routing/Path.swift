/// One way through a flow: weighted landers, or none, and weighted offers behind them.
public struct Path: Hashable, Sendable {
    public let name: String?
    public let weight: Int
    public let isEnabled: Bool
    public let landers: [WeightedLander]
    public let offers: [WeightedOffer]
    /// Nil: it takes as many as come.
    public let trafficCaps: TrafficCaps?

    public struct WeightedLander: Hashable, Sendable {
        public let lander: EntityKey
        public let weight: Int
    }

    public struct WeightedOffer: Hashable, Sendable {
        public let offer: EntityKey
        public let weight: Int
    }

    public static let weightMax: Int64 = 1_000_000
    static let itemsMax = 100

    /// Whether a visitor can be sent this way.
    var isUsable: Bool { isEnabled && weight > 0 && offers.contains { $0.weight > 0 } }

    init(_ reader: inout DocumentReader) {
        name = reader.string("name")
        weight = Int(reader.integer("weight", in: 0...Self.weightMax, default: 100))
        isEnabled = reader.bool("enabled", default: true)
        landers = reader.list("landers", max: Self.itemsMax) { item in
            WeightedLander(
                lander: item.requiredKey("lander"),
                weight: Int(item.integer("weight", in: 0...Self.weightMax, default: 100)))
        }
        offers = reader.list("offers", max: Self.itemsMax) { item in
            WeightedOffer(
                offer: item.requiredKey("offer"),
                weight: Int(item.integer("weight", in: 0...Self.weightMax, default: 100)))
        }
        trafficCaps = TrafficCaps(&reader)
        if trafficCaps != nil, name == nil {
            reader.fail(
                "name", "is required beside traffic_caps: by it the path's visitors are counted")
        }
        if !offers.contains(where: { $0.weight > 0 }) {
            reader.fail("offers", "must have at least one offer with a weight above 0")
        }
        if !landers.isEmpty, !landers.contains(where: { $0.weight > 0 }) {
            reader.fail("landers", "must have at least one lander with a weight above 0, or none")
        }
    }

    var document: JSONValue {
        [
            "name": .string(orNull: name), "weight": .integer(weight),
            "enabled": .bool(isEnabled),
            "landers": .array(
                landers.map {
                    ["lander": .string($0.lander.text), "weight": .integer($0.weight)]
                }),
            "offers": .array(
                offers.map { ["offer": .string($0.offer.text), "weight": .integer($0.weight)] }),
            "traffic_caps": trafficCaps?.document ?? .null,
        ]
    }
}

extension DocumentReader {
    /// The objects of an array, each read with its place as its path.
    mutating func list<Item>(
        _ name: String, max: Int, _ read: (inout DocumentReader) -> Item
    ) -> [Item] {
        var items: [Item] = []
        for (index, value) in array(name, max: max).enumerated() {
            var reader = DocumentReader(
                value, path: field("\(name)[\(index)]"), problems: problems)
            items.append(read(&reader))
            reader.finish()
        }
        return items
    }
}
