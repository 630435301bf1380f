import COpenSSL

/// The ciphertext on its way into and out of one `TLSSession`, as OpenSSL sees it: a BIO.
///
/// OpenSSL's own memory BIO keeps the memory of the largest burst for as long as it lives, which
/// ten thousand idle connections would feel. This one gives it back as soon as it is empty.
// Belongs to its session, so to one thread at a time.
final class TLSBytes {
    /// From the peer; OpenSSL has taken what is before `incomingStart`.
    private var incoming: [UInt8] = []
    private var incomingStart = 0
    /// For the peer.
    private(set) var outgoing: [UInt8] = []

    func feed(_ bytes: UnsafeRawBufferPointer) { incoming.append(contentsOf: bytes) }

    func takeOutgoing() -> [UInt8] {
        let bytes = outgoing
        outgoing = []
        return bytes
    }

    /// A BIO over these bytes, which must outlive it; nil when memory is out.
    func makeBIO() -> OpaquePointer? {
        guard let method = OpaquePointer(bitPattern: Self.method), let bio = BIO_new(method) else {
            return nil
        }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    /// Zero when OpenSSL can't make it. As a number because pointers aren't Sendable; it is made
    /// once, never changed and never freed.
    private static let method: UInt = {
        guard
            let method = BIO_meth_new(
                BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "clickrelay bytes")
        else { return 0 }
        BIO_meth_set_read(method) { bio, buffer, count in
            guard let bio, let buffer, count > 0, let bytes = of(bio) else { return 0 }
            BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            let taken = bytes.take(UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)))
            if taken > 0 { return Int32(taken) }
            // Not the end: more may be fed.
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        BIO_meth_set_write(method) { bio, buffer, count in
            guard let bio, let buffer, count > 0, let bytes = of(bio) else { return 0 }
            bytes.outgoing.append(
                contentsOf: UnsafeRawBufferPointer(start: buffer, count: Int(count)))
            return count
        }
        // Everything is flushed as it is written; no other control is known.
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return UInt(bitPattern: method)
    }()

    private static func of(_ bio: OpaquePointer) -> TLSBytes? {
        BIO_get_data(bio).map { Unmanaged<TLSBytes>.fromOpaque($0).takeUnretainedValue() }
    }

    private func take(_ room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, incoming.count - incomingStart)
        guard count > 0 else { return 0 }
        incoming.withUnsafeBytes {
            room.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: $0[incomingStart..<incomingStart + count]))
        }
        incomingStart += count
        if incomingStart == incoming.count {
            incoming = []
            incomingStart = 0
        }
        return count
    }
}
