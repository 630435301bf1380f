/// Finds, of many layers, those that are about a click: a source that is billed by the zone has one
/// for each of its zones.
public struct CostLayerIndex: Sendable {
    private let layers: [CostLayer]
    /// Those without a filter.
    private let general: [Int]
    /// The others, by the values of their first test.
    private let byField: [(field: CostFilter.Field, places: [[UInt8]: [Int]])]

    /// - Parameter layers: told by their places in it.
    public init(_ layers: [CostLayer]) {
        self.layers = layers
        var byField: [(field: CostFilter.Field, places: [[UInt8]: [Int]])] = []
        for (place, layer) in layers.enumerated() {
            guard let first = layer.filter.tests.first else { continue }
            let index =
                byField.firstIndex { $0.field == first.field }
                ?? {
                    byField.append((first.field, [:]))
                    return byField.count - 1
                }()
            for value in first.values { byField[index].places[value, default: []].append(place) }
        }
        general = layers.indices.filter { layers[$0].filter.isAll }
        self.byField = byField
    }

    /// No click has to be looked at by itself.
    public var isGeneral: Bool { byField.isEmpty }

    /// The places of the layers that are about a click, ascending.
    /// - Parameter value: what the click has in a field; nil or empty for none.
    public func places(at quarter: QuarterHour, _ value: (CostFilter.Field) -> [UInt8]?) -> [Int] {
        var places = general
        for (field, known) in byField { places += known[value(field) ?? []] ?? [] }
        places.removeAll { place in
            let layer = layers[place]
            return !layer.covers(quarter)
                || !layer.filter.tests.dropFirst().allSatisfy {
                    $0.values.contains(value($0.field) ?? [])
                }
        }
        places.sort()
        return places
    }
}
