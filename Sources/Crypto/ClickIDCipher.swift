internal import COpenSSL

/// Seals and opens the one AES-128 block that a click ID is.
///
/// Exactly one block, so ECB is not a weakness here: there is no second block to compare with, and
/// equal plaintexts don't occur (each holds a row ID that is used once). A block is numbered
/// big-endian, so its most significant byte is the first that AES sees.
///
/// Its OpenSSL contexts are set up once and reused, which is most of the speed, so it is not
/// `Sendable`: each thread makes its own.
public final class ClickIDCipher {
    public static let keyBytes = 16

    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    /// - Parameter key: 16 random bytes; `CryptoError.keyLength` for any other count.
    public init(key: [UInt8]) throws(CryptoError) {
        guard key.count == Self.keyBytes else { throw .keyLength(key.count) }
        guard let sealing = EVP_CIPHER_CTX_new() else { throw .unavailable("AES-128") }
        guard let opening = EVP_CIPHER_CTX_new() else {
            EVP_CIPHER_CTX_free(sealing)
            throw .unavailable("AES-128")
        }
        self.sealing = sealing
        self.opening = opening
        guard EVP_EncryptInit_ex(sealing, EVP_aes_128_ecb(), nil, key, nil) == 1,
            EVP_DecryptInit_ex(opening, EVP_aes_128_ecb(), nil, key, nil) == 1,
            EVP_CIPHER_CTX_set_padding(sealing, 0) == 1,
            EVP_CIPHER_CTX_set_padding(opening, 0) == 1
        else { throw .unavailable("AES-128") }
    }

    /// Also wipes the key.
    deinit {
        EVP_CIPHER_CTX_free(sealing)
        EVP_CIPHER_CTX_free(opening)
    }

    public func encrypt(_ block: UInt128) -> UInt128 {
        var output: UInt128 = 0
        var count: Int32 = 0
        let result = withUnsafeBytes(of: block.bigEndian) { input in
            withUnsafeMutableBytes(of: &output) { output in
                EVP_EncryptUpdate(
                    sealing, output.bindMemory(to: UInt8.self).baseAddress, &count,
                    input.bindMemory(to: UInt8.self).baseAddress, 16)
            }
        }
        // A whole block without padding depends on nothing from outside.
        precondition(result == 1 && count == 16, "AES gave \(count) bytes of 16")
        return UInt128(bigEndian: output)
    }

    /// Any block opens to something: whether it is ours is told by what must stand in it.
    public func decrypt(_ block: UInt128) -> UInt128 {
        var output: UInt128 = 0
        var count: Int32 = 0
        let result = withUnsafeBytes(of: block.bigEndian) { input in
            withUnsafeMutableBytes(of: &output) { output in
                EVP_DecryptUpdate(
                    opening, output.bindMemory(to: UInt8.self).baseAddress, &count,
                    input.bindMemory(to: UInt8.self).baseAddress, 16)
            }
        }
        precondition(result == 1 && count == 16, "AES gave \(count) bytes of 16")
        return UInt128(bigEndian: output)
    }
}
