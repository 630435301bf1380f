public import Net

/// Answers the requests of one loop.
public protocol RequestHandler: AnyObject {
    /// Called for each request, in order for each connection. Answer through `responder` now, or
    /// later in the same turn or any other one; answers are sent in the order of the requests.
    func handle(_ request: borrowing Request, _ responder: Responder)

    /// Called instead of `handle` for a request that is too long, with as much of it as has arrived:
    /// of a body its beginning, which may be empty; of a request line the method and the target's
    /// beginning, without any header field. The connection closes after the answer.
    ///
    /// - Returns: whether it is or will be answered through `responder`. When not, it must not be
    ///   touched: the server answers 413 or 414 itself.
    func handleOversized(
        _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
    ) -> Bool

    /// Called once in each turn of the loop after the requests that had arrived were handled, and
    /// before this turn's answers are written.
    func turnEnded()

    /// Called when a connection couldn't be taken, or only after others were closed for want of
    /// descriptors; often where that goes on.
    func cannotAccept(_ failure: AcceptFailure)
}

/// Why a connection isn't taken.
public enum AcceptFailure: Sendable {
    /// `ServerLimits.connectionsMax` are open, and none of them can be closed.
    case tooManyConnections
    /// The process or the system has no descriptor or no memory for it.
    case exhausted(NetError)
}

extension RequestHandler {
    public func handleOversized(
        _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
    ) -> Bool { false }

    public func cannotAccept(_ failure: AcceptFailure) {}
}
