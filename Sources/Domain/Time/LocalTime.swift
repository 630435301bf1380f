/// What clocks and calendars of one place show at an instant.
public struct LocalTime: Hashable, Sendable {
    public let day: Day
    public let hour: Int
    public let minute: Int
    public let second: Int

    /// 0 is Sunday.
    public var weekday: Int { day.weekday }
    public var minuteOfDay: Int { hour * 60 + minute }

    /// What UTC's clocks show at `instant`, set ahead by `offset` seconds.
    init(_ instant: Instant, offset: Int) {
        // An instant's seconds are a millionth of 64 bits, and an offset is some hours.
        let seconds = instant.seconds + Int64(offset)
        let number = Int64(floorDividing: seconds, by: 86_400)
        day = Day(number: Int32(clamping: number))
        let time = Int(seconds - number * 86_400)
        (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60)
    }
}

extension Int64 {
    /// Rounded towards the past. The divisor is not 0 or -1.
    init(floorDividing value: Int64, by divisor: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        self = remainder < 0 ? quotient - 1 : quotient
    }
}
