/// Whether what stands behind a chunk's size is what the grammar has there (RFC 9112, 7.1.1), told
/// byte by byte from behind the first semicolon.
///
/// Without the blanks that a recipient must bear with around `;` and `=`, which nobody sends: the
/// worst that comes of not being whole is a connection that isn't used again.
struct ClientChunkExtension {
    private enum State {
        case nameStart
        case name
        case valueStart
        case value
        case quoted
        case escaped
        case quotedEnd
        case malformed
    }

    private var state = State.nameStart

    /// Whether the line may end here. A quoted value goes on, also for a reader that lets it run over
    /// the line's end.
    var isWhole: Bool {
        switch state {
        case .name, .value, .quotedEnd: true
        case .nameStart, .valueStart, .quoted, .escaped, .malformed: false
        }
    }

    mutating func take(_ byte: UInt8) {
        switch state {
        case .nameStart:
            state = ClientRequest.isTokenByte(byte) ? .name : .malformed
        case .name:
            if byte == UInt8(ascii: "=") {
                state = .valueStart
            } else if !ClientRequest.isTokenByte(byte) {
                endItem(byte)
            }
        case .valueStart:
            if byte == UInt8(ascii: "\"") {
                state = .quoted
            } else {
                state = ClientRequest.isTokenByte(byte) ? .value : .malformed
            }
        case .value:
            if !ClientRequest.isTokenByte(byte) { endItem(byte) }
        case .quoted:
            switch byte {
            case UInt8(ascii: "\""): state = .quotedEnd
            case UInt8(ascii: "\\"): state = .escaped
            default: if !Self.isText(byte) { state = .malformed }
            }
        case .escaped:
            state = Self.isText(byte) ? .quoted : .malformed
        case .quotedEnd:
            endItem(byte)
        case .malformed:
            break
        }
    }

    private mutating func endItem(_ byte: UInt8) {
        state = byte == UInt8(ascii: ";") ? .nameStart : .malformed
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f || byte == 0x09
    }
}
