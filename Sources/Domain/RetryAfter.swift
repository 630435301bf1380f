/// The header field `Retry-After`, RFC 9110 section 10.2.3.
public enum RetryAfter {
    /// Longer pauses are cut to this: a hundred years, in which no duration overflows.
    static let secondsMax: Int64 = 3_155_760_000

    /// How long to wait from `now`: never negative. Nil when the value is neither a number of
    /// seconds nor a date.
    public static func parse(_ value: UnsafeRawBufferPointer, now: Instant) -> Duration? {
        guard value.count <= 128 else { return nil }
        return parse(String(decoding: value, as: UTF8.self), now: now)
    }

    public static func parse(_ value: some StringProtocol, now: Instant) -> Duration? {
        guard value.utf8.count <= 128 else { return nil }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let bytes = [UInt8](value.utf8)
        guard let start = bytes.firstIndex(where: { !isSpace($0) }),
            let end = bytes.lastIndex(where: { !isSpace($0) })
        else { return nil }
        let trimmed = bytes[start...end]

        if trimmed.allSatisfy({ ASCII.digit($0) != nil }) {
            var seconds: Int64 = 0
            for byte in trimmed {
                seconds = min(secondsMax, seconds * 10 + Int64(byte - 0x30))
            }
            return .seconds(seconds)
        }
        guard let date = Instant(httpDate: String(decoding: trimmed, as: UTF8.self)) else {
            return nil
        }
        return min(max(date - now, .zero), .seconds(secondsMax))
    }
}
