public import Domain

/// Reads a visitor's device from what its browser sent.
public enum DeviceReader {
    /// - Parameter userAgent: the header's bytes; any bytes will do.
    public static func read(userAgent: UnsafeRawBufferPointer) -> Device { .unknown }
}
