public import Domain

/// The times that a report is about: `to` itself lies outside.
public struct ReportPeriod: Sendable, Equatable {
    public let from: Instant
    public let to: Instant

    private static let stepMicros = QuarterHour.micros

    /// Widens both ends to quarter hours, by which clicks are summed. Nil when `to` is not after
    /// `from`.
    public init?(from: Instant, to: Instant) {
        guard from < to else { return nil }
        self.from = Instant(micros: Self.floored(from.micros))
        let (ceiling, overflow) = to.micros.addingReportingOverflow(Self.stepMicros - 1)
        self.to = Instant(micros: Self.floored(overflow ? .max : ceiling))
    }

    private static func floored(_ micros: Int64) -> Int64 {
        let rest = micros % stepMicros
        let (floor, overflow) = micros.subtractingReportingOverflow(
            rest < 0 ? rest + stepMicros : rest)
        return overflow ? .min : floor
    }

    func contains(_ quarter: QuarterHour) -> Bool { from <= quarter.start && quarter.start < to }

    func touches(_ day: Day) -> Bool { day.start < to && from < day.advanced(by: 1).start }
}
