/// An entry URL with its source, cost and flow.
public struct Campaign: Entity, Equatable {
    public static let kind = "campaign"

    public let key: EntityKey
    public let name: String
    public let source: EntityKey
    public let redirect: RedirectMode
    /// What `double_meta` sends is always `no-referrer`.
    public let referrerPolicy: ReferrerPolicy
    public let passedParameters: PassedParameters
    public let cost: Cost
    /// Beside the source's own.
    public let destinations: [Destination]
    public let flow: FlowReference
    /// Takes the visitors that no path of the flow does.
    public let fallbackURL: URLTemplate?
    public let limits: ConversionLimits
    /// How many visitors its paths take; nil: as many as come.
    public let trafficCaps: TrafficCaps?
    /// How visitors that come again are known; nil: `Uniqueness.standard`, where a rule or the
    /// rotation asks for it.
    public let uniqueness: Uniqueness?
    public let rotation: Rotation

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        reader.ignore("url", "url_with_tokens")
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        source = reader.requiredKey("source")
        redirect = reader.choice("redirect", default: .found)
        referrerPolicy = reader.choice("referrer_policy", default: .strictOriginWhenCrossOrigin)
        passedParameters = PassedParameters(&reader)
        cost = Cost(&reader)
        destinations = Destination.list(&reader)
        fallbackURL = reader.visitorURL("fallback_url", isRequired: false)
        flow = FlowReference(&reader, mayHaveNoPath: fallbackURL != nil)
        limits = ConversionLimits(&reader, currency: nil)
        trafficCaps = TrafficCaps(&reader)
        uniqueness = Uniqueness(campaign: &reader)
        rotation = reader.choice("rotation", default: .random)
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
                JSONMember(name: "referrer_policy", value: .string(referrerPolicy.rawValue)),
                JSONMember(name: "pass_params", value: passedParameters.document),
                JSONMember(name: "cost", value: cost.document),
                JSONMember(name: "destinations", value: .array(destinations.map(\.document))),
                JSONMember(name: "flow", value: flow.document),
                JSONMember(name: "fallback_url", value: .string(orNull: fallbackURL?.text)),
                JSONMember(name: "uniqueness", value: uniqueness?.document ?? .null),
                JSONMember(name: "rotation", value: .string(rotation.rawValue)),
            ] + limits.members + [TrafficCaps.member(trafficCaps)])
    }

    /// What decides about its visitors; a change of it is a new `FlowVersion`.
    public func decisionDocument(_ flow: Flow) -> JSONValue {
        [
            "flow": flow.document, "fallback_url": .string(orNull: fallbackURL?.text),
            "redirect": .string(redirect.rawValue),
            "referrer_policy": .string(referrerPolicy.rawValue),
            "pass_params": passedParameters.document,
            "uniqueness": uniqueness?.document ?? .null, "rotation": .string(rotation.rawValue),
        ]
    }
}
