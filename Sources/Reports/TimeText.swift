public import Domain

/// The two ways in which people say where a range of times begins or ends.
public enum TimeText {
    public static let rule =
        "must be a day such as 2026-11-20, or a time such as 2026-11-20T22:45:36Z"

    /// The beginning of a range: a day's start, or the time itself. Nil for any other text.
    public static func start(_ text: String, _ zone: TimeZoneRules = .utc) -> Instant? {
        Day(text).map { zone.start(of: $0) } ?? instant(text)
    }

    /// The end of a range, itself outside: a day is meant with all of its hours. Nil for any other
    /// text.
    public static func end(_ text: String, _ zone: TimeZoneRules = .utc) -> Instant? {
        Day(text).map { zone.start(of: $0.advanced(by: 1)) } ?? instant(text)
    }

    /// In an unencoded query the `+` of an offset has become a space.
    private static func instant(_ text: String) -> Instant? {
        var bytes = Array(text.utf8)
        if bytes.count >= 25, bytes[bytes.count - 6] == UInt8(ascii: " ") {
            bytes[bytes.count - 6] = UInt8(ascii: "+")
        }
        return Instant(rfc3339: String(decoding: bytes, as: UTF8.self))
    }
}
