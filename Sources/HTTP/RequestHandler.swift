/// Answers the requests of one loop.
public protocol RequestHandler: AnyObject {
    /// Called for each request, in order for each connection. Answer through `responder` now, or
    /// later in the same turn or any other one; answers are sent in the order of the requests.
    func handle(_ request: borrowing Request, _ responder: Responder)

    /// Called once in each turn of the loop after the requests that had arrived were handled, and
    /// before this turn's answers are written.
    func turnEnded()
}
