internal import Net

/// The TLS side of one connection: between its socket and the plain text it reads and writes.
///
/// OpenSSL's part is made with the client's first bytes, so that silent connections cost little.
/// Besides what OpenSSL holds of a record that is not complete, it keeps the ciphertext that the
/// socket did not take: of one record at most, and `protocolBytesMax` of TLS's own messages.
// Confined to its server's loop, like its connection.
final class SecureTransport {
    enum Received: Equatable {
        /// So much plain text, at the buffer's start.
        case bytes(Int)
        case nothing
        /// The client sends no more.
        case end
        /// The client speaks what looks like plain HTTP.
        case notTLS
        /// What the client sent breaks TLS; it was told why. Only closing is left.
        case broken
        /// The socket or the memory failed.
        case failed
    }

    /// The most that is read from a socket at once. Together with a record begun earlier it stays
    /// below the size of the server's buffer for plain text.
    static let readBytesMax = 32 * 1024
    /// One record (RFC 8446, 5.1).
    private static let recordBytesMax = 16 * 1024
    /// What a client may send before the handshake is complete. OpenSSL alone would keep twice that
    /// of a client's first message.
    private static let handshakeBytesMax = 64 * 1024
    /// What one turn encrypts for one connection, so that others get their turn.
    private static let turnBytesMax = 256 * 1024
    /// A client can make us answer messages of the protocol (key updates). One that takes none of
    /// the answers is left at this.
    private static let protocolBytesMax = 64 * 1024

    private let context: TLSContext
    private let descriptor: Int32
    private let pool: BufferPool
    private var session: TLSSession?
    private var handshakeBytes = 0
    /// Ciphertext that the socket did not take yet.
    private let unsent = PooledBytes()
    /// So much plain text stands at the front of the connection's output until its ciphertext has
    /// left `unsent`; at least one byte, while any of it is there.
    private var plainInFlight = 0
    /// We have said or been refused our goodbye: nothing can be written any more.
    private var isOver = false

    /// The client has said that it sends no more.
    private(set) var isInputEnded = false
    private(set) var isEstablished = false

    init(_ context: TLSContext, descriptor: Int32, pool: BufferPool) {
        self.context = context
        self.descriptor = descriptor
        self.pool = pool
    }

    /// The client has begun a handshake.
    var hasBegun: Bool { session != nil }
    var hasUnsent: Bool { !unsent.isEmpty }

    // MARK: Reading

    /// Reads from the socket once and decrypts everything that came.
    ///
    /// - Parameter note: is told what came of the socket.
    func receive(
        through ciphertext: UnsafeMutableRawBufferPointer,
        into plain: UnsafeMutableRawBufferPointer, note: (Transfer) -> Void
    ) -> Received {
        let count: Int
        let received = Socket.read(descriptor, into: ciphertext)
        note(received)
        switch received {
        case .bytes(let read): count = read
        case .wouldBlock: return .nothing
        case .end: return .end
        case .failed: return .failed
        }
        do throws(TLSError) {
            let session: TLSSession
            if let begun = self.session {
                session = begun
            } else {
                // A record of a handshake (RFC 8446, 5.1), or the first letter of a method.
                guard let first = ciphertext.first, first == 22 else {
                    return ciphertext.first.map(Self.isLetter) == true ? .notTLS : .failed
                }
                session = try context.accept()
                self.session = session
            }
            if !isEstablished {
                handshakeBytes += count
                guard handshakeBytes <= Self.handshakeBytesMax else { return .failed }
            }
            session.feed(UnsafeRawBufferPointer(rebasing: ciphertext[..<count]))
            isEstablished = try session.handshake()
            // A client's first request often comes with its last message of the handshake.
            let decrypted = isEstablished ? try decrypt(session, into: plain) : 0
            guard push() != nil else { return .failed }
            if decrypted > 0 { return .bytes(decrypted) }
            return isInputEnded ? .end : .nothing
        } catch {
            // OpenSSL has left an alert. When it can't be sent, the connection closes without.
            _ = push()
            isOver = true
            return .broken
        }
    }

    private func decrypt(_ session: TLSSession, into plain: UnsafeMutableRawBufferPointer)
        throws(TLSError) -> Int
    {
        var count = 0
        while count < plain.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: plain[count...])
            switch try session.read(into: room) {
            case .bytes(let read): count += read
            case .needsInput: return count
            case .closed:
                isInputEnded = true
                return count
            }
        }
        throw TLSError("more plain text than ciphertext")
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xdf)
    }

    // MARK: Writing

    /// Sends as much of `bytes`, the connection's whole output, as the socket takes. With none, the
    /// protocol's own messages only.
    ///
    /// Counted as sent, for the caller to take off the front, is what has left us as ciphertext.
    ///
    /// - Parameter isLast: nothing follows, so that TLS's goodbye can go with it.
    func transmit(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> Transfer {
        var taken = 0
        repeat {
            // What is in flight is encrypted already.
            if plainInFlight == 0, taken < bytes.count {
                let end = min(bytes.count, taken + Self.recordBytesMax)
                guard encrypt(bytes[taken..<end], isLast: isLast && end == bytes.count) else {
                    return .failed(0)
                }
                plainInFlight = end - taken
            }
            guard let sent = push() else { return .failed(0) }
            if hasUnsent {
                // Some progress is told at once: deadlines are kept by it.
                let credit = min(sent, max(0, plainInFlight - 1))
                plainInFlight -= credit
                taken += credit
                break
            }
            taken += plainInFlight
            plainInFlight = 0
        } while taken < bytes.count && taken < Self.turnBytesMax
        return taken > 0 ? .bytes(taken) : .wouldBlock
    }

    private func encrypt(_ bytes: Slice<UnsafeRawBufferPointer>, isLast: Bool) -> Bool {
        guard let session, isEstablished, !isOver else { return false }
        do throws(TLSError) {
            try session.write(UnsafeRawBufferPointer(rebasing: bytes))
        } catch {
            isOver = true
            return false
        }
        if isLast { sayGoodbye(session) }
        return true
    }

    private func sayGoodbye(_ session: TLSSession) {
        session.close()
        isOver = true
    }

    /// Sends what OpenSSL has left for the client, after what was left over; returns how many
    /// bytes of ciphertext the socket took, nil when it failed or a bound is reached.
    private func push() -> Int? {
        var sent = 0
        if let session, session.hasOutput {
            let output = session.takeOutput()
            let isTried = unsent.isEmpty
            let isKept = output.withUnsafeBytes { bytes in
                if isTried {
                    switch Socket.write(descriptor, bytes) {
                    case .bytes(let count): sent = count
                    case .wouldBlock: break
                    case .end, .failed: return false
                    }
                    if sent == bytes.count { return true }
                }
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return unsent.count + rest.count <= Self.recordBytesMax + Self.protocolBytesMax
                    && unsent.append(rest, pool)
            }
            guard isKept else { return nil }
            // What the socket did not take just now it does not take now.
            if isTried { return sent }
        }
        guard hasUnsent else { return sent }
        switch Socket.write(descriptor, unsent.bytes) {
        case .bytes(let count):
            unsent.consume(count, pool)
            return count
        case .wouldBlock: return 0
        case .end, .failed: return nil
        }
    }

    // MARK: Closing

    /// Says goodbye where that's possible without waiting. Nothing can be written after it.
    func finish() {
        guard let session, isEstablished, !isOver else { return }
        // In the middle of a record it would not be understood.
        isOver = true
        guard !hasUnsent else { return }
        sayGoodbye(session)
        // Nobody waits for it to arrive.
        _ = push()
    }

    /// To be called once, before the socket is closed.
    func release() {
        finish()
        unsent.release(pool)
        session = nil
    }
}
