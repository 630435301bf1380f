/// Why a location file can't be used.
public struct GeoError: Error, Hashable, Sendable {
    /// A sentence without the file's name.
    public let message: String

    init(_ message: String) { self.message = message }

    static func damaged(_ what: String) -> GeoError { GeoError("the file is damaged: \(what)") }
}
