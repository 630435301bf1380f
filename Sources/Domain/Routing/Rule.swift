/// Paths for the visitors that a condition picks out.
public struct Rule: Hashable, Sendable {
    public let name: String?
    public let isEnabled: Bool
    public let when: Condition
    /// Nil: always in force.
    public let schedule: Schedule?
    public let paths: [Path]

    init(_ reader: inout DocumentReader) {
        name = reader.string("name")
        isEnabled = reader.bool("enabled", default: true)
        if let condition = reader.value("when") {
            when = Condition(
                condition, field: reader.field("when"), problems: reader.problems)
        } else {
            when = .always
        }
        if var schedule = reader.reader("schedule") {
            self.schedule = Schedule(&schedule)
        } else {
            schedule = nil
        }
        paths = reader.list("paths", max: Path.itemsMax) { Path(&$0) }
        if !paths.contains(where: { $0.weight > 0 }) {
            reader.fail("paths", "must have at least one path with a weight above 0")
        }
    }

    var document: JSONValue {
        [
            "name": .string(orNull: name), "enabled": .bool(isEnabled),
            "when": when.document, "schedule": schedule?.document ?? .null,
            "paths": .array(paths.map(\.document)),
        ]
    }
}
