internal import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    public static let byteCount = 32

    public static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            let result = EVP_Digest(
                bytes.baseAddress, bytes.count, output.baseAddress, nil, algorithm.pointer, nil)
            precondition(result == 1, "SHA-256 is not available")
            count = byteCount
        }
    }

    public static func digest(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { digest($0) }
    }

    /// 64 lower-case hexadecimal digits.
    public static func hex(_ bytes: [UInt8]) -> String { Hex.text(digest(bytes)) }

    /// The same of the text's UTF-8.
    public static func hex(_ text: String) -> String { hex(Array(text.utf8)) }

    /// Fetched once: OpenSSL 3 otherwise looks the algorithm up by name for each digest.
    static let algorithm = Algorithm(name: "SHA256")
}

/// A digest algorithm of OpenSSL's, kept for the life of the process.
// Unchecked: OpenSSL never changes a fetched algorithm, and documents it as shareable by threads.
struct Algorithm: @unchecked Sendable {
    let pointer: OpaquePointer

    init(name: String) {
        guard let pointer = EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("this OpenSSL has no \(name)")
        }
        self.pointer = pointer
    }
}

extension SHA256 {
    /// The digest of bytes that come one part after the other.
    // OpenSSL's context is this object's own and freed with it.
    public final class Running {
        private let context: OpaquePointer

        public init() {
            guard let context = EVP_MD_CTX_new(),
                EVP_DigestInit_ex2(context, SHA256.algorithm.pointer, nil) == 1
            else { preconditionFailure("SHA-256 is not available") }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        public func update(_ bytes: UnsafeRawBufferPointer) {
            let result = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
            precondition(result == 1, "SHA-256 is not available")
        }

        /// 64 lower-case hexadecimal digits of all there was. To be called once, at the end.
        public func finishHex() -> String {
            let digest = [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { output, count in
                let result = EVP_DigestFinal_ex(context, output.baseAddress, nil)
                precondition(result == 1, "a digest is finished once")
                count = SHA256.byteCount
            }
            return Hex.text(digest)
        }
    }
}
