/// What a row of conversions that is entered by hand or from a file may say, beside what a network's
/// call may.
public struct ConversionEntry: Sendable {
    /// When it happened; nil when the row does not say.
    public let at: Instant?
    /// Names that mean nothing, as they were written.
    public let unknownNames: [String]

    private static let timeNames = ["at", "converted_at"]
    public static let networkName = "network"
    /// Further ahead of our clock a time is a mistake.
    private static let aheadMax = Duration.seconds(86_400)

    /// - Throws: `PostbackRefusal` for a time that can't be read or is yet to come.
    public init(_ pairs: [(name: String, value: [UInt8])], now: Instant) throws(PostbackRefusal) {
        unknownNames = pairs.map(\.name).filter { !Self.isKnown($0) }
        let text = pairs.lazy.filter { Self.timeNames.contains($0.name.lowercased()) }
            .map { String(decoding: $0.value, as: UTF8.self).trimmed }.first { !$0.isEmpty }
        guard let text else {
            at = nil
            return
        }
        guard let instant = Instant(rfc3339: text) ?? Day(text)?.start else {
            throw PostbackRefusal(
                .timeMalformed,
                "\"\(text.prefix(utf8Count: 60))\" is no time: write 2026-11-20T22:45:36Z, or a day"
            )
        }
        guard instant <= now.advanced(by: Self.aheadMax) else {
            throw PostbackRefusal(.timeMalformed, "\(instant.rfc3339) is yet to come")
        }
        at = instant
    }

    /// Whether a name means something, in any case.
    public static func isKnown(_ name: String) -> Bool {
        let lower = name.lowercased()
        return timeNames.contains(lower) || lower == networkName
            || !PostbackDialect.standard[lower].isEmpty
    }

    /// All names that mean something.
    public static let names =
        PostbackParameter.allCases.flatMap { [$0.rawValue] + $0.aliases } + timeNames
        + [networkName]
}
