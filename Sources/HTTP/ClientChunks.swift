/// Undoes the chunked coding (RFC 9112, 7.1) of bytes that come in pieces of any size.
///
/// Forgives bare line feeds and blanks behind a size, which leave no doubt where the body ends.
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
        case sizeExtension
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
            return byte == 0 ? "a NUL in the trailer" : nil
        case .size, .sizeBlank, .sizeExtension:
            guard lineBytes <= Self.lineBytesMax else { return "a chunk's size line is too long" }
            return takeSize(byte)
        }
    }

    private mutating func takeSize(_ byte: UInt8) -> String? {
        if case .sizeExtension = state { return byte == 0 ? "a NUL in a chunk's extension" : nil }
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
            state = .sizeExtension
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            state = .sizeBlank
            hasFault = true
        default: return "a chunk's size is not a number"
        }
        return nil
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
            let finished = size
            startLine(finished == 0 ? .trailer : .data(finished))
            return finished == 0 ? .goOn : .body
        case .dataEnd:
            startLine(.size)
            return .goOn
        case .trailer:
            if lineBytes == 0 { return .end }
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
