internal import Net

extension Connection {
    private enum Step {
        /// The request ends so many bytes after the start.
        case handled(Int)
        case needsMore
        case stopped
    }

    /// Parses what was read into the server's buffer; keeps a copy of what is not complete.
    func parseShared(_ shared: UnsafeMutableRawBufferPointer, _ count: Int) {
        guard let base = shared.baseAddress else { return }
        let consumed = parse(base, count, atMost: 1)
        guard !isClosed, consumed < count else { return }
        if case .discarding = reading { return }
        if isClosing {
            mustLinger = true
            return
        }
        keep(base + consumed, count - consumed)
        resumeIfPossible()
    }

    /// Parses what is kept of earlier reads.
    func parseInput(atMost limit: Int = 1) {
        guard let base = input.base else { return }
        let consumed = parse(base + input.start, input.count, atMost: limit)
        if isClosed {
            input.release(server.pool)
            return
        }
        if case .discarding = reading { return }
        if isClosing, consumed < input.count {
            mustLinger = true
            input.release(server.pool)
            return
        }
        input.consume(consumed, server.pool)
        // The next request's first byte must not keep the memory of a large one.
        if consumed > 4 * BufferPool.chunkBytes { input.fit(server.pool) }
        if case .chunked(let decoder, let head, let decoded, let raw) = reading {
            input.closeGap(from: decoded, to: raw)
            reading = .chunked(decoder, head: head, decoded: decoded, raw: decoded)
        }
        resumeIfPossible()
    }

    /// Handles complete requests at `base` until reading pauses, or `limit` of them: what a client
    /// asks for behind its first request waits for others' first ones (`Server.resumable`).
    ///
    /// - Returns: the bytes done with.
    private func parse(_ base: UnsafeMutableRawPointer, _ count: Int, atMost limit: Int) -> Int {
        isParsing = true
        defer { isParsing = false }
        let now = withServer { $0.loop.nowNanos }
        var start = 0
        var handled = 0
        while start < count, handled < limit, !isClosing, !isPaused, !isClosed {
            switch step(base + start, count - start) {
            case .handled(let length):
                handled += 1
                start += length
                reading = .head
                requestStarted = start < count ? now : 0
                waitingSince = now
            case .needsMore: return start
            case .stopped: return count
            }
        }
        if start < count, isPaused || handled == limit, !isClosing { isStalled = true }
        return start
    }

    private func step(_ base: UnsafeMutableRawPointer, _ count: Int) -> Step {
        switch reading {
        case .head: return stepHead(base, count)
        case .body(let head, let total):
            guard count >= total else { return .needsMore }
            return handleAgain(base, count, head: head, bodyCount: total - head, length: total)
        case .chunked: return stepChunked(base, count)
        case .discarding: return .stopped
        }
    }

    private func stepHead(_ base: UnsafeMutableRawPointer, _ count: Int) -> Step {
        let head: Int
        switch withServer({ $0.parser.parse(base, count: count) }) {
        case .incomplete(let recheck):
            recheckAt = recheck
            return .needsMore
        case .refused(let refusal):
            let isLine = refusal == .targetTooLong
            if isLine, server.parser.parseOversizedLine(base, count: count),
                handOver(
                    base, UnsafeRawBufferPointer(start: nil, count: 0),
                    .requestLine(max: server.limits.requestLineBytesMax))
            {
                return .stopped
            }
            refuse(refusal, isHead: server.parser.method == .head)
            return .stopped
        case .complete(let length): head = length
        }
        let (isChunked, length, lengthMax) = withServer { server in
            (
                server.parser.isChunked, server.parser.contentLength ?? 0,
                server.limits.bodyBytesMax
            )
        }
        if isChunked {
            startBody(received: count - head)
            reading = .chunked(
                ChunkedDecoder(limits: server.limits), head: head, decoded: head, raw: head)
            return stepChunked(base, count)
        }
        guard length <= lengthMax else {
            refuseBody(base, head: head, received: count - head, declared: length)
            return .stopped
        }
        guard count >= head + length else {
            startBody(received: count - head)
            reading = .body(head: head, total: head + length)
            return .needsMore
        }
        handle(base, UnsafeRawBufferPointer(start: base + head, count: length))
        return .handled(head + length)
    }

    private func stepChunked(_ base: UnsafeMutableRawPointer, _ count: Int) -> Step {
        guard case .chunked(var decoder, let head, var decoded, var raw) = reading else {
            return .stopped
        }
        switch decoder.decode(base, decoded: &decoded, raw: &raw, end: count) {
        case .needsMore:
            reading = .chunked(decoder, head: head, decoded: decoded, raw: raw)
            return .needsMore
        case .refused(.bodyTooLarge):
            parseAgain(base, head: head)
            refuseBody(base, head: head, received: decoder.bodyCount, declared: nil)
            return .stopped
        case .refused(let refusal):
            refuse(refusal)
            return .stopped
        case .done:
            return handleAgain(base, count, head: head, bodyCount: decoder.bodyCount, length: raw)
        }
    }

    private func startBody(received: Int) {
        bodyBegins()
        bodyCame(received)
        guard server.parser.expectsContinue, received == 0 else { return }
        owesContinue = true
        sendContinueIfDue()
    }

    /// The client has all the time that a body gets by itself.
    func bodyBegins() { bodyDeadline = server.loop.nowNanos &+ server.nanos.body }

    /// Bytes buy time, of which no more is saved up than somebody gets who sends nothing: a body that
    /// came at once, but for its last byte, would be kept for half an hour.
    func bodyCame(_ count: Int) {
        let nanos = server.nanos
        bodyDeadline = min(
            server.loop.nowNanos &+ max(nanos.body, nanos.idle),
            bodyDeadline &+ UInt64(clamping: count) &* nanos.perBodyByte)
    }

    /// Interim answers stand before the answer of their own request, so after all earlier ones.
    func sendContinueIfDue() {
        guard owesContinue, unanswered == 0 else { return }
        owesContinue = false
        let line: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
        let bytes = UnsafeRawBufferPointer(start: line.utf8Start, count: line.utf8CodeUnitCount)
        // Without memory for it the client sends its body unasked after a while.
        guard output.append(bytes, server.pool) else { return }
        markDirty()
    }

    /// For a body that came in pieces: other requests have used the parser since.
    private func handleAgain(
        _ base: UnsafeMutableRawPointer, _ count: Int, head: Int, bodyCount: Int, length: Int
    ) -> Step {
        parseAgain(base, head: head)
        handle(base, UnsafeRawBufferPointer(start: base + head, count: bodyCount))
        return .handled(length)
    }

    private func parseAgain(_ base: UnsafeRawPointer, head: Int) {
        guard case .complete(head) = server.parser.parse(base, count: head) else {
            preconditionFailure("a head of \(head) bytes is parsed differently the second time")
        }
    }

    /// - Parameter received: bytes of the body after the head.
    private func refuseBody(_ base: UnsafeRawPointer, head: Int, received: Int, declared: Int?) {
        let body = UnsafeRawBufferPointer(start: base + head, count: received)
        let max = server.limits.bodyBytesMax
        if handOver(base, body, .body(declared: declared, max: max)) { return }
        refuse(.bodyTooLarge, isHead: server.parser.method == .head)
    }

    /// Lets the handler answer what the server would refuse; the connection ends with the answer.
    private func handOver(
        _ base: UnsafeRawPointer, _ body: UnsafeRawBufferPointer, _ oversize: Oversize
    ) -> Bool {
        let (request, responder) = number(server, base, body)
        // Before the answer, which says so, and which may come at once.
        isClosing = true
        mustLinger = true
        guard server.handler.handleOversized(request, oversize, responder) else {
            nextSequence &-= 1
            return false
        }
        stopReading()
        return true
    }

    private func handle(_ base: UnsafeRawPointer, _ body: UnsafeRawBufferPointer) {
        withServer { server in
            let (request, responder) = number(server, base, body)
            if !server.parser.keepsAlive || server.isDraining { isClosing = true }
            server.handler.handle(request, responder)
        }
    }

    /// The request in the parser with the answer that is owed to it from now on.
    @inline(__always)
    private func number(
        _ server: Server, _ base: UnsafeRawPointer, _ body: UnsafeRawBufferPointer
    ) -> (Request, Responder) {
        let parser = server.parser
        let sequence = nextSequence
        let bit = UInt32(1) << (sequence & 31)
        nextSequence &+= 1
        headRequests = parser.method == .head ? headRequests | bit : headRequests & ~bit
        http10Requests =
            parser.isHTTP10 && parser.keepsAlive ? http10Requests | bit : http10Requests & ~bit
        owesContinue = false
        let request = Request(
            parser, base: base, body: body, peerAddress: peerAddress,
            receivedAtMicros: server.loop.wallMicros)
        return (
            request,
            Responder(
                server: Unmanaged.passUnretained(server), slot: slot, generation: generation,
                sequence: sequence)
        )
    }

    /// Copies what is not complete out of the server's buffer, closing the gap of a chunked body.
    private func keep(_ start: UnsafeMutableRawPointer, _ count: Int) {
        guard server.hasRoomForInput(of: self) else {
            refuse(.outOfMemory)
            return
        }
        var isKept: Bool
        if case .chunked(let decoder, let head, let decoded, let raw) = reading {
            isKept = input.append(UnsafeRawBufferPointer(start: start, count: decoded), server.pool)
            isKept =
                isKept
                && input.append(
                    UnsafeRawBufferPointer(start: start + raw, count: count - raw), server.pool)
            reading = .chunked(decoder, head: head, decoded: decoded, raw: decoded)
        } else {
            isKept = input.append(UnsafeRawBufferPointer(start: start, count: count), server.pool)
        }
        if !isKept { refuse(.outOfMemory) }
    }
}
