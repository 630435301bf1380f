internal import Domain
internal import HTTP

/// Access tokens of credentials, fetched when they are needed and kept in memory only.
///
/// However many calls wait for a credential's token, it's asked for once at a time; and where that
/// fails, not again for some seconds. Confined to the client's loop.
// Unchecked because of that confinement; it only crosses threads as a reference inside completions,
// which run on that loop.
final class AccessTokens: @unchecked Sendable {
    /// How calls end that wait for a token in vain.
    struct Failure: Error {
        let end: CallEnd

        fileprivate init(_ error: ClientError) { end = .failed(error) }

        fileprivate init(_ problem: String, isFailing: Bool) {
            end = .unauthorized("no access token: \(problem)", isFailing: isFailing)
        }
    }
    typealias Answer = (Result<String, Failure>) -> Void

    /// Credentials in memory. Beyond it those without a call under way are forgotten.
    static let credentialsMax = 1000
    /// A token is used until this long before its end, or a tenth of its life if that's shorter.
    static let marginSecondsMax = 60
    /// After a failure nobody asks again for so long.
    static let pauseSeconds: UInt64 = 5
    /// After a token was refused and another one fetched, that one is not given up for so long: what
    /// is wrong is then something else, and every call would ask for one more.
    static let trustSeconds: UInt64 = 10

    private struct Entry {
        var token: String?
        var trustedUntilNanos: UInt64 = 0
        var goodUntilNanos: UInt64 = 0
        var failure: Failure?
        var failedUntilNanos: UInt64 = 0
        /// Nil while nobody asks.
        var waiting: [Answer]?
    }

    private let settings: Dispatcher.Settings
    private let loop: LoopHandle
    private let client: Client
    private let gate: AddressGate
    private let judge: AttemptJudge
    private var entries: [OAuthCredential: Entry] = [:]

    init(settings: Dispatcher.Settings, loop: LoopHandle, client: Client, gate: AddressGate) {
        self.settings = settings
        self.loop = loop
        self.client = client
        self.gate = gate
        judge = AttemptJudge(settings: settings)
    }

    /// Gives a token that is good as far as we know: at once, or when it has come.
    func token(of credential: OAuthCredential, _ answer: @escaping Answer) {
        let now = loop.nowNanos
        var entry = entries[credential] ?? Entry()
        if let token = entry.token, now < entry.goodUntilNanos { return answer(.success(token)) }
        if let failure = entry.failure, now < entry.failedUntilNanos {
            return answer(.failure(failure))
        }
        if entry.waiting != nil {
            // Bounded by the calls in flight.
            entry.waiting?.append(answer)
            entries[credential] = entry
            return
        }
        makeRoom()
        entry.waiting = [answer]
        entries[credential] = entry
        refresh(credential)
    }

    /// The receiver doesn't take this token.
    ///
    /// - Returns: whether another one may be better.
    func refuse(_ token: String, of credential: OAuthCredential) -> Bool {
        guard var entry = entries[credential], entry.token == token else { return true }
        let now = loop.nowNanos
        guard now >= entry.trustedUntilNanos else { return false }
        entry.token = nil
        entry.trustedUntilNanos = now + Self.trustSeconds * 1_000_000_000
        entries[credential] = entry
        return true
    }

    private func makeRoom() {
        guard entries.count >= Self.credentialsMax else { return }
        entries = entries.filter { $0.value.waiting != nil }
    }

    private func refresh(_ credential: OAuthCredential) {
        let request: ClientRequest
        do {
            request = try Self.request(credential, settings)
        } catch {
            // Not before whoever asks has been answered.
            loop.post { [self] in
                finish(credential, .failure(Failure(error.reason, isFailing: false)))
            }
            return
        }
        let check = credential.allowsPrivate ? gate.open : gate.strict
        client.send(request, addressCheck: check) { [self] result in
            finish(credential, read(result, credential))
        }
    }

    private func finish(
        _ credential: OAuthCredential, _ result: Result<AccessTokenAnswer, Failure>
    ) {
        guard var entry = entries[credential] else { return }
        let now = loop.nowNanos
        let waiting = entry.waiting ?? []
        entry.waiting = nil
        switch result {
        case .success(let answer):
            let margin = min(Self.marginSecondsMax, answer.lifeSeconds / 10)
            entry.token = answer.token
            entry.goodUntilNanos = now + UInt64(answer.lifeSeconds - margin) * 1_000_000_000
            entry.failure = nil
        case .failure(let failure):
            // What failed for want of something of ours tells nothing of the endpoint.
            if case .unauthorized = failure.end {
                entry.failure = failure
                entry.failedUntilNanos = now + Self.pauseSeconds * 1_000_000_000
            }
        }
        entries[credential] = entry
        for answer in waiting { answer(result.map(\.token)) }
    }

    private func read(
        _ result: Result<ClientResponse, ClientError>, _ credential: OAuthCredential
    ) -> Result<AccessTokenAnswer, Failure> {
        let problem: String
        let isFailing: Bool
        switch result {
        case .failure(let error):
            if error.isNoAttempt { return .failure(Failure(error)) }
            problem = judge.text(of: error)
            isFailing = judge.health(of: error) != .unknown
        case .success(let response):
            isFailing = AttemptJudge.isFailing(response.status)
            do throws(AccessTokenAnswer.Refusal) {
                return .success(
                    try AccessTokenAnswer(
                        status: response.status, reason: response.reason, body: response.body,
                        secrets: [credential.refreshToken, credential.clientSecret]))
            } catch {
                problem = error.text
            }
        }
        let host = credential.tokenURL.split(separator: "/").dropFirst().first ?? ""
        return .failure(Failure("\(host): \(problem)", isFailing: isFailing))
    }

    private static func request(_ credential: OAuthCredential, _ settings: Dispatcher.Settings)
        throws(Unsendable) -> ClientRequest
    {
        var parameters = [
            ("grant_type", "refresh_token"), ("refresh_token", credential.refreshToken),
            ("client_id", credential.clientID), ("client_secret", credential.clientSecret),
        ]
        if !credential.scopes.isEmpty {
            parameters.append(("scope", credential.scopes.joined(separator: " ")))
        }
        let form = parameters.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }
            .joined(separator: "&")
        var options = ClientRequest.Options()
        options.timeoutMilliseconds = settings.timeoutMilliseconds
        options.connectTimeoutMilliseconds = settings.connectTimeoutMilliseconds
        // Once an hour: a kept connection would be closed by then.
        options.usesOwnConnection = true
        do {
            return try ClientRequest(
                "POST", URL(credential.tokenURL),
                headers: [
                    ("Content-Type", "application/x-www-form-urlencoded"),
                    ("Accept", "application/json"), ("User-Agent", settings.userAgent),
                ], body: Array(form.utf8), options: options)
        } catch let error as URLError {
            throw Unsendable("the token_url \(error.text)")
        } catch let error as ClientRequestError {
            throw Unsendable(error.text)
        } catch {
            throw Unsendable("\(error)")
        }
    }
}
