/// A location file in the data directory, and what became of it.
public struct GeoFile: Hashable, Sendable {
    /// In the directory: `GeoLite2-City.mmdb`.
    public var name: String
    /// What its maker calls it: `GeoLite2-City`. Empty when none of it could be read.
    public var type = ""
    public var builtAt: Instant?
    public var byteCount: Int64 = 0
    /// Whether visitors are looked up in it, or in the version of it that was loaded before.
    public var isInUse = false
    /// Why the file that lies there is not in use.
    public var problem: String?

    public init(name: String) { self.name = name }
}
