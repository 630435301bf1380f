internal import Domain
internal import HTTP
internal import Net

/// The API of a running server: over the network with a token, or over its control socket, whose
/// file mode is the permission.
struct HTTPTransport: APITransport {
    private let endpoint: ClientRequest.Endpoint
    private let host: String
    /// What stands before `/api/v1` when a proxy serves us below a path of its own.
    private let prefix: String
    private let headers: [(String, String)]
    private let tls: TLSContext?
    /// For messages.
    private let name: String

    /// A server elsewhere.
    init(server: URL, token: String?) throws(CommandFailure) {
        endpoint = .tcp(host: server.host, port: server.port, tls: server.scheme == .https)
        host = server.authority
        guard !server.target.contains("?") else {
            throw .usage("SERVER must not have a query: \(server.text)")
        }
        prefix = server.target.hasSuffix("/") ? String(server.target.dropLast()) : server.target
        headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        name = server.text
        do {
            tls = server.scheme == .https ? try TLSContext.client() : nil
        } catch {
            throw CommandFailure(.failed, "TLS can't be used: \(error.text)")
        }
    }

    /// The server of a data directory.
    init(controlSocket path: String) {
        endpoint = .unix(path: path)
        host = "localhost"
        prefix = ""
        headers = []
        tls = nil
        name = path
    }

    func call(_ method: String, _ path: String, body: JSONValue?) throws(CommandFailure)
        -> APIAnswer
    {
        let response = try response(method, path, body)
        if response.body.isEmpty { return APIAnswer(status: response.status, body: .null) }
        do {
            let json = try JSONValue(parsing: response.body)
            return APIAnswer(status: response.status, body: json)
        } catch {
            // A proxy's error page, or something else that listens there.
            throw CommandFailure(
                API.exitCode(response.status) == .tryAgain ? .tryAgain : .failed,
                "\(name) answered \(response.status) with something that is not JSON: "
                    + Printable.text(String(decoding: response.body.prefix(200), as: UTF8.self)))
        }
    }

    /// The status and the body of an answer that need not be JSON.
    func text(_ method: String, _ path: String) throws(CommandFailure) -> (Int, String) {
        let response = try response(method, path, nil)
        return (response.status, String(decoding: response.body.prefix(1_000), as: UTF8.self))
    }

    private func response(
        _ method: String, _ path: String, _ body: JSONValue?
    ) throws(CommandFailure) -> ClientResponse {
        switch Client.perform(try request(method, path, body), tls: tls) {
        case .success(let response): return response
        case .failure(let error): throw failure(error)
        }
    }

    private func request(
        _ method: String, _ path: String, _ body: JSONValue?
    ) throws(CommandFailure) -> ClientRequest {
        var headers = headers + [("Accept", "application/json")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        var options = ClientRequest.Options()
        options.timeoutMilliseconds = 60_000
        // A thousand conversions or calls with their journeys.
        options.bodyReadMax = 256 << 20
        options.bodyKeptMax = 256 << 20
        options.usesOwnConnection = true
        do {
            return try ClientRequest(
                method, endpoint: endpoint, host: host, target: prefix + path, headers: headers,
                body: body?.encodedBytes(), options: options)
        } catch {
            throw CommandFailure(.failed, error.text)
        }
    }

    private func failure(_ error: ClientError) -> CommandFailure {
        let code: ExitCode =
            switch error {
            case .resolve, .connect, .timeout, .closed, .tooManyPending, .cancelled: .tryAgain
            case .refusedAddress, .tls, .malformed: .failed
            }
        return CommandFailure(code, "cannot reach \(name): \(error.text)")
    }
}
