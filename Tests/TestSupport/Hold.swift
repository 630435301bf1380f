/// Keeps answers back until the test has done what must come before them: a delay in its place is a
/// race that a busy machine loses.
public final class Hold: Sendable {
    private let isOver = Locked(false)

    public init() {}

    /// Lets go whoever waits, and whoever comes later.
    public func end() { isOver.with { $0 = true } }

    func wait() throws { try eventually(within: 60, "the hold ends") { isOver.current } }
}
