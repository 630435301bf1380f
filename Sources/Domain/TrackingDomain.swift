/// A host that visitors are served at. While there is none, every host is served; from the first
/// one on, campaign URLs of other hosts answer 404.
public struct TrackingDomain: Entity, Hashable {
    public static let kind = "domain"

    public let key: EntityKey
    public let name: String
    public let host: HostName
    /// Takes those who open the domain without a path.
    public let campaign: EntityKey?
    /// Takes the visitors whom no campaign does.
    public let fallbackURL: URLTemplate?

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        reader.ignore("url")
        key = reader.requiredKey("key")
        let text = reader.requiredString("host", max: 300)
        let host = HostName(text)
        if host == nil, !reader.hasFailed("host") { reader.fail("host", HostName.rule) }
        name = reader.string("name") ?? text
        campaign = reader.key("campaign")
        fallbackURL = reader.visitorURL("fallback_url", isRequired: false)
        reader.finish()
        try problems.throwIfAny()
        guard let host else { throw ValidationError("host", HostName.rule) }
        self.host = host
    }

    public var document: JSONValue {
        [
            "key": .string(key.text), "name": .string(name), "host": .string(host.text),
            "campaign": .string(orNull: campaign?.text),
            "fallback_url": .string(orNull: fallbackURL?.text),
        ]
    }

    /// The key of a document that has none: its host, with `-` for what a key can't hold.
    public static func defaultKey(_ document: JSONValue) -> String? {
        guard let host = document["host"]?.stringValue.flatMap({ HostName($0) }) else { return nil }
        let text = String(host.text.map { $0 == "." ? "-" : $0 })
        return EntityKey(text)?.text
    }
}
