/// Why a cryptographic object could not be made.
public enum CryptoError: Error, Sendable, Equatable {
    /// A key of this many bytes does not fit.
    case keyLength(Int)
    /// This build of OpenSSL does not offer the algorithm, or there is no memory left.
    case unavailable(String)
}
