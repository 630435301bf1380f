/// Headers whose values prove a call to be somebody's.
public enum SecretHeader {
    private static let exact: Set<String> = ["authorization", "proxy-authorization", "cookie"]
    private static let words = [
        "token", "secret", "password", "credential", "api-key", "api_key", "apikey", "auth-key",
        "access-key", "accesskey", "app-key", "appkey", "subscription-key", "x-auth", "x-key",
    ]

    /// By its name: `X-Api-Key`.
    public static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return exact.contains(name) || words.contains(where: name.contains)
    }

    /// A value as it's shown: without the proof, but with the scheme before it (`Bearer …`), and as
    /// it is where it holds no more than an account value's name.
    public static func shown(_ name: String, _ value: String) -> String {
        guard isSecret(name) else { return value }
        let (scheme, proof) = parts(name, value)
        let isNamed = { (text: Substring) in
            text.hasPrefix("<") && text.hasSuffix(">")
                && AccountPlaceholder.names(in: String(text)).count == 1
        }
        if isNamed(proof) { return value }
        return scheme.map { "\($0) \(SecretMask.text)" } ?? SecretMask.text
    }

    /// What of a value is the proof; of cookies each one's.
    public static func proofs(_ name: String, _ value: String) -> [String] {
        guard isSecret(name) else { return [] }
        guard isCookie(name) else { return [String(parts(name, value).proof)] }
        return value.split(separator: ";").map { pair in
            String(pair.split(separator: "=", maxSplits: 1).last ?? "").trimmed
        }
    }

    /// A scheme is a token (RFC 9110 section 11.1). What stands before the first space of cookies is
    /// one of them.
    private static func parts(_ name: String, _ value: String)
        -> (scheme: Substring?, proof: Substring)
    {
        guard !isCookie(name), let space = value.firstIndex(of: " "),
            HeaderName.isToken(String(value[..<space]))
        else { return (nil, value[...]) }
        return (value[..<space], value[space...].dropFirst())
    }

    private static func isCookie(_ name: String) -> Bool { name.lowercased() == "cookie" }
}
