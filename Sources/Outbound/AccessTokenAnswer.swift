internal import Domain

/// What a token endpoint answers to a refresh (RFC 6749 sections 5.1 and 5.2).
struct AccessTokenAnswer: Equatable {
    let token: String
    let lifeSeconds: Int

    /// Where the endpoint doesn't say how long a token is good.
    static let lifeSecondsDefault = 300
    static let lifeSecondsMax = 86_400
    private static let tokenBytesMax = 8192

    /// Why there is no token, as the end of a sentence about the endpoint.
    struct Refusal: Error, Equatable {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// - Parameter secrets: what the endpoint was told, and may say back.
    init(status: Int, reason: String, body: [UInt8], secrets: [String] = []) throws(Refusal) {
        // What is no JSON has neither a token nor an error's name.
        let document = (try? JSONValue(parsing: body, allowsDuplicates: true)) ?? .null
        guard (200...299).contains(status) else {
            throw Self.refusal(status, document, reason) { Self.printable($0, without: secrets) }
        }
        guard let token = document["access_token"]?.stringValue, !token.isEmpty else {
            throw Refusal("answered \(status) without an access_token")
        }
        // RFC 6750 section 2.1; what isn't so could end the header.
        guard token.utf8.count <= Self.tokenBytesMax, token.utf8.allSatisfy({ 33...126 ~= $0 })
        else { throw Refusal("answered with an access_token that can't stand in a header") }
        if let type = document["token_type"]?.stringValue, type.lowercased() != "bearer" {
            throw Refusal(
                "answered with a token of type \(Self.printable(type, without: secrets)), not Bearer"
            )
        }
        self.token = token
        lifeSeconds = Self.lifeSeconds(document["expires_in"])
    }

    /// Some endpoints write the number as a text.
    private static func lifeSeconds(_ value: JSONValue?) -> Int {
        guard let text = value?.numberText ?? value?.stringValue, let seconds = Double(text),
            seconds.isFinite
        else { return lifeSecondsDefault }
        return Int(min(max(seconds, 0), Double(lifeSecondsMax)))
    }

    private static func refusal(
        _ status: Int, _ document: JSONValue, _ reason: String, _ printable: (String) -> String
    ) -> Refusal {
        guard let error = document["error"]?.stringValue else {
            let words = printable(reason)
            return Refusal("answered \(status)" + (words.isEmpty ? "" : " \(words)"))
        }
        var text = "answered \(status) \(printable(error))"
        if let description = document["error_description"]?.stringValue {
            text += " (\(printable(description)))"
        }
        return Refusal(text + (advice(error).map { ": \($0)" } ?? ""))
    }

    /// What the operator has to do, by the errors of RFC 6749 section 5.2.
    private static func advice(_ error: String) -> String? {
        switch error {
        case "invalid_grant":
            "the refresh token is expired, withdrawn or another client's; make a new one and set "
                + "it in the destination's oauth.refresh_token, or in the source's account"
        case "invalid_client", "unauthorized_client":
            "check the destination's oauth.client_id and oauth.client_secret"
        case "invalid_scope":
            "check the destination's oauth.scopes"
        default: nil
        }
    }

    /// Other people's text, cut and without anything a terminal would act on.
    private static func printable(_ text: String, without secrets: [String]) -> String {
        let shown = secrets.reduce(text) { SecretMask.masking($1, in: $0) }
        return String(
            decoding: shown.utf8.prefix(200).map { (0x20..<0x7f).contains($0) ? $0 : 0x3f },
            as: UTF8.self)
    }
}
