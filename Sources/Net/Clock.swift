internal import Glibc

/// The kernel's clocks. A loop reads them once per turn; use its cached values there.
public enum Clock {
    /// CLOCK_MONOTONIC in nanoseconds: for intervals and deadlines; never jumps.
    public static func monotonicNanos() -> UInt64 { nanos(CLOCK_MONOTONIC) }

    /// What the calling thread has had of a processor's time. Not cheap: a system call.
    static func threadNanos() -> UInt64 { nanos(CLOCK_THREAD_CPUTIME_ID) }

    private static func nanos(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
            &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }

    /// CLOCK_REALTIME in microseconds since 1970-01-01T00:00:00Z; jumps when the clock is set.
    public static func wallMicros() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}
