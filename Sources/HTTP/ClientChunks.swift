/// Undoes the chunked coding (RFC 9112, 7.1) of bytes that come in pieces of any size.
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
            switch state {
            case .size, .sizeExtension:
                if let problem = takeSize(byte) { return .malformed(problem) }
            case .dataEnd:
                if byte == UInt8(ascii: "\n") {
                    startLine(.size)
                } else if byte != UInt8(ascii: "\r") || lineBytes > 0 {
                    return .malformed("a chunk is longer than it says")
                } else {
                    lineBytes += 1
                }
            case .trailer:
                trailerBytes += 1
                guard trailerBytes <= Self.trailerBytesMax else {
                    return .malformed("the trailer is too large")
                }
                if byte == UInt8(ascii: "\n") {
                    if lineBytes == 0 { return .end(count) }
                    lineBytes = 0
                } else if byte != UInt8(ascii: "\r") {
                    lineBytes += 1
                }
            case .data:
                // Only what the size line led to: the rest is for the next call.
                return .skipped(count - 1)
            }
            if case .data = state { return .skipped(count) }
        }
        return .skipped(count)
    }

    private mutating func takeSize(_ byte: UInt8) -> String? {
        lineBytes += 1
        guard lineBytes <= Self.lineBytesMax else { return "a chunk's size line is too long" }
        if byte == UInt8(ascii: "\n") {
            guard digitCount > 0 else { return "a chunk without a size" }
            let finished = size
            startLine(finished == 0 ? .trailer : .data(finished))
            return nil
        }
        if case .sizeExtension = state { return nil }
        if let digit = hexDigit(byte) {
            // Fifteen digits stay far below what 64 bits hold, and above what anybody sends.
            guard digitCount < 15 else { return "a chunk's size is out of range" }
            digitCount += 1
            size = size << 4 | UInt64(digit)
            return nil
        }
        switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
            state = .sizeExtension
            return nil
        default: return "a chunk's size is not a number"
        }
    }

    private mutating func startLine(_ next: State) {
        // After data its line end follows, of which nothing was counted yet.
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
