public import Net

/// An event loop, for modules that know HTTP and not the network below it.
public struct LoopHandle: Sendable {
    public let loop: EventLoop

    public init(_ loop: EventLoop) { self.loop = loop }

    /// Queues `work` for the loop's thread, from any thread; first posted, first run.
    public func post(_ work: @escaping @Sendable () -> Void) { loop.post(work) }

    /// Runs `body` once, on the loop, not before the time has passed. Loop thread only.
    public func schedule(afterMilliseconds: Int, _ body: @escaping () -> Void) -> LoopTimer {
        LoopTimer(
            id: loop.schedule(afterNanos: ServerLimits.nanos(max(0, afterMilliseconds)), body))
    }

    /// Does nothing when the timer has fired or was cancelled. Loop thread only.
    public func cancel(_ timer: LoopTimer) { loop.cancel(timer.id) }

    /// Runs `hook` every turn after events, timers and what was posted. Once, on the loop's thread.
    public func atTurnEnd(_ hook: @escaping () -> Void) { loop.atTurnEnd(hook) }

    public var isOnLoop: Bool { loop.isOnLoop }
    /// CLOCK_MONOTONIC of this turn. Loop thread only.
    public var nowNanos: UInt64 { loop.nowNanos }
    /// Wall clock of this turn, in microseconds since 1970. Loop thread only.
    public var wallMicros: Int64 { loop.wallMicros }
}

/// Names a timer of a `LoopHandle`.
public struct LoopTimer: Hashable, Sendable {
    let id: TimerID
}
