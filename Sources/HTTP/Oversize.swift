/// What of a request is longer than the server takes.
public enum Oversize: Equatable, Sendable {
    /// Of `declared` bytes by its Content-Length; nil for a chunked one, whose end nobody waits for.
    case body(declared: Int?, max: Int)
    /// Method, target and version.
    case requestLine(max: Int)
}
