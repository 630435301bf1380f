/// What a destination's account gave us to get access tokens with, again and again (RFC 6749
/// section 6).
public struct OAuthCredential: Hashable, Sendable {
    /// Such as `https://oauth2.googleapis.com/token`.
    public let tokenURL: String
    public let clientID: String
    public let clientSecret: String
    public let refreshToken: String
    /// Empty: those that the refresh token was given for.
    public let scopes: [String]
    /// As the destination's `allow_private`.
    public let allowsPrivate: Bool

    static let name = "oauth"
    /// The members that are shown masked.
    static let secretNames = ["client_secret", "refresh_token"]
    private static let textMax = 4096
    private static let scopesMax = 20

    public init(
        tokenURL: String, clientID: String, clientSecret: String, refreshToken: String,
        scopes: [String], allowsPrivate: Bool
    ) {
        self.tokenURL = tokenURL
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.refreshToken = refreshToken
        self.scopes = scopes
        self.allowsPrivate = allowsPrivate
    }

    /// - Parameter mayBeUnfinished: values may hold `<UPPER_CASE>`; nothing is sent with them.
    init(_ reader: inout DocumentReader, allowsPrivate: Bool, mayBeUnfinished: Bool) {
        tokenURL = Self.tokenURL(&reader, allowsPrivate, mayBeUnfinished)
        clientID = Self.printable(&reader, "client_id")
        clientSecret = Self.printable(&reader, "client_secret")
        refreshToken = Self.printable(&reader, "refresh_token")
        scopes = reader.strings("scopes", max: Self.scopesMax)
        // RFC 6749 section 3.3: they are sent with spaces between them.
        for (index, scope) in scopes.enumerated() where !scope.utf8.allSatisfy({ 33...126 ~= $0 }) {
            reader.fail("scopes[\(index)]", "must be one scope, of printable ASCII without spaces")
        }
        self.allowsPrivate = allowsPrivate
        reader.finish()
    }

    private static func tokenURL(
        _ reader: inout DocumentReader, _ allowsPrivate: Bool, _ mayBeUnfinished: Bool
    ) -> String {
        let text = reader.requiredString("token_url", max: 2048)
        guard !text.isEmpty else { return text }
        do throws(TemplateError) {
            let url = try URLTemplate(text, mayBeUnfinished: mayBeUnfinished)
            if !url.tokens.isEmpty { reader.fail("token_url", "can't have tokens") }
            // Whoever reads this call can make the account's calls from then on.
            if !url.origin.hasPrefix("https:"), !allowsPrivate {
                reader.fail("token_url", "must begin with https://: account secrets are sent there")
            }
        } catch {
            reader.fail("token_url", error.message)
        }
        return text
    }

    /// RFC 6749 appendix A: visible characters and spaces.
    private static func printable(_ reader: inout DocumentReader, _ name: String) -> String {
        let text = reader.requiredString(name, max: textMax)
        if text == SecretMask.text {
            reader.fail(name, SecretMask.complaint)
        } else if !text.utf8.allSatisfy({ 32...126 ~= $0 }) {
            reader.fail(name, "must be printable ASCII characters")
        }
        return text
    }

    /// With the secrets: as it's kept.
    var document: JSONValue {
        [
            "token_url": .string(tokenURL), "client_id": .string(clientID),
            "client_secret": .string(clientSecret), "refresh_token": .string(refreshToken),
            "scopes": .array(scopes.map { .string($0) }),
        ]
    }
}
