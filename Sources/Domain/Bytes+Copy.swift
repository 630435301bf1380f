extension [UInt8] {
    /// As `append(contentsOf:)`, which counts references to an array that it is given: twice for each
    /// piece of each redirect.
    @inlinable
    public mutating func append(copyOf bytes: [UInt8]) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }
}
