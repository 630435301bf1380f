internal import Domain

/// The shapes that the description names.
enum OpenAPISchemas {
    static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(name)")]
    }

    /// - Parameter name: of a schema; `[Name]`: a page of such.
    static func named(_ name: String) -> JSONValue {
        guard name.hasPrefix("[") else { return reference(name) }
        return [
            "type": "object", "required": ["items", "next_cursor"],
            "properties": [
                "items": [
                    "type": "array", "items": reference(String(name.dropFirst().dropLast())),
                ],
                "next_cursor": ["type": ["string", "null"]],
            ],
        ]
    }

    static let all: [JSONMember] =
        [
            entity("Source", Source.self, required: ["key"], EntitySamples.source),
            entity("Network", Network.self, required: ["key"], EntitySamples.network),
            entity("Offer", Offer.self, required: ["key", "network", "url"], EntitySamples.offer),
            entity("Lander", Lander.self, required: ["key", "url"], EntitySamples.lander),
            entity("Flow", SharedFlow.self, required: ["key", "paths"], EntitySamples.flow),
            entity(
                "Campaign", Campaign.self, required: ["key", "source", "flow"],
                EntitySamples.campaign),
            entity("Domain", TrackingDomain.self, required: ["host"], EntitySamples.domain),
        ]
        + RecordSamples.all.map { name, sample in
            JSONMember(name: name, value: described(sample, by: sample))
        } + [
            JSONMember(name: "Object", value: ["type": ["object", "array"]])
        ]

    /// What an entity shows of a sample that says everything it can, in place of what it shows of
    /// one that says nothing: a member that is null there may be null.
    private static func entity<Value: ManagedEntity>(
        _ name: String, _: Value.Type, required: [String], _ samples: EntitySamples
    ) -> JSONMember {
        let full: Value
        let bare: Value
        do {
            full = try Value(document: samples.full)
            bare = try Value(document: samples.bare)
        } catch {
            preconditionFailure("a sample of a \(Value.kind) is not valid: \(error)")
        }
        let example = full.shownDocument(revealing: [])
        guard
            case .object(var members) = described(
                example, by: bare.shownDocument(revealing: []))
        else { preconditionFailure("a \(Value.kind) is no object") }
        members.append(
            JSONMember(name: "required", value: .array(required.map { .string($0) })))
        members.append(JSONMember(name: "examples", value: [example]))
        return JSONMember(name: name, value: .object(members))
    }

    /// Objects whose members are the user's own names.
    private static let maps: Set<String> = [
        "headers", "params", "status_map", "parameters", "account", "vars", "when",
    ]

    /// The schema of a value: of its type, and of null too where `bare` has null or nothing.
    static func described(_ value: JSONValue, by bare: JSONValue?, name: String = "") -> JSONValue {
        let mayBeNull = bare == nil || bare == .null
        func type(_ name: String) -> JSONValue {
            mayBeNull ? [.string(name), "null"] : .string(name)
        }
        switch value {
        case .null: return [:]
        case .bool: return ["type": type("boolean")]
        case .number: return ["type": type(value.int64Value == nil ? "number" : "integer")]
        case .string: return ["type": type("string")]
        case .array(let items):
            guard let first = items.first else { return ["type": type("array")] }
            return ["type": type("array"), "items": described(first, by: first)]
        case .object(let members):
            if maps.contains(name) {
                return ["type": type("object"), "additionalProperties": true]
            }
            return [
                "type": type("object"),
                "properties": .object(
                    members.map { member in
                        // Within what may be missing as a whole, nothing is known to be.
                        let bare = mayBeNull ? member.value : bare?[member.name]
                        return JSONMember(
                            name: member.name,
                            value: described(member.value, by: bare, name: member.name))
                    }),
            ]
        }
    }
}
