public import Domain

/// What the API needs of whoever has the location files.
public struct GeoServices: Sendable {
    /// As they were last loaded.
    public var files: @Sendable () -> [GeoFile] = { [] }
    /// Loads them anew, those that are new after reading all of them.
    public var load: @Sendable () -> [GeoFile] = { [] }
    public var place: @Sendable (IPAddress) -> Place = { _ in .unknown }

    public init() {}
}
