/// Takes the framing off a chunked body in place, however its bytes are split.
///
/// Strict by RFC 9112, 7.1: lines end with CRLF, sizes are plain hexadecimal, nothing stands
/// between size and CRLF but extensions, and extensions and trailers are checked, bounded and
/// dropped. Narrower in one thing: blanks around an extension's `;` and `=`, which only senders
/// that mean to confuse write, are refused.
struct ChunkedDecoder {
    enum Outcome: Equatable {
        case needsMore
        case done
        case refused(Refusal)
    }

    private enum Phase { case size, data, dataEnd, trailer, done }

    private let bodyMax: Int
    private let lineMax: Int
    private let extensionMax: Int
    private let trailerMax: Int
    private var phase = Phase.size
    private var remaining = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    /// Bytes of body decoded so far.
    private(set) var bodyCount = 0

    init(limits: ServerLimits) {
        bodyMax = limits.bodyBytesMax
        lineMax = limits.chunkLineBytesMax
        extensionMax = limits.chunkExtensionBytesMax
        trailerMax = limits.trailerBytesMax
    }

    /// Decodes `base[raw..<end]`, moving the body's bytes down to `decoded`.
    ///
    /// Both offsets advance past what is done; `decoded` never overtakes `raw`.
    mutating func decode(
        _ base: UnsafeMutableRawPointer, decoded: inout Int, raw: inout Int, end: Int
    ) -> Outcome {
        while true {
            switch phase {
            case .size:
                switch line(base, raw, end, max: lineMax) {
                case .needsMore: return .needsMore
                case .refused(let refusal): return .refused(refusal)
                case .line(let lineEnd, let next):
                    if let refusal = readSize(base, raw, lineEnd) { return .refused(refusal) }
                    raw = next
                }
            case .data:
                let count = min(remaining, end - raw)
                if count == 0 { return .needsMore }
                if decoded != raw {
                    (base + decoded).copyMemory(from: base + raw, byteCount: count)
                }
                decoded += count
                raw += count
                bodyCount += count
                remaining -= count
                if remaining == 0 { phase = .dataEnd }
            case .dataEnd:
                guard raw < end else { return .needsMore }
                guard Scan.byte(base, raw) == Scan.carriageReturn,
                    raw + 1 == end || Scan.byte(base, raw + 1) == Scan.lineFeed
                else { return .refused(.bad("A chunk does not end with CRLF.\n")) }
                guard raw + 1 < end else { return .needsMore }
                raw += 2
                phase = .size
            case .trailer:
                switch line(base, raw, end, max: trailerMax) {
                case .needsMore: return .needsMore
                case .refused: return .refused(.headersTooLarge)
                case .line(let lineEnd, let next):
                    if let refusal = readTrailer(base, raw, lineEnd, next) {
                        return .refused(refusal)
                    }
                    raw = next
                }
            case .done:
                return .done
            }
        }
    }

    private enum Line {
        case needsMore
        case refused(Refusal)
        /// Its last byte before CRLF (exclusive), and the next line's first.
        case line(end: Int, next: Int)
    }

    private func line(_ base: UnsafeRawPointer, _ start: Int, _ end: Int, max: Int) -> Line {
        let tooLong = Line.refused(.bad("A line of the chunked body is too long.\n"))
        guard let feed = Scan.firstIndex(of: Scan.lineFeed, base, from: start, to: end) else {
            return end - start > max ? tooLong : .needsMore
        }
        if feed + 1 - start > max { return tooLong }
        // A bare LF is found by the caller: the byte before it is then not CR.
        return .line(end: feed - 1, next: feed + 1)
    }

    private mutating func readSize(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Refusal? {
        guard end > start, Scan.byte(base, end) == Scan.carriageReturn else {
            return .bad("A chunk size is missing or does not end with CRLF.\n")
        }
        var size = 0
        var position = start
        while position < end, let digit = Self.hexDigit(Scan.byte(base, position)) {
            // Sixteen digits may overflow, fifteen can't.
            guard position - start < 15 else { return .bad("A chunk size is too long.\n") }
            size = size << 4 | digit
            position += 1
        }
        guard position > start else { return .bad("A chunk size is not hexadecimal.\n") }
        guard Self.areExtensions(base, position, end) else {
            return .bad("A chunk size is followed by something else than extensions.\n")
        }
        extensionBytes += end - position
        guard extensionBytes <= extensionMax else {
            return .bad("The chunk extensions are too long.\n")
        }
        guard size <= bodyMax - bodyCount else { return .bodyTooLarge }
        remaining = size
        phase = size == 0 ? .trailer : .data
        return nil
    }

    private mutating func readTrailer(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ next: Int
    ) -> Refusal? {
        guard end >= start, Scan.byte(base, end) == Scan.carriageReturn else {
            return .bad("A trailer line does not end with CRLF.\n")
        }
        if end == start {
            phase = .done
            return nil
        }
        trailerBytes += next - start
        if trailerBytes > trailerMax { return .headersTooLarge }
        var position = start
        while position < end, Scan.tokenTable[Int(Scan.byte(base, position))] != 0 {
            position += 1
        }
        guard position > start, position < end, Scan.byte(base, position) == Scan.colon,
            Self.isText(base, position, end)
        else { return .bad("A trailer line is not a header field.\n") }
        return nil
    }

    /// `*( ";" name [ "=" ( token / quoted-string ) ] )` up to `end`.
    private static func areExtensions(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        var position = start
        func skipToken() -> Bool {
            let first = position
            while position < end, Scan.tokenTable[Int(Scan.byte(base, position))] != 0 {
                position += 1
            }
            return position > first
        }
        while position < end {
            guard Scan.byte(base, position) == UInt8(ascii: ";") else { return false }
            position += 1
            guard skipToken() else { return false }
            guard position < end, Scan.byte(base, position) == UInt8(ascii: "=") else { continue }
            position += 1
            if position < end, Scan.byte(base, position) == UInt8(ascii: "\"") {
                guard skipQuoted(base, &position, end) else { return false }
            } else if !skipToken() {
                return false
            }
        }
        return true
    }

    /// RFC 9110, 5.6.4; `position` is at the opening quote.
    private static func skipQuoted(_ base: UnsafeRawPointer, _ position: inout Int, _ end: Int)
        -> Bool
    {
        position += 1
        while position < end {
            let byte = Scan.byte(base, position)
            position += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\") {
                guard position < end, isText(Scan.byte(base, position)) else { return false }
                position += 1
            } else if !isText(byte) {
                return false
            }
        }
        return false
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7f || byte == Scan.tab
    }

    private static func isText(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        var position = Scan.firstControl(base, from: start, to: end)
        while position < end, Scan.byte(base, position) == Scan.tab {
            position = Scan.firstControl(base, from: position + 1, to: end)
        }
        return position == end
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        guard Scan.isHexDigit(byte) else { return nil }
        return Scan.isDigit(byte) ? Int(byte) - 48 : Int(Scan.lower(byte)) - 87
    }
}
