/// Reads one answer from bytes that come in pieces of any size (RFC 9112).
///
/// Forgives what servers get wrong without harm (bare line feeds, folded header lines, a space
/// before a colon, odd control characters), as an answer refused is a postback sent again; but it
/// is then the last thing read from that connection. Whatever leaves in doubt where the answer ends
/// is malformed.
struct ClientResponseParser {
    enum Progress: Equatable {
        case needsMore
        case complete
        case malformed(String)
    }

    static let headBytesMax = 64 * 1024
    static let fieldsMax = 200
    /// Interim answers (RFC 9110, 15.2) before the real one.
    static let interimMax = 16

    private enum State {
        case head
        case length(UInt64)
        case chunked
        case untilClose
        case done
    }

    private let isHead: Bool
    private let bodyReadMax: Int
    private let bodyKeptMax: Int

    /// Whether any byte was seen: from then on the server has surely got the request.
    private(set) var hasStarted = false
    /// Whether the connection can carry another request; meaningful when complete.
    private(set) var mayKeepConnection = false
    /// The server's `Keep-Alive: timeout=`, in seconds.
    private(set) var keepAliveSeconds: Int?
    private(set) var isTruncated = false

    private var state = State.head
    private var head: [UInt8] = []
    /// Bytes of the head's current line but CR; an empty line ends the head.
    private var lineBytes = 0
    private var interimCount = 0
    private var status = 0
    private var reason = 0..<0
    private var fields: [ClientHeaders.Field] = []
    private var chunks = ClientChunks()
    /// Something in the head was forgiven.
    private var hasFault = false
    private var body: [UInt8] = []
    private var bodyBytesRead = 0

    init(isHead: Bool, bodyReadMax: Int, bodyKeptMax: Int) {
        self.isHead = isHead
        self.bodyReadMax = max(0, bodyReadMax)
        self.bodyKeptMax = max(0, bodyKeptMax)
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Progress {
        if !bytes.isEmpty { hasStarted = true }
        var rest = bytes
        while true {
            switch state {
            case .head:
                guard let taken = takeHead(rest) else {
                    return malformed("the header is larger than \(Self.headBytesMax) bytes")
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[taken.count...])
                if !taken.isWhole { return looksLikeHTTP() ? .needsMore : notHTTP() }
                if let problem = parseHead() { return malformed(problem) }
                continue
            case .length(let remaining):
                if remaining == 0 { return completed(surplus: rest.count) }
                if bodyBytesRead == bodyReadMax { return truncated() }
                if rest.isEmpty { return .needsMore }
                let count = Int(min(UInt64(rest.count), remaining))
                guard take(UnsafeRawBufferPointer(rebasing: rest[..<count])) else {
                    return truncated()
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                state = .length(remaining - UInt64(count))
            case .chunked:
                if chunks.isInData, bodyBytesRead == bodyReadMax { return truncated() }
                if rest.isEmpty { return .needsMore }
                switch chunks.next(rest) {
                case .skipped(let count):
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                case .data(let count):
                    guard take(UnsafeRawBufferPointer(rebasing: rest[..<count])) else {
                        return truncated()
                    }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                case .end(let count):
                    return completed(surplus: rest.count - count)
                case .malformed(let problem):
                    return malformed(problem)
                }
            case .untilClose:
                guard take(rest) else { return truncated() }
                return .needsMore
            case .done:
                return .complete
            }
        }
    }

    /// The connection ended. Nil: in the middle of the answer.
    ///
    /// - Parameter isDeliberate: false when it broke, or when TLS was ended without saying so, which
    ///   anybody on the way can bring about.
    mutating func end(isDeliberate: Bool) -> Progress? {
        guard case .untilClose = state else { return nil }
        if !isDeliberate { isTruncated = true }
        return completed(surplus: 0)
    }

    /// Only when complete.
    func response(milliseconds: Int, remoteAddress: String, usedKeptConnection: Bool)
        -> ClientResponse
    {
        ClientResponse(
            status: status,
            headers: ClientHeaders(bytes: head, fields: fields, reasonRange: reason), body: body,
            bodyBytesRead: bodyBytesRead, isTruncated: isTruncated, milliseconds: milliseconds,
            remoteAddress: remoteAddress, usedKeptConnection: usedKeptConnection)
    }

    // MARK: Outcomes

    private mutating func malformed(_ problem: String) -> Progress {
        state = .done
        mayKeepConnection = false
        return .malformed(problem)
    }

    private mutating func truncated() -> Progress {
        state = .done
        isTruncated = true
        mayKeepConnection = false
        return .complete
    }

    private mutating func completed(surplus: Int) -> Progress {
        state = .done
        // We never have two requests under way, so these bytes answer nothing.
        if surplus > 0 || hasFault || chunks.hasFault { mayKeepConnection = false }
        return .complete
    }

    /// False when there were more bytes than are to be read.
    private mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = min(bytes.count, bodyReadMax - bodyBytesRead)
        let kept = min(count, bodyKeptMax - body.count)
        if kept > 0 { body.append(contentsOf: bytes[..<kept]) }
        bodyBytesRead += count
        return count == bytes.count
    }

    // MARK: Head

    /// Moves bytes into `head` up to the empty line that ends it. Nil: the head is too large.
    private mutating func takeHead(_ bytes: UnsafeRawBufferPointer) -> (count: Int, isWhole: Bool)?
    {
        var count = 0
        var isWhole = false
        while !isWhole, count < bytes.count {
            let rest = bytes[count...]
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
                lineBytes += rest.count { $0 != UInt8(ascii: "\r") }
                count = bytes.count
                break
            }
            isWhole = lineBytes == 0 && rest[..<end].allSatisfy { $0 == UInt8(ascii: "\r") }
            lineBytes = 0
            count = end + 1
        }
        guard head.count + count <= Self.headBytesMax else { return nil }
        head.append(contentsOf: bytes[..<count])
        return (count, isWhole)
    }

    /// So that garbage is called garbage at once, and not when the time is up.
    private func looksLikeHTTP() -> Bool { zip(head, "HTTP/1.".utf8).allSatisfy { $0 == $1 } }

    private mutating func notHTTP() -> Progress {
        let start = head.prefix(32).map { $0 >= 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: ".") }
        return malformed("it begins with \"\(String(decoding: start, as: UTF8.self))\"")
    }

    /// Reads the complete head and decides how the body is delimited. Nil: go on.
    private mutating func parseHead() -> String? {
        guard looksLikeHTTP() else {
            guard case .malformed(let problem) = notHTTP() else { return nil }
            return problem
        }
        var framing = ClientFraming()
        var lineStart = 0
        var isFirst = true
        var index = 0
        while index < head.count {
            guard head[index] == UInt8(ascii: "\n") else {
                index += 1
                continue
            }
            var lineEnd = index
            if lineEnd > lineStart, head[lineEnd - 1] == UInt8(ascii: "\r") {
                lineEnd -= 1
            } else {
                hasFault = true
            }
            let line = lineStart..<lineEnd
            index += 1
            if let problem = isFirst ? parseStatusLine(line) : parseField(line) {
                return problem
            }
            isFirst = false
            lineStart = index
        }
        if status < 200 { return skipInterim() }
        for field in fields {
            if let problem = framing.note(field, in: head) { return problem }
        }
        let isHTTP10 = head[7] == UInt8(ascii: "0")
        mayKeepConnection = framing.mayKeepConnection(isHTTP10: isHTTP10)
        keepAliveSeconds = framing.keepAliveSeconds
        if isHead || status == 204 || status == 304 {
            state = .length(0)
            return nil
        }
        switch framing.body {
        case .length(let count):
            state = .length(count)
            body.reserveCapacity(min(Int(clamping: count), min(bodyKeptMax, bodyReadMax)))
        case .chunked: state = .chunked
        case .untilClose:
            state = .untilClose
            mayKeepConnection = false
        }
        return nil
    }

    private mutating func skipInterim() -> String? {
        guard status != 101 else {
            return "it switches to another protocol, which nobody asked for"
        }
        interimCount += 1
        guard interimCount <= Self.interimMax else { return "too many interim answers" }
        head.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        lineBytes = 0
        return nil
    }

    /// `HTTP/1.1 200 OK`; the prefix was looked at before.
    private mutating func parseStatusLine(_ line: Range<Int>) -> String? {
        guard line.count >= 12, isDigit(head[7]), head[8] == UInt8(ascii: " "),
            head[9..<12].allSatisfy(isDigit), head[9] != UInt8(ascii: "0"),
            line.count == 12 || head[12] == UInt8(ascii: " ")
        else { return "bad status line" }
        guard isText(line) else { return "control character in the status line" }
        status = head[9..<12].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        reason = min(13, line.upperBound)..<line.upperBound
        return nil
    }

    private mutating func parseField(_ line: Range<Int>) -> String? {
        if line.isEmpty { return nil }
        guard isText(line) else { return "control character in a header" }
        if isBlank(head[line.lowerBound]) {
            // A folded line (RFC 9112, 5.2) belongs to the value before it, joined by spaces.
            guard let last = fields.indices.last else { return "the first header line is indented" }
            hasFault = true
            for index in fields[last].value.upperBound..<line.lowerBound {
                head[index] = UInt8(ascii: " ")
            }
            fields[last].value = trimmed(fields[last].value.lowerBound..<line.upperBound)
            return nil
        }
        guard let colon = head[line].firstIndex(of: UInt8(ascii: ":")) else {
            return "a header line without a colon"
        }
        let name = trimmed(line.lowerBound..<colon)
        if name.upperBound < colon { hasFault = true }
        guard !name.isEmpty, head[name].allSatisfy(ClientRequest.isTokenByte) else {
            return "a bad header name"
        }
        guard fields.count < Self.fieldsMax else { return "more than \(Self.fieldsMax) headers" }
        fields.append(
            ClientHeaders.Field(name: name, value: trimmed((colon + 1)..<line.upperBound)))
        return nil
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isBlank(head[start]) { start += 1 }
        while end > start, isBlank(head[end - 1]) { end -= 1 }
        return start..<end
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// Nothing that ends a line or a string for some other reader. (A line has no LF by now.)
    private mutating func isText(_ line: Range<Int>) -> Bool {
        for byte in head[line] where byte < 0x20 || byte == 0x7f {
            if byte == 0 || byte == UInt8(ascii: "\r") { return false }
            if byte != 0x09 { hasFault = true }
        }
        return true
    }
}
