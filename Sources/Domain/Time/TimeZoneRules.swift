/// A time zone: how far its clocks are from UTC, at every instant.
///
/// `UTC` and offsets such as `+02:00` are known by themselves. Zones by name come from the
/// system's time zone files, which `TimeZones` in Store reads.
public struct TimeZoneRules: Hashable, Sendable {
    /// `UTC`, `+02:00` or `Europe/Berlin`.
    public let name: String
    /// When the offset changes, in seconds since 1970, ascending.
    private let changes: [Int64]
    /// From each change on, in seconds east of UTC; before them the first one holds, so that there
    /// is one more than there are changes.
    private let offsets: [Int32]
    /// What holds after the last change; nil: the last offset.
    private let rule: YearlyTimeZone?

    public static let utc = TimeZoneRules(name: "UTC", offset: 0)

    /// Offsets have to be on a quarter hour, as those of all zones in use are: by those the
    /// reports' sums are kept.
    static let minutesStep = 15

    init(name: String, changes: [Int64], offsets: [Int32], rule: YearlyTimeZone?) {
        precondition(offsets.count == changes.count + 1, "\(offsets.count) for \(changes.count)")
        self.name = name
        self.changes = changes
        self.offsets = offsets
        self.rule = rule
    }

    private init(name: String, offset: Int32) {
        self.init(name: name, changes: [], offsets: [offset], rule: nil)
    }

    /// `UTC`, `Z` or an offset such as `+02:00`; nil for anything else, for more than 14 hours, and
    /// for an offset off the quarter hours.
    ///
    /// A space stands for `+`, which is what an unencoded one in a query becomes.
    public init?(fixed text: String) {
        if ["UTC", "Z"].contains(text.uppercased()) {
            self = .utc
            return
        }
        guard var cursor = ByteCursor(text, bytesMax: 6), let sign = cursor.next(),
            [UInt8(ascii: "+"), UInt8(ascii: " "), UInt8(ascii: "-")].contains(sign),
            let hours = cursor.digits(2), cursor.take(UInt8(ascii: ":")),
            let minutes = cursor.digits(2), cursor.isAtEnd, minutes < 60
        else { return nil }
        let total = hours * 60 + minutes
        guard total <= 14 * 60, total % Self.minutesStep == 0 else { return nil }
        let isWest = sign == UInt8(ascii: "-")
        let digits = text.utf8.dropFirst().map { $0 }
        self =
            total == 0
            ? .utc
            : TimeZoneRules(
                name: (isWest ? "-" : "+") + String(decoding: digits, as: UTF8.self),
                offset: Int32(isWest ? -total : total) * 60)
    }

    /// Is it a name as the IANA time zone database makes them, and so that it may be looked for as
    /// a file? It has letters, digits and `_+-` only, in at most three parts: no dots, so no way up.
    public static func isName(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // `right` counts leap seconds, `posix` repeats what stands beside it, the others are
        // whatever this machine's owner set.
        let others = ["right", "posix", "localtime", "posixrules", "Factory"]
        guard (1...3).contains(parts.count), let first = parts.first,
            !others.contains(where: { first.elementsEqual($0.utf8) })
        else { return false }
        return parts.allSatisfy { part in
            guard let letter = part.first, (0x41...0x5A).contains(letter & 0xDF) else {
                return false
            }
            return part.allSatisfy { byte in
                (0x41...0x5A).contains(byte & 0xDF) || (0x30...0x39).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "+")
            }
        }
    }

    /// Seconds east of UTC.
    public func offset(at instant: Instant) -> Int { offset(atSecond: instant.seconds) }

    /// What clocks and calendars there show.
    public func localTime(at instant: Instant) -> LocalTime {
        LocalTime(instant, offset: offset(at: instant))
    }

    /// The day of the calendar there.
    public func day(of instant: Instant) -> Day { localTime(at: instant).day }

    /// When that day begins there: the first instant at which the calendar shows it, or a later day
    /// where the calendar leaves it out.
    public func start(of day: Day) -> Instant {
        let midnight = Int64(day.number) * 86_400
        // No offset is greater than 26 hours: by then it is the day before everywhere.
        var second = midnight - 26 * 3_600
        // An offset changes some times a year at most; beyond this bound the file is strange, and
        // its days begin approximately.
        for _ in 0..<16 {
            let start = max(second, midnight - Int64(offset(atSecond: second)))
            guard let change = change(after: second), change <= start else {
                return Instant(seconds: start)
            }
            second = change
        }
        return Instant(seconds: max(second, midnight - Int64(offset(atSecond: second))))
    }

    private func offset(atSecond second: Int64) -> Int {
        let passed = changesPassed(at: second)
        if passed == changes.count, let rule { return rule.offset(at: second) }
        return Int(offsets[passed])
    }

    private func change(after second: Int64) -> Int64? {
        let passed = changesPassed(at: second)
        if passed < changes.count { return changes[passed] }
        return rule?.change(after: second)
    }

    /// How many changes are not after that second.
    private func changesPassed(at second: Int64) -> Int {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= second { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Why a time zone can't be used.
public struct TimeZoneError: Error, Hashable, Sendable {
    /// Continues a sentence that begins with the field's name.
    public let message: String

    public init(_ message: String) { self.message = message }

    static func damaged(_ what: String) -> TimeZoneError {
        TimeZoneError("is a time zone whose file is damaged: \(what)")
    }
}

extension Instant {
    /// The earliest or latest instant there is, where that second lies beyond it.
    fileprivate init(seconds: Int64) {
        let (micros, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(micros: overflow ? (seconds < 0 ? .min : .max) : micros)
    }
}
