internal import Net

/// One request under way; `Client.send` returns it so that it can be cancelled.
// Unchecked because it is confined to its client's loop thread; it only crosses threads as a
// reference inside a look-up's completion, which runs on that loop.
public final class ClientCall: @unchecked Sendable {
    typealias Completion = (Result<ClientResponse, ClientError>) -> Void

    let request: ClientRequest
    let addressCheck: (UInt128, UInt16) -> String?
    let report: CallReport?
    /// Nil once the call has its answer.
    var completion: Completion?
    private weak var client: Client?

    let startedNanos: UInt64
    /// On the loop's clock.
    let deadlineNanos: UInt64
    var connectDeadlineNanos: UInt64 = 0
    var timer: TimerID?

    var phase = ClientError.Phase.connection
    /// While `send` runs its call must not be answered: the caller has no handle yet.
    var isBeingSent = true
    var hasRepeated = false
    /// Whether this call, and not yet a connection, counts against the connections allowed.
    var holdsSlot = false
    var connection: ClientConnection?
    /// Checked addresses that have not been tried.
    var candidates: ArraySlice<SocketAddress> = []
    var checkedAddresses: [UInt128] = []
    var connectError: ClientError?

    init(
        _ request: ClientRequest, client: Client, deadlineNanos: UInt64,
        addressCheck: @escaping (UInt128, UInt16) -> String?, report: CallReport?,
        completion: @escaping Completion
    ) {
        self.request = request
        self.client = client
        self.deadlineNanos = deadlineNanos
        self.addressCheck = addressCheck
        self.report = report
        self.completion = completion
        startedNanos = Clock.monotonicNanos()
    }

    /// Ends the request, whose completion is called with `.cancelled` before this returns; the
    /// server may act on it none the less. Does nothing once the completion was called.
    ///
    /// On the client's loop only.
    public func cancel() { client?.finish(self, .failure(.cancelled)) }
}
