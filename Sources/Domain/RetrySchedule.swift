/// When a failed outbound postback is tried again.
public enum RetrySchedule {
    /// Pauses after the first, second, … failed attempt, in seconds; the last one repeats.
    static let pauseSeconds: [Int64] = [10, 60, 300, 900, 3_600, 7_200, 14_400, 28_800]

    /// A receiver's `Retry-After` counts up to here, so that none can silence us until we give up.
    static let retryAfterMax: Duration = .seconds(86_400)

    /// The time of the attempt that follows attempt `attempt` (from 1), or nil: none, it is dead.
    ///
    /// The pause of the schedule grows by up to a fifth, by `jitter`, so that what failed together
    /// doesn't come back together; a longer `retryAfter` replaces it. Where that leads past the
    /// give-up time, `giveUpAfter` behind the conversion, one last attempt is made at that time:
    /// the receiver may be back by then, and nothing is gained by giving up earlier.
    ///
    /// - Parameters:
    ///   - now: when the attempt failed.
    ///   - jitter: in 0...1; the nearest of these otherwise.
    public static func nextAttempt(
        afterAttempt attempt: Int, at now: Instant, convertedAt: Instant, giveUpAfter: Duration,
        jitter: Double, retryAfter: Duration?
    ) -> Instant? {
        let step = pauseSeconds[min(max(attempt, 1), pauseSeconds.count) - 1]
        var pause = Duration.microseconds(step * 1_000_000 + step * millionths(jitter) / 5)
        if let retryAfter { pause = max(pause, min(retryAfter, retryAfterMax)) }

        let due = now.advanced(by: pause)
        let last = convertedAt.advanced(by: giveUpAfter)
        if due <= last { return due }
        return now < last ? last : nil
    }

    private static func millionths(_ jitter: Double) -> Int64 {
        guard jitter > 0 else { return 0 }  // also what isn't a number
        return Int64(min(jitter, 1) * 1_000_000)
    }
}
