/// Headers whose values prove a call to be somebody's.
public enum SecretHeader {
    private static let exact: Set<String> = ["authorization", "proxy-authorization", "cookie"]
    private static let words = ["token", "secret", "password", "api-key", "apikey", "auth-key"]

    /// By its name: `X-Api-Key`.
    public static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return exact.contains(name) || words.contains(where: name.contains)
    }

    /// A value as it's shown: without the proof, but with the scheme before it (`Bearer …`), and as
    /// it is where it holds no more than an account value's name.
    public static func shown(_ name: String, _ value: String) -> String {
        guard isSecret(name) else { return value }
        let scheme = value.prefix { $0 != " " }
        let proof = value.dropFirst(scheme.count)
        let isNamed = { (text: Substring) in
            text.hasPrefix("<") && text.hasSuffix(">")
                && AccountPlaceholder.names(in: String(text)).count == 1
        }
        if isNamed(value[...]) || isNamed(proof.dropFirst()) { return value }
        return proof.isEmpty ? SecretMask.text : "\(scheme) \(SecretMask.text)"
    }
}
