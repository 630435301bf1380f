/// The optional page before an offer.
public struct Lander: Entity, Hashable {
    public static let kind = "lander"

    public let key: EntityKey
    public let name: String
    public let url: URLTemplate

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        let url = reader.visitorURL("url", isRequired: true)
        reader.finish()
        try problems.throwIfAny()
        guard let url else { throw ValidationError("url", "is required") }
        self.url = url
    }

    public var document: JSONValue {
        ["key": .string(key.text), "name": .string(name), "url": .string(url.text)]
    }
}

extension DocumentReader {
    /// An address that visitors are sent to: its tokens have values before there is a conversion.
    mutating func visitorURL(_ name: String, isRequired: Bool) -> URLTemplate? {
        let text =
            isRequired
            ? requiredString(name, max: URLTemplate.lengthMax)
            : string(name, max: URLTemplate.lengthMax) ?? ""
        guard !text.isEmpty else { return nil }
        do throws(TemplateError) {
            let url = try URLTemplate(text)
            if let use = url.tokens.first(where: \.token.needsConversion) {
                fail(name, "{\(use.token.spelling)} has no value before there is a conversion")
            }
            return url
        } catch {
            fail(name, error.message)
            return nil
        }
    }
}

/// The wording of a lander's URL at some time; clicks point at it, as at an `OfferVersion`.
public struct LanderVersion: Sendable, Hashable {
    public let id: Int64
    public let landerID: LanderID
    public let url: String

    public init(id: Int64, landerID: LanderID, url: String) {
        self.id = id
        self.landerID = landerID
        self.url = url
    }
}
