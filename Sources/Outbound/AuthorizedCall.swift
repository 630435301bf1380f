internal import Domain
internal import HTTP

/// A call that needs an access token: gets one and calls; where the receiver doesn't take it, gets
/// another and calls again, once. Confined to the client's loop.
// Unchecked because of that confinement; it only crosses threads as a reference inside completions,
// which run on that loop.
final class AuthorizedCall: @unchecked Sendable {
    /// Makes the call with these header fields.
    typealias Send =
        (
            _ fields: [(name: String, value: String)],
            _ done: @escaping (Result<ClientResponse, ClientError>) -> Void
        ) throws(Unsendable) -> ClientCall

    private let credential: OAuthCredential
    private let tokens: AccessTokens
    private let loop: LoopHandle
    private let isWanted: () -> Bool
    private let send: Send
    /// Nil once it was called.
    private var done: ((CallEnd) -> Void)?
    private var call: ClientCall?
    private var hasCalledAgain = false

    /// - Parameters:
    ///   - isWanted: asked before each call.
    ///   - done: called once, on the loop, after `start` has returned.
    init(
        _ credential: OAuthCredential, _ tokens: AccessTokens, _ loop: LoopHandle,
        isWanted: @escaping () -> Bool, send: @escaping Send, done: @escaping (CallEnd) -> Void
    ) {
        self.credential = credential
        self.tokens = tokens
        self.loop = loop
        self.isWanted = isWanted
        self.send = send
        self.done = done
    }

    func start() {
        tokens.token(of: credential) { [self] result in
            switch result {
            case .success(let token): call(with: token)
            case .failure(let failure): end(failure.end)
            }
        }
    }

    /// Ends it as `.cancelled`.
    func cancel() {
        let call = call
        self.call = nil
        end(.failed(.cancelled))
        call?.cancel()
    }

    private func call(with token: String) {
        guard done != nil else { return }
        guard isWanted() else { return end(.failed(.cancelled)) }
        do throws(Unsendable) {
            call = try send([("Authorization", "Bearer \(token)")]) { [self] result in
                call = nil
                ended(result, token)
            }
        } catch {
            end(.unsendable(error.reason))
        }
    }

    private func ended(_ result: Result<ClientResponse, ClientError>, _ token: String) {
        switch result {
        case .success(let response):
            if response.status == 401, !hasCalledAgain, done != nil,
                tokens.refuse(token, of: credential)
            {
                hasCalledAgain = true
                start()
            } else {
                end(.answered(response))
            }
        case .failure(let error): end(.failed(error))
        }
    }

    /// Posted: a failure that is known already comes while `start` runs.
    private func end(_ end: CallEnd) {
        guard let done else { return }
        self.done = nil
        let carried = Unchecked(done)
        loop.post { carried.value(end) }
    }
}
