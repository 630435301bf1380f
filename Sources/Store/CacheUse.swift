/// How full a bounded cache is: what grows until it is full must be told from what grows for good.
public struct CacheUse: Sendable, Equatable {
    public var bytes: Int64
    /// SQLite keeps a few pages more at times, while they are being changed.
    public var bytesMax: Int64

    public init(bytes: Int64, bytesMax: Int64) {
        self.bytes = bytes
        self.bytesMax = bytesMax
    }
}
