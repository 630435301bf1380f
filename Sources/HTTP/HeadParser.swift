/// Where one header field is, relative to the request's first byte.
struct HeaderField {
    var nameStart: Int32
    var nameCount: Int32
    var valueStart: Int32
    var valueCount: Int32
}

enum HeadOutcome: Equatable {
    /// More bytes are needed. Trying again makes sense when another line feed has arrived or when
    /// there are `recheckAt` bytes, at which a limit is exceeded even without one.
    case incomplete(recheckAt: Int)
    /// The head ends after this many bytes; the parser's properties describe it.
    case complete(Int)
    case refused(Refusal)
}

/// Parses a request's head, strictly by RFC 9112. One per loop: its table is reused.
///
/// A line is judged only when its line feed has arrived, so that the outcome does not depend on
/// how the bytes were split on their way.
final class HeadParser {
    private let requestLineMax: Int
    private let headerBytesMax: Int
    private let fieldsMax: Int
    private let tokens = Scan.tokenTable

    /// `fieldCount` of them are valid.
    let fields: UnsafeMutablePointer<HeaderField>
    private(set) var fieldCount = 0
    private(set) var method = Method.other
    private(set) var methodBytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var target = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var path = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var query = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var host = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var isHTTP10 = false
    private(set) var keepsAlive = true
    private(set) var expectsContinue = false
    private(set) var isChunked = false
    /// Nil when the request has no Content-Length. May be more than is allowed.
    private(set) var contentLength: Int?

    private var hasHost = false
    private var hasTransferEncoding = false
    private var saysClose = false
    private var saysKeepAlive = false

    init(limits: ServerLimits) {
        requestLineMax = limits.requestLineBytesMax
        headerBytesMax = limits.headerBytesMax
        fieldsMax = limits.headerFieldsMax
        fields = .allocate(capacity: fieldsMax)
    }

    deinit { fields.deallocate() }

    /// `count` bytes at `base`, which must stay in place while the properties are used.
    func parse(_ base: UnsafeRawPointer, count: Int) -> HeadOutcome {
        fieldCount = 0
        method = .other
        contentLength = nil
        isChunked = false
        hasHost = false
        hasTransferEncoding = false
        saysClose = false
        saysKeepAlive = false
        expectsContinue = false
        host = UnsafeRawBufferPointer(start: base, count: 0)

        var position = Self.skipEmptyLine(base, count)
        if let outcome = parseRequestLine(base, &position, count) { return outcome }
        if let outcome = parseFields(base, &position, count) { return outcome }
        if let refusal = judge(base) { return .refused(refusal) }
        return .complete(position)
    }

    // MARK: Request line

    /// One empty line before a request is left over by some clients' forms (RFC 9112, 2.2).
    private static func skipEmptyLine(_ base: UnsafeRawPointer, _ count: Int) -> Int {
        count >= 2 && Scan.byte(base, 0) == Scan.carriageReturn
            && Scan.byte(base, 1) == Scan.lineFeed ? 2 : 0
    }

    private func parseRequestLine(_ base: UnsafeRawPointer, _ position: inout Int, _ count: Int)
        -> HeadOutcome?
    {
        let lineStart = position
        func stop(_ reason: StaticString) -> HeadOutcome {
            stopInRequestLine(base, lineStart, count, .bad(reason))
        }
        var end = lineStart
        while end < count, tokens[Int(Scan.byte(base, end))] != 0 { end &+= 1 }
        guard end > lineStart, end < count, Scan.byte(base, end) == Scan.space else {
            return stop("The method is not a token followed by one space.\n")
        }
        methodBytes = UnsafeRawBufferPointer(start: base + lineStart, count: end - lineStart)
        method = Method(methodBytes)

        let targetStart = end &+ 1
        let targetEnd = Scan.firstOutsideTarget(base, from: targetStart, to: count)
        guard targetEnd > targetStart, targetEnd < count,
            Scan.byte(base, targetEnd) == Scan.space
        else { return stop("The request target is empty or has an invalid character.\n") }

        let version = targetEnd &+ 1
        guard version &+ 10 <= count,
            Scan.byte(base, version &+ 8) == Scan.carriageReturn,
            Scan.byte(base, version &+ 9) == Scan.lineFeed
        else { return stop(Self.versionMalformed) }
        // Unless there is a line feed in the middle of it, which would make the line a shorter one.
        guard version &+ 8 &- lineStart <= requestLineMax else {
            return stop(Self.versionMalformed)
        }
        if let refusal = readVersion(base + version) { return .refused(refusal) }
        position = version &+ 10
        target = UnsafeRawBufferPointer(start: base + targetStart, count: targetEnd - targetStart)
        return nil
    }

    /// One reason for both ways to find out: with a line feed in the middle of the version it
    /// depends on how the bytes were split which is first.
    private static let versionMalformed: StaticString =
        "The request line does not end with HTTP/1.1 or HTTP/1.0 and CRLF.\n"

    /// "HTTP/1.1" and "HTTP/1.0" as little-endian words.
    private static let http11: UInt64 = 0x312e_312f_5054_5448
    private static let http10: UInt64 = 0x302e_312f_5054_5448

    private func readVersion(_ start: UnsafeRawPointer) -> Refusal? {
        let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
        isHTTP10 = word == Self.http10
        if word == Self.http11 || isHTTP10 { return nil }
        let bytes = UnsafeRawBufferPointer(start: start, count: 8)
        guard Scan.equals(UnsafeRawBufferPointer(rebasing: bytes.prefix(5)), "HTTP/"),
            Scan.isDigit(bytes[5]), bytes[6] == UInt8(ascii: "."), Scan.isDigit(bytes[7])
        else { return .bad(Self.versionMalformed) }
        // A higher minor version is answered as the highest we know (RFC 9110, 2.5).
        return bytes[5] == UInt8(ascii: "1") ? nil : .versionUnknown
    }

    /// The outcome for a line that is wrong or not all there: only a whole line is judged, and
    /// its length before its contents.
    private func stopInRequestLine(
        _ base: UnsafeRawPointer, _ lineStart: Int, _ count: Int, _ refusal: Refusal
    ) -> HeadOutcome {
        guard let end = Scan.firstIndex(of: Scan.lineFeed, base, from: lineStart, to: count) else {
            // One more than the limit may still be the CR.
            return count - lineStart > requestLineMax + 1
                ? .refused(.targetTooLong)
                : .incomplete(recheckAt: lineStart + requestLineMax + 2)
        }
        let hasReturn = end > lineStart && Scan.byte(base, end - 1) == Scan.carriageReturn
        let length = end - lineStart - (hasReturn ? 1 : 0)
        return .refused(length > requestLineMax ? .targetTooLong : refusal)
    }

    /// Of a request line that was refused for its length, the method and the target's beginning;
    /// nothing is known of the rest.
    ///
    /// - Returns: false when it isn't one for a path, or holds what a target can't.
    func parseOversizedLine(_ base: UnsafeRawPointer, count: Int) -> Bool {
        fieldCount = 0
        isHTTP10 = false
        keepsAlive = false
        host = UnsafeRawBufferPointer(start: base, count: 0)
        let lineStart = Self.skipEmptyLine(base, count)
        var end = lineStart
        while end < count, tokens[Int(Scan.byte(base, end))] != 0 { end &+= 1 }
        guard end > lineStart, end < count, Scan.byte(base, end) == Scan.space else { return false }
        let targetStart = end + 1
        // Whether more of the line has come depends on how it was split.
        let targetMax = min(count, lineStart + requestLineMax)
        let targetEnd = Scan.firstOutsideTarget(base, from: targetStart, to: targetMax)
        guard targetEnd > targetStart, Scan.byte(base, targetStart) == UInt8(ascii: "/"),
            targetEnd == targetMax || Scan.byte(base, targetEnd) == Scan.space
        else { return false }
        methodBytes = UnsafeRawBufferPointer(start: base + lineStart, count: end - lineStart)
        method = Method(methodBytes)
        target = UnsafeRawBufferPointer(start: base + targetStart, count: targetEnd - targetStart)
        return splitTarget() == nil
    }

    // MARK: Fields

    private func parseFields(_ base: UnsafeRawPointer, _ position: inout Int, _ count: Int)
        -> HeadOutcome?
    {
        let blockStart = position
        var lineStart = position
        func stop(_ refusal: Refusal) -> HeadOutcome {
            stopInField(base, blockStart, lineStart, count, refusal)
        }
        while true {
            guard lineStart < count else { return stop(.headersTooLarge) }
            if Scan.byte(base, lineStart) == Scan.carriageReturn {
                guard lineStart &+ 1 < count, Scan.byte(base, lineStart &+ 1) == Scan.lineFeed
                else { return stop(.bad("A carriage return is not followed by a line feed.\n")) }
                position = lineStart &+ 2
                return nil
            }
            var nameEnd = lineStart
            while nameEnd < count, tokens[Int(Scan.byte(base, nameEnd))] != 0 { nameEnd &+= 1 }
            guard nameEnd > lineStart, nameEnd < count, Scan.byte(base, nameEnd) == Scan.colon
            else { return stop(.bad("A header line is not a name directly before a colon.\n")) }

            var valueStart = nameEnd &+ 1
            while valueStart < count, Self.isBlank(Scan.byte(base, valueStart)) {
                valueStart &+= 1
            }
            var end = Scan.firstControl(base, from: valueStart, to: count)
            while end < count, Scan.byte(base, end) == Scan.tab {
                end = Scan.firstControl(base, from: end &+ 1, to: count)
            }
            guard end &+ 1 < count, Scan.byte(base, end) == Scan.carriageReturn,
                Scan.byte(base, end &+ 1) == Scan.lineFeed
            else { return stop(.bad("A header value has a control character.\n")) }
            let next = end &+ 2
            guard next &- blockStart <= headerBytesMax, fieldCount < fieldsMax else {
                return .refused(.headersTooLarge)
            }
            while end > valueStart, Self.isBlank(Scan.byte(base, end &- 1)) { end &-= 1 }
            fields[fieldCount] = HeaderField(
                nameStart: Int32(truncatingIfNeeded: lineStart),
                nameCount: Int32(truncatingIfNeeded: nameEnd &- lineStart),
                valueStart: Int32(truncatingIfNeeded: valueStart),
                valueCount: Int32(truncatingIfNeeded: end &- valueStart))
            fieldCount &+= 1
            if let refusal = note(
                UnsafeRawBufferPointer(start: base + lineStart, count: nameEnd &- lineStart),
                UnsafeRawBufferPointer(start: base + valueStart, count: end &- valueStart))
            {
                return .refused(refusal)
            }
            lineStart = next
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == Scan.space || byte == Scan.tab }

    private func stopInField(
        _ base: UnsafeRawPointer, _ blockStart: Int, _ lineStart: Int, _ count: Int,
        _ refusal: Refusal
    ) -> HeadOutcome {
        guard let end = Scan.firstIndex(of: Scan.lineFeed, base, from: lineStart, to: count) else {
            // A lone CR may become the empty line that ends the head.
            let mayEnd =
                lineStart == count
                || (lineStart + 1 == count && Scan.byte(base, lineStart) == Scan.carriageReturn)
            return count - blockStart > headerBytesMax && !mayEnd
                ? .refused(.headersTooLarge)
                : .incomplete(recheckAt: max(count, blockStart + headerBytesMax) + 1)
        }
        let isTooLarge = end + 1 - blockStart > headerBytesMax || fieldCount >= fieldsMax
        return .refused(isTooLarge ? .headersTooLarge : refusal)
    }

    /// Looks at the fields that decide where the request ends and whom it is for.
    private func note(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Refusal? {
        switch name.count {
        case 4:
            guard Scan.equalsIgnoringCase(name, "host") else { return nil }
            if hasHost { return .bad("There is more than one Host.\n") }
            hasHost = true
            host = value
            return HostRule.isValid(value) ? nil : .bad("Host is not a host name and port.\n")
        case 14:
            guard Scan.equalsIgnoringCase(name, "content-length") else { return nil }
            if contentLength != nil { return .bad("There is more than one Content-Length.\n") }
            guard let length = Self.length(value) else {
                return .bad("Content-Length is not a number.\n")
            }
            contentLength = length
            return nil
        case 17:
            guard Scan.equalsIgnoringCase(name, "transfer-encoding") else { return nil }
            return noteTransferEncoding(value)
        case 10:
            guard Scan.equalsIgnoringCase(name, "connection") else { return nil }
            noteConnection(value)
            return nil
        case 6:
            guard Scan.equalsIgnoringCase(name, "expect") else { return nil }
            // HTTP/1.0 has no interim answers (RFC 9110, 10.1.1).
            if isHTTP10 { return nil }
            expectsContinue = true
            return Scan.equalsIgnoringCase(value, "100-continue") ? nil : .expectationUnknown
        default:
            return nil
        }
    }

    /// Digits only, and no more than an Int64 holds: a number that other parsers would cut off
    /// differently is not one.
    private static func length(_ value: UnsafeRawBufferPointer) -> Int? {
        guard !value.isEmpty, value.count <= 18 else { return nil }
        var length = 0
        for byte in value {
            guard Scan.isDigit(byte) else { return nil }
            length = length &* 10 &+ Int(byte &- 48)
        }
        return length
    }

    private func noteTransferEncoding(_ value: UnsafeRawBufferPointer) -> Refusal? {
        if isHTTP10 { return .bad("HTTP/1.0 has no Transfer-Encoding.\n") }
        // A second line continues the list of the first: "chunked" must be the last of them all.
        if isChunked { return .bad("chunked is not the last transfer coding, or there twice.\n") }
        var isUnknown = hasTransferEncoding
        hasTransferEncoding = true
        var rest = value[...]
        while true {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            var item = rest[..<comma]
            while let first = item.first, Self.isBlank(first) { item = item.dropFirst() }
            while let last = item.last, Self.isBlank(last) { item = item.dropLast() }
            if isChunked {
                return .bad("chunked is not the last transfer coding, or there twice.\n")
            }
            if Scan.equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: item), "chunked") {
                isChunked = true
            } else {
                isUnknown = true
            }
            if comma == rest.endIndex { break }
            rest = rest[(comma + 1)...]
        }
        // More codings may follow on another line, so what is not chunked is judged at the end.
        return isUnknown && isChunked ? .codingUnknown : nil
    }

    private func noteConnection(_ value: UnsafeRawBufferPointer) {
        var rest = value[...]
        while !rest.isEmpty {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            var item = rest[..<comma]
            while let first = item.first, Self.isBlank(first) { item = item.dropFirst() }
            while let last = item.last, Self.isBlank(last) { item = item.dropLast() }
            let option = UnsafeRawBufferPointer(rebasing: item)
            if Scan.equalsIgnoringCase(option, "close") { saysClose = true }
            if Scan.equalsIgnoringCase(option, "keep-alive") { saysKeepAlive = true }
            rest = comma == rest.endIndex ? rest[comma...] : rest[(comma + 1)...]
        }
    }

    // MARK: The whole head

    private func judge(_ base: UnsafeRawPointer) -> Refusal? {
        if hasTransferEncoding {
            if contentLength != nil {
                return .bad("There are both Content-Length and Transfer-Encoding.\n")
            }
            if !isChunked { return .bad("The last transfer coding is not chunked.\n") }
        }
        if !hasHost, !isHTTP10 { return .bad("Host is missing.\n") }
        keepsAlive = !saysClose && (!isHTTP10 || saysKeepAlive)
        return splitTarget()
    }

    private func splitTarget() -> Refusal? {
        // Whatever it asks to reach: a proxy would take an answer of 200 for the beginning of a
        // tunnel (RFC 9110, 9.3.6).
        if method == .other, Scan.equals(methodBytes, "CONNECT") {
            return .bad("CONNECT is for proxies, which this is not.\n")
        }
        if target[0] != UInt8(ascii: "/") {
            if method == .options, Scan.equals(target, "*") {
                path = target
                query = UnsafeRawBufferPointer(start: nil, count: 0)
                return nil
            }
            guard let reduced = reduceAbsoluteForm() else {
                return .bad("The request target is neither a path nor a URL of this host.\n")
            }
            target = reduced
        }
        if let mark = target.firstIndex(of: UInt8(ascii: "?")) {
            path = UnsafeRawBufferPointer(rebasing: target[..<mark])
            query = UnsafeRawBufferPointer(rebasing: target[(mark + 1)...])
        } else {
            path = target
            query = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return nil
    }

    /// `http://host/path?query` without its origin, which must be the one in Host (RFC 9112,
    /// 3.2.2, lets the target win: two parsers could then disagree about the host).
    private func reduceAbsoluteForm() -> UnsafeRawBufferPointer? {
        var rest = target[...]
        func skip(_ scheme: StaticString) -> Bool {
            let count = scheme.utf8CodeUnitCount
            guard rest.count > count,
                Scan.equalsIgnoringCase(
                    UnsafeRawBufferPointer(rebasing: rest.prefix(count)), scheme)
            else { return false }
            rest = rest.dropFirst(count)
            return true
        }
        guard skip("http://") || skip("https://") else { return nil }
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        let authority = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.endIndex)])
        guard HostRule.isValid(authority) else { return nil }
        if hasHost {
            guard Scan.equalsIgnoringCase(authority, host) else { return nil }
        } else {
            host = authority
        }
        guard let end else { return UnsafeRawBufferPointer(start: Self.slash, count: 1) }
        // An empty path with a query would need a "/" that is not in the buffer; nobody sends it.
        return rest[end] == UInt8(ascii: "/") ? UnsafeRawBufferPointer(rebasing: rest[end...]) : nil
    }

    private static var slash: UnsafePointer<UInt8> { ("/" as StaticString).utf8Start }
}
