/// Undoes the chunked coding (RFC 9112, 7.1) of bytes that come in pieces of any size.
///
/// Forgives bare line feeds, blanks behind a size and whatever stands in extensions and trailers,
/// which leave no doubt where this body ends.
struct ClientChunks {
    enum Step: Equatable {
        /// This many bytes are not part of the body.
        case skipped(Int)
        /// This many bytes are body.
        case data(Int)
        /// The body ends after this many bytes more.
        case end(Int)
        case malformed(String)
    }

    static let lineBytesMax = 4096
    static let trailerBytesMax = 8192

    private enum State {
        case size
        case sizeBlank
        case sizeExtension(ClientChunkExtension)
        case data(UInt64)
        case dataEnd
        case trailer
    }

    private var state = State.size
    private var size: UInt64 = 0
    private var digitCount = 0
    /// Bytes of the current line; for the trailer, of all its lines.
    private var lineBytes = 0
    private var trailerBytes = 0
    /// The trailer's current line is past its name.
    private var isInTrailerValue = false
    /// The byte before was a CR, so this one must be LF.
    private var isAfterReturn = false
    /// Something was forgiven.
    private(set) var hasFault = false

    /// Whether at least one more byte of body must follow.
    var isInData: Bool {
        if case .data = state { return true }
        return false
    }

    /// What the first bytes of `bytes`, which must not be empty, are.
    mutating func next(_ bytes: UnsafeRawBufferPointer) -> Step {
        if case .data(let remaining) = state {
            let count = Int(min(UInt64(bytes.count), remaining))
            let left = remaining - UInt64(count)
            state = left == 0 ? .dataEnd : .data(left)
            return .data(count)
        }
        var count = 0
        while count < bytes.count {
            let byte = bytes[count]
            count += 1
            if byte == UInt8(ascii: "\n") {
                if !isAfterReturn { hasFault = true }
                isAfterReturn = false
                switch endLine() {
                case .goOn: continue
                case .body: return .skipped(count)
                case .end: return .end(count)
                case .malformed(let problem): return .malformed(problem)
                }
            }
            if isAfterReturn { return .malformed("a carriage return inside a chunk's framing") }
            if byte == UInt8(ascii: "\r") {
                isAfterReturn = true
            } else if let problem = take(byte) {
                return .malformed(problem)
            }
        }
        return .skipped(count)
    }

    /// Any byte of a line but its end.
    private mutating func take(_ byte: UInt8) -> String? {
        lineBytes += 1
        switch state {
        case .data, .dataEnd: return "a chunk is longer than it says"
        case .trailer:
            trailerBytes += 1
            guard trailerBytes <= Self.trailerBytesMax else { return "the trailer is too large" }
            if byte == 0 { return "a NUL in the trailer" }
            noteTrailer(byte)
            return nil
        case .size, .sizeBlank, .sizeExtension:
            guard lineBytes <= Self.lineBytesMax else { return "a chunk's size line is too long" }
            return takeSize(byte)
        }
    }

    private mutating func takeSize(_ byte: UInt8) -> String? {
        if case .sizeExtension(var parameters) = state {
            if byte == 0 { return "a NUL in a chunk's extension" }
            parameters.take(byte)
            state = .sizeExtension(parameters)
            return nil
        }
        if case .size = state, let digit = hexDigit(byte) {
            // Fifteen digits stay far below what 64 bits hold, and above what anybody sends.
            guard digitCount < 15 else { return "a chunk's size is out of range" }
            digitCount += 1
            size = size << 4 | UInt64(digit)
            return nil
        }
        guard digitCount > 0 else { return "a chunk without a size" }
        switch byte {
        case UInt8(ascii: ";"):
            state = .sizeExtension(ClientChunkExtension())
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            state = .sizeBlank
            hasFault = true
        default: return "a chunk's size is not a number"
        }
        return nil
    }

    /// A trailer is dropped, so that one that is no field does no harm to this answer.
    private mutating func noteTrailer(_ byte: UInt8) {
        if isInTrailerValue {
            if byte < 0x20 && byte != 0x09 || byte == 0x7f { hasFault = true }
        } else if byte == UInt8(ascii: ":"), lineBytes > 1 {
            isInTrailerValue = true
        } else if !ClientRequest.isTokenByte(byte) {
            hasFault = true
        }
    }

    private enum LineEnd {
        case goOn
        /// The body's next bytes follow.
        case body
        /// The body is complete.
        case end
        case malformed(String)
    }

    private mutating func endLine() -> LineEnd {
        switch state {
        case .size, .sizeBlank, .sizeExtension:
            guard digitCount > 0 else { return .malformed("a chunk without a size") }
            if case .sizeExtension(let parameters) = state, !parameters.isWhole { hasFault = true }
            let finished = size
            startLine(finished == 0 ? .trailer : .data(finished))
            return finished == 0 ? .goOn : .body
        case .dataEnd:
            startLine(.size)
            return .goOn
        case .trailer:
            if lineBytes == 0 { return .end }
            if !isInTrailerValue { hasFault = true }
            isInTrailerValue = false
            lineBytes = 0
            return .goOn
        case .data:
            return .body
        }
    }

    private mutating func startLine(_ next: State) {
        state = next
        size = 0
        digitCount = 0
        lineBytes = 0
    }

    private func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
