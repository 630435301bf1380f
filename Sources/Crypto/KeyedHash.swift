internal import COpenSSL

/// SipHash-2-4 (Aumasson and Bernstein, 2012): a short hash that nobody without the key can compute
/// or aim at. For one thread at a time; nothing is allocated per message.
public final class KeyedHash {
    public static let keyBytes = 16

    private let context: OpaquePointer
    private let key: [UInt8]

    /// - Parameter key: `keyBytes` long.
    public init(key: [UInt8]) throws(CryptoError) {
        precondition(key.count == Self.keyBytes, "a SipHash key of \(key.count) bytes")
        guard let algorithm = EVP_MAC_fetch(nil, "SIPHASH", nil) else {
            throw CryptoError.unavailable("SipHash")
        }
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm) else {
            throw CryptoError.unavailable("SipHash")
        }
        self.context = context
        self.key = key
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// The first 64 bits of the code, of `first` followed by `second`.
    public func hash(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> UInt64 {
        var code = (0 as UInt64, 0 as UInt64)
        var count = 0
        let isDone = withUnsafeMutableBytes(of: &code) { code in
            EVP_MAC_init(context, key, key.count, nil) == 1 && update(first) && update(second)
                && EVP_MAC_final(
                    context, code.baseAddress?.assumingMemoryBound(to: UInt8.self), &count,
                    code.count) == 1
        }
        precondition(isDone && count == 16, "SipHash is not available")
        return UInt64(littleEndian: code.0)
    }

    private func update(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return true }
        return EVP_MAC_update(context, start.assumingMemoryBound(to: UInt8.self), bytes.count) == 1
    }
}
