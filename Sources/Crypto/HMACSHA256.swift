internal import COpenSSL

/// HMAC with SHA-256 (RFC 2104, RFC 4231).
public enum HMACSHA256 {
    /// 32 bytes. Any key length is allowed.
    public static func code(key: [UInt8], _ message: UnsafeRawBufferPointer) -> [UInt8] {
        // OpenSSL takes a key's length as an `int`.
        precondition(key.count <= Int(Int32.max), "an HMAC key of \(key.count) bytes")
        return [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { output, count in
            let result = key.withUnsafeBytes { key in
                // Without an address OpenSSL would reuse an earlier key or dislike the message.
                withUnsafePointer(to: 0 as UInt8) { empty in
                    HMAC(
                        SHA256.algorithm.pointer, key.baseAddress ?? UnsafeRawPointer(empty),
                        Int32(key.count),
                        message.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? empty,
                        message.count, output.baseAddress, nil)
                }
            }
            precondition(result != nil, "HMAC-SHA-256 is not available")
            count = SHA256.byteCount
        }
    }

    public static func code(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { code(key: key, $0) }
    }

    /// Compares without telling by its duration how much was right.
    public static func isValid(_ code: [UInt8], key: [UInt8], _ message: [UInt8]) -> Bool {
        constantTimeEquals(code, self.code(key: key, message))
    }
}

/// Whether both are equal; for secrets, because how long it takes tells nothing about where they
/// differ. Their lengths are not secret.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return left.isEmpty || CRYPTO_memcmp(left, right, left.count) == 0
}
