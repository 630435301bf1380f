internal import Synchronization

/// Where the rules of time zones are found by name, such as the system's files.
public protocol TimeZoneSource: Sendable {
    /// - Parameter name: one of which `TimeZoneRules.isName` is true.
    func rules(_ name: String) throws(TimeZoneError) -> TimeZoneRules
}

extension TimeZoneRules {
    /// Continues a sentence that begins with the field's name.
    public static let rule =
        "must be UTC, an offset on a quarter hour such as +02:00, or a time zone's name such as "
        + "Europe/Berlin"

    /// Nothing here reads a file, and zones stand in the middle of documents; so there is one source
    /// for all of the process, like its clock.
    private static let source = Mutex<(any TimeZoneSource)?>(nil)

    /// From now on zones are found by name there.
    public static func useSource(_ source: any TimeZoneSource) {
        self.source.withLock { $0 = source }
    }

    /// The rules of `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
    ///
    /// The first use of a name reads a small file; after that the rules are in memory.
    ///
    /// - Throws: what is wrong with the text or, where it is a name, with the system's files.
    public init(name: String) throws(TimeZoneError) {
        if let fixed = TimeZoneRules(fixed: name) {
            self = fixed
            return
        }
        guard Self.isName(name) else { throw TimeZoneError(Self.rule) }
        guard let source = Self.source.withLock({ $0 }) else {
            throw TimeZoneError(
                "can't be a name here: only UTC and offsets such as +02:00 are known")
        }
        self = try source.rules(name)
    }
}
