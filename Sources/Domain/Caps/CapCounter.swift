internal import Synchronization

/// How many visitors one scope has taken: in all, and on the two latest days of its time zone.
///
/// Shared by all loops; taking and giving back are single atomic steps, so that however many take
/// at once, exactly as many get through as a cap leaves. Limits are the taker's to know: changing
/// them leaves the counts.
public final class CapCounter: Sendable {
    /// The days' time zone.
    public let timeZone: TimeZoneRules
    private let total: Atomic<Int64>
    /// Of even and of odd days, each with its day: a click of the second before midnight that comes
    /// after one of the second after it still counts for its own day.
    private let even: Atomic<UInt64>
    private let odd: Atomic<UInt64>
    /// Written after the ledger's commits; its lock is taken only where a cap asks for it.
    private let conversions: Mutex<ConversionTally>

    /// - Parameter days: what is known already of the present day and the one before.
    public init(
        timeZone: TimeZoneRules, total: Int64 = 0, days: [Day: Int64] = [:],
        conversions: ConversionTally = ConversionTally()
    ) {
        self.conversions = Mutex(conversions)
        self.timeZone = timeZone
        self.total = Atomic(total)
        func newest(_ parity: UInt64) -> UInt64 {
            days.filter { DayCount.parity($0.key) == parity }
                .map { DayCount(day: $0.key, count: $0.value).bits }.max() ?? 0
        }
        even = Atomic(newest(0))
        odd = Atomic(newest(1))
    }

    /// Whether there is room for one more.
    public func isOpen(_ caps: TrafficCaps, at instant: Instant) -> Bool {
        if let limit = caps.clicksTotal, total.load(ordering: .relaxed) >= limit { return false }
        if caps.clicksPerDay == nil, !caps.conversions.hasCaps { return true }
        let day = timeZone.day(of: instant)
        if let limit = caps.clicksPerDay, clicks(on: day) >= limit { return false }
        guard caps.conversions.hasCaps else { return true }
        return conversions.withLock {
            !caps.conversions.isReached(day: $0.usage(on: day), all: $0.total)
        }
    }

    /// Counts conversions that have begun or ceased to count.
    public func add(_ count: Int64, _ payout: Money, at instant: Instant) {
        let day = timeZone.day(of: instant)
        let sum = Int128(count) * Int128(payout.nanos)
        conversions.withLock { $0.add(count, sum, payout.currency, on: day) }
    }

    /// Forgets what was counted of conversions for what was counted anew.
    public func setConversions(_ tally: ConversionTally) { conversions.withLock { $0 = tally } }

    /// Of that day and in all.
    public func conversions(on day: Day) -> (day: LimitUsage, all: LimitUsage) {
        conversions.withLock { ($0.usage(on: day), $0.total) }
    }

    /// Takes room for one, or none of it when a cap is reached.
    public func take(_ caps: TrafficCaps, at instant: Instant) -> Bool {
        take(perDay: caps.clicksPerDay ?? .max, total: caps.clicksTotal ?? .max, at: instant)
    }

    private func take(perDay: Int64, total limit: Int64, at instant: Instant) -> Bool {
        guard takeTotal(limit: limit) else { return false }
        let day = timeZone.day(of: instant)
        guard count(day, limit: perDay) else {
            total.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Gives back what was taken at that time.
    public func giveBack(takenAt instant: Instant) {
        total.subtract(1, ordering: .relaxed)
        let day = timeZone.day(of: instant)
        var before = load(day)
        // A day that is over and forgotten needs nothing back.
        while before.isOf(day), before.count > 0 {
            let after = DayCount(day: day, count: before.count - 1)
            let (exchanged, original) = exchange(day, before, after)
            if exchanged { return }
            before = original
        }
    }

    public var clicksTotal: Int64 { total.load(ordering: .relaxed) }

    public func clicks(on day: Day) -> Int64 {
        let known = load(day)
        return known.isOf(day) ? known.count : 0
    }

    private func takeTotal(limit: Int64) -> Bool {
        var before = total.load(ordering: .relaxed)
        while before < limit {
            let (exchanged, original) = total.weakCompareExchange(
                expected: before, desired: before + 1, ordering: .relaxed)
            if exchanged { return true }
            before = original
        }
        return false
    }

    private func count(_ day: Day, limit: Int64) -> Bool {
        var before = load(day)
        while true {
            // A later day's count stands there: this click's clock is days behind, and its day is
            // counted by nobody any more.
            if before.isAfter(day) { return true }
            let known = before.isOf(day) ? before.count : 0
            guard known < limit else { return false }
            let (exchanged, original) = exchange(
                day, before, DayCount(day: day, count: known + 1))
            if exchanged { return true }
            before = original
        }
    }

    private func load(_ day: Day) -> DayCount {
        DayCount(
            bits: DayCount.parity(day) == 0
                ? even.load(ordering: .relaxed) : odd.load(ordering: .relaxed))
    }

    private func exchange(_ day: Day, _ before: DayCount, _ after: DayCount)
        -> (exchanged: Bool, original: DayCount)
    {
        let (exchanged, original) =
            DayCount.parity(day) == 0
            ? even.weakCompareExchange(
                expected: before.bits, desired: after.bits, ordering: .relaxed)
            : odd.weakCompareExchange(
                expected: before.bits, desired: after.bits, ordering: .relaxed)
        return (exchanged, DayCount(bits: original))
    }
}

/// Conversions that count towards one scope's caps.
public struct ConversionTally: Sendable {
    public private(set) var total: LimitUsage
    /// Of the newest day and the one before.
    private var days: [Day: LimitUsage]

    public init(total: LimitUsage = LimitUsage(), days: [Day: LimitUsage] = [:]) {
        self.total = total
        self.days = days
    }

    func usage(on day: Day) -> LimitUsage { days[day] ?? LimitUsage() }

    mutating func add(_ count: Int64, _ nanos: Int128, _ currency: Currency, on day: Day) {
        total.add(count, nanos, currency)
        days[day, default: LimitUsage()].add(count, nanos, currency)
        guard days.count > 2, let newest = days.keys.max() else { return }
        days = days.filter { $0.key >= newest.advanced(by: -1) }
    }
}

/// A day and a count in one word: 24 bits since 1970 and 40 bits of clicks.
private struct DayCount {
    let bits: UInt64

    private static let countBits: UInt64 = 40
    private static let countMask: UInt64 = 1 << countBits - 1

    init(bits: UInt64) { self.bits = bits }

    init(day: Day, count: Int64) {
        bits =
            Self.number(day) << Self.countBits
            | min(UInt64(clamping: count), Self.countMask)
    }

    var count: Int64 { Int64(bits & Self.countMask) }
    func isOf(_ day: Day) -> Bool { bits >> Self.countBits == Self.number(day) }
    func isAfter(_ day: Day) -> Bool { bits >> Self.countBits > Self.number(day) }

    static func parity(_ day: Day) -> UInt64 { number(day) & 1 }

    /// Days before 1970 and beyond the year 40000 are as those.
    private static func number(_ day: Day) -> UInt64 {
        UInt64(min(max(0, day.number), 1 << 24 - 1))
    }
}
