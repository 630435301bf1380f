internal import Admin
internal import Domain
internal import Net

/// Where the command line meets the rest of the program.
enum Wiring {
    /// Opens a data directory that no server has: takes its lock and answers API requests in this
    /// process until the transport is gone.
    ///
    /// - Throws: `.tryAgain` when the lock is held, `.failed` when the directory can't be opened.
    static func openDirectory(_ configuration: Configuration) throws(CommandFailure)
        -> any APITransport
    {
        InProcessTransport(try Installation(configuration))
    }
}

/// The API of a directory that this process opened itself.
final class InProcessTransport: APITransport {
    private let installation: Installation
    private let api: AdminAPI

    init(_ installation: Installation) {
        self.installation = installation
        let configuration = installation.configuration
        let address =
            configuration.listen.first.map { "\(configuration.scheme)://\($0.text)" } ?? ""
        var services = installation.adminServices(publicURL: address)
        services.testCall = { [unowned installation] delivery, answer in
            answer(OutboundThread.test(delivery, installation))
        }
        api = AdminAPI(
            ledger: installation.ledger, readers: installation.readers,
            quickReaders: installation.quickReaders, services: services)
    }

    deinit { installation.close() }

    func call(_ method: String, _ path: String, body: JSONValue?) throws(CommandFailure)
        -> APIAnswer
    {
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let request = APIRequest(
            method: method, path: String(parts[0]),
            query: QueryParameters(parsing: parts.count == 2 ? String(parts[1]) : ""),
            body: body.map { Array($0.encoded().utf8) } ?? [])
        let response: APIResponse = Blocking.wait { done in
            api.handle(request) { done(Result<APIResponse, Never>.success($0)) }
        }
        guard !response.body.isEmpty else { return APIAnswer(status: response.status, body: .null) }
        do {
            return APIAnswer(
                status: response.status, body: try JSONValue(parsing: response.body))
        } catch {
            throw .failed("the answer can't be read: \(error)")
        }
    }
}
