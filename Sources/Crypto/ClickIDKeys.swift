public import Domain
internal import Synchronization

/// The installation's click ID keys: the newest issues, all of them verify.
///
/// Shared by all threads behind a lock; an event loop that issues IDs takes its own
/// `ClickIDCipher` of the newest key instead.
public final class ClickIDKeys: ClickIDSealing {
    // Unchecked because a cipher is for one thread at a time: the mutex sees to that.
    private struct Ciphers: @unchecked Sendable { let newestFirst: [ClickIDCipher] }
    private let ciphers: Mutex<Ciphers>
    /// Newest first: what other keys of the installation are derived from.
    public let allKeys: [[UInt8]]
    /// What a loop's own cipher is made from.
    public var newestKey: [UInt8] { allKeys[0] }

    /// - Parameter keys: oldest first, 16 bytes each, at least one.
    public init(_ keys: [[UInt8]]) throws(CryptoError) {
        var newestFirst: [ClickIDCipher] = []
        for key in keys.reversed() { newestFirst.append(try ClickIDCipher(key: key)) }
        precondition(!newestFirst.isEmpty, "an installation has at least one click ID key")
        allKeys = keys.reversed()
        ciphers = Mutex(Ciphers(newestFirst: newestFirst))
    }

    public func seal(_ identity: ClickIdentity) -> ClickID {
        ciphers.withLock { ClickID(block: $0.newestFirst[0].encrypt(identity.plainBlock)) }
    }

    public func open(_ clickID: ClickID) -> ClickIdentity? {
        ciphers.withLock { ciphers in
            for cipher in ciphers.newestFirst {
                if let identity = ClickIdentity(plainBlock: cipher.decrypt(clickID.block)) {
                    return identity
                }
            }
            return nil
        }
    }
}
