internal import Net

/// One client's connection: reads and parses requests, keeps their answers in order, writes.
///
/// Its sequence numbers count requests from 0, wrapping. `nextSequence` is the next request's,
/// `nextAnswer` that of the oldest request without an answer; at most 32 lie between.
// Unchecked: confined to its server's loop.
final class Connection: EventHandler, @unchecked Sendable {
    /// What is being read.
    enum Reading {
        case head
        /// The head is `head` bytes long, the request `total`.
        case body(head: Int, total: Int)
        /// The head is `head` bytes long. After it the input holds what is decoded up to
        /// `decoded`, then a gap, then from `raw` on what is not; all from the request's start.
        case chunked(ChunkedDecoder, head: Int, decoded: Int, raw: Int)
        /// Nothing more is parsed; what comes is thrown away until the client is done.
        case discarding
    }

    // Unsafe saves counting references for some accesses, and `withServer` for all. A server is never
    // freed.
    unowned(unsafe) let server: Server
    private let owner: Unmanaged<Server>
    let slot: UInt32
    let generation: UInt32
    let peerAddress: UInt128?
    let descriptor: Int32
    /// Nil on a connection without TLS, and when it is closed.
    var tls: SecureTransport?

    /// Since when we wait for (the rest of) a request; in the loop's clock.
    var waitingSince: UInt64

    var reading = Reading.head
    /// Bytes of a request that is not complete, or of requests that wait for answers to others.
    let input = PooledBytes()
    /// Trying to parse again makes sense from so many bytes on, or after another line feed.
    var recheckAt = 0
    /// When the request being read began to arrive; 0 while none has.
    var requestStarted: UInt64 = 0
    /// When the body being read is too slow.
    var bodyDeadline: UInt64 = 0
    /// 100 Continue is to be sent as soon as all earlier requests are answered.
    var owesContinue = false
    var discarded = 0

    var nextSequence: UInt32 = 0
    var nextAnswer: UInt32 = 0
    /// One bit per unanswered request, by sequence modulo 32.
    var headRequests: UInt32 = 0
    var http10Requests: UInt32 = 0
    /// Answers given before their turn, by sequence modulo 32; empty until there is one.
    var parked: [PooledBytes?] = []
    var parkedBytes = 0
    let output = PooledBytes()
    /// A write did not take everything: we wait until the socket is writable.
    var isBlocked = false
    var writeDeadline = UInt64.max
    /// Since when that is so.
    var blockedSince: UInt64 = 0
    /// What the kernel had not sent at the last look, and for how long we had waited for a request.
    var unsent = (bytes: 0, since: UInt64.max)
    /// When the next look is due, and for which wait.
    private var nextLook = (at: UInt64(0), since: UInt64.max)

    /// No request after the last one parsed is read; the connection closes after its answer.
    var isClosing = false
    /// There may be something to read: the loop tells of what comes once, and we may not want it yet.
    private var mayRead = false
    /// The client's end stands behind what there is to read.
    private var isEndComing = false
    /// Both directions are gone, or the socket failed.
    private var isHungUp = false
    /// It is one of those of which the server reads on.
    var isReadable = false
    /// The client has sent everything it will.
    var isReadFinished = false
    /// Bytes of the client were or may be left unread: close only after it had time to read ours.
    var mustLinger = false
    var isLingering = false
    var isClosed = false
    var isDirty = false
    /// Parsing paused with something left to parse, or to conclude from the client's end.
    var isStalled = false
    var isResumable = false
    var isParsing = false

    init(
        server: Server, descriptor: Int32, slot: UInt32, generation: UInt32, peerAddress: UInt128?
    ) {
        self.server = server
        owner = Unmanaged.passUnretained(server)
        self.descriptor = descriptor
        self.slot = slot
        self.generation = generation
        self.peerAddress = peerAddress
        waitingSince = server.loop.nowNanos
    }

    /// The server, for what each request comes through: nobody counts references to it there. Not
    /// by key paths, which are checked for overlaps at each look.
    @inline(__always)
    func withServer<Result>(_ body: (Server) -> Result) -> Result {
        owner._withUnsafeGuaranteedRef(body)
    }

    var unanswered: Int { Int(nextSequence &- nextAnswer) }

    /// No answer is owed and none on its way.
    var isWaitingForRequest: Bool { unanswered == 0 && output.isEmpty && !isClosing }
    var isIdle: Bool { isWaitingForRequest && requestStarted == 0 }
    /// Nothing of it was read, and it was accepted a moment ago.
    var isNew: Bool {
        nextSequence == 0 && requestStarted == 0
            && waitingSince &+ server.nanos.stuck > server.loop.nowNanos
    }
    /// Its first request may be on its way.
    var isFresh: Bool {
        let cameNothing = requestStarted == 0 && (tls == nil || isShakingHands)
        let nanos = cameNothing ? server.nanos.silent : server.nanos.begun
        return nextSequence == 0 && waitingSince &+ nanos > server.loop.nowNanos
    }
    /// The client has not taken its answers for a while.
    var isStuck: Bool { isBlocked && blockedSince &+ server.nanos.stuck <= server.loop.nowNanos }
    /// Since when it has done nothing that another one's place should wait for; nil: it does.
    var expendableSince: UInt64? {
        isStuck ? blockedSince : isWaitingForRequest ? waitingSince : nil
    }

    /// Reading pauses while the client does not take its answers.
    var isPaused: Bool {
        isBlocked || unanswered >= server.limits.pipelinedMax
            || output.count + parkedBytes >= server.limits.outputBytesMax
    }

    // MARK: Events

    /// What a connection is watched for all its life: a request costs no call for it, whether or not
    /// we want to read or write at the time.
    static let watched: Interest = [.read, .write, .end, .changes]

    func ready(_ events: Interest) {
        // A client has taken more of what the kernel had taken: nothing to us.
        if events == .write, !isBlocked { return }
        if !events.isDisjoint(with: [.read, .end, .hangup]) { mayRead = true }
        if !events.isDisjoint(with: [.end, .hangup]) { isEndComing = true }
        if events.contains(.hangup) { isHungUp = true }
        // What is dirty is written at the turn's end.
        if isBlocked, !isDirty, events.contains(.write) { flush() }
        if !isClosed { readable() }
    }

    /// Reads what the client sent: with TLS only to throw it away, else see `Connection+TLS.swift`.
    private func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        let received = Socket.read(descriptor, into: buffer)
        noteRead(received, of: buffer.count)
        return received
    }

    /// Less than there was room for is all there was (epoll(7)), but for the client's end. (And but for
    /// what stands behind TCP's urgent data, which no HTTP client sends: it waits for more to come.)
    func noteRead(_ received: Transfer, of room: Int) {
        switch received {
        case .bytes(let count): mayRead = count == room || isEndComing
        case .wouldBlock, .end, .failed: mayRead = false
        }
    }

    /// Reads once more, in a turn in which others read before and after it.
    func readOn() {
        isReadable = false
        readable()
    }

    /// The only place that writes to the socket.
    func transmit(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        if let tls { return tls.transmit(bytes, isLast: isClosing && unanswered == 0) }
        return Socket.write(descriptor, bytes)
    }

    private func readable() {
        guard mayRead, wantsRead else { return settle() }
        if case .discarding = reading { return discard() }
        if let tls {
            readSecure(tls)
            return
        }
        if input.isEmpty {
            let (shared, now) = withServer { server in
                (
                    UnsafeMutableRawBufferPointer(
                        rebasing: server.readBuffer.prefix(server.limits.readBytesMax)),
                    server.loop.nowNanos
                )
            }
            switch receive(into: shared) {
            case .bytes(let count):
                if requestStarted == 0 { requestStarted = now }
                parseShared(shared, count)
            case .wouldBlock: break
            case .end: readFinished()
            case .failed:
                close()
                return
            }
        } else {
            guard server.hasRoomForInput(of: self),
                input.reserve(BufferPool.chunkBytes / 2, server.pool)
            else {
                refuse(.outOfMemory)
                settle()
                return
            }
            // A body that has grown has much room, and others want to be read, too.
            let room = UnsafeMutableRawBufferPointer(
                rebasing: input.room.prefix(server.readBuffer.count))
            switch receive(into: room) {
            case .bytes(let count):
                let before = input.count
                input.wrote(count)
                bodyCame(count)
                if isWorthParsing(room, before, count) { parseInput() }
            case .wouldBlock: break
            case .end: readFinished()
            case .failed:
                close()
                return
            }
        }
        settle()
    }

    /// Parsing a head again for every byte of a drip would be quadratic.
    func isWorthParsing(_ new: UnsafeMutableRawBufferPointer, _ before: Int, _ count: Int)
        -> Bool
    {
        guard case .head = reading, let base = new.baseAddress else { return true }
        return before + count >= recheckAt
            || Scan.firstIndex(of: Scan.lineFeed, base, from: 0, to: count) != nil
    }

    func readFinished() {
        isReadFinished = true
        if isPaused || isStalled { isStalled = true } else { inputEnded() }
    }

    /// Nothing more will come and everything complete was parsed.
    func inputEnded() {
        if requestStarted != 0 {
            refuse(.bad("The connection ended before the request did.\n"))
        } else {
            isClosing = true
        }
    }

    private func discard() {
        switch receive(into: server.readBuffer) {
        case .bytes(let count):
            discarded += count
            if discarded > server.limits.lingerBytesMax { close() }
        case .wouldBlock: break
        case .end, .failed: close()
        }
        settle()
    }

    /// Parses on after a pause; called once at the end of a turn.
    func resume() {
        isResumable = false
        if isPaused { return settle() }
        isStalled = false
        if !input.isEmpty {
            // The time in which we did not read is not the client's.
            requestStarted = server.loop.nowNanos
            bodyBegins()
            parseInput(atMost: server.limits.pipelinedMax)
        }
        if isReadFinished, !isClosing, !isClosed { readFinished() }
        settle()
    }

    // MARK: State

    /// Does what follows from what happened: has it read on where there is more, closes when all is
    /// done, keeps the deadline.
    func settle() {
        if isClosed { return }
        if isClosing, unanswered == 0, output.isEmpty, !hasUnsentCiphertext { finish() }
        if isClosed { return }
        if wantsRead {
            if mayRead, !isReadable {
                isReadable = true
                server.markReadable(self)
            }
        } else if isHungUp, !isResumable {
            // Nobody would read an answer, and all that was sent before that is handled but for
            // what we don't take at this time.
            return close()
        }
        updateDeadline()
    }

    private var wantsRead: Bool {
        isLingering || !(isPaused || isStalled || isReadFinished || isClosing)
    }

    private func updateDeadline() {
        if isLingering { return }
        let nanos = withServer { $0.nanos }
        var next = isBlocked ? writeDeadline : UInt64.max
        if !isPaused, !isStalled, !isClosing {
            switch reading {
            case .head:
                if requestStarted != 0 {
                    next = min(next, requestStarted &+ nanos.head)
                } else if unanswered == 0, output.isEmpty {
                    let look = nextSequence == 0 ? nanos.first : nanos.look
                    next = min(
                        next, nextLook.since == waitingSince ? nextLook.at : waitingSince &+ look)
                }
            case .body, .chunked: next = min(next, bodyDeadline)
            case .discarding: break
            }
        }
        withServer { $0.setDeadline(next, of: slot) }
    }

    /// Called by the server's sweep.
    func deadlinePassed() {
        if isBlocked, writeDeadline <= server.loop.nowNanos {
            giveUp()
            return
        }
        if isIdle, nextSequence != 0, let next = look() {
            nextLook = (next, waitingSince)
            server.setDeadline(next, of: slot)
            return
        }
        if isLingering || isIdle || isShakingHands {
            // Nothing was asked: there is nobody to tell.
            close()
            return
        }
        refuse(.tooSlow)
        settle()
    }

    /// Closes it under a client that may not have taken its answers.
    func giveUp() {
        // What the kernel has left of them it would keep for minutes.
        if isBlocked { Socket.discardUnsent(descriptor) }
        close()
    }

    /// When an idle connection is to be looked at again; nil: now it has to go.
    ///
    /// Small answers fit into the kernel's memory even for a client that doesn't take them, and look
    /// sent from here.
    private func look() -> UInt64? {
        let now = server.loop.nowNanos
        let bytes = Socket.unsentBytes(descriptor)
        guard bytes > 0 else {
            let end = waitingSince &+ server.nanos.idle
            return end > now ? end : nil
        }
        if unsent.since == waitingSince, unsent.bytes - bytes < server.nanos.lookBytesMin {
            Socket.discardUnsent(descriptor)
            return nil
        }
        unsent = (bytes, waitingSince)
        return now &+ server.nanos.look
    }

    /// Answers in the server's own name and closes after it.
    func refuse(_ refusal: Refusal, isHead: Bool = false) {
        guard unanswered < server.limits.pipelinedMax else {
            close()
            return
        }
        let sequence = nextSequence
        let bit = UInt32(1) << (sequence & 31)
        nextSequence &+= 1
        headRequests = isHead ? headRequests | bit : headRequests & ~bit
        http10Requests &= ~bit
        isClosing = true
        mustLinger = true
        stopReading()
        let reason = refusal.reason
        let body = UnsafeRawBufferPointer(
            start: reason.utf8Start, count: reason.utf8CodeUnitCount)
        let type: StaticString = "Content-Type: text/plain; charset=utf-8\r\n"
        let lines = UnsafeRawBufferPointer(start: type.utf8Start, count: type.utf8CodeUnitCount)
        answer(sequence, refusal.status, headerLines: lines, body: body)
    }

    func stopReading() {
        reading = .discarding
        requestStarted = 0
        owesContinue = false
        input.release(server.pool)
    }

    /// Everything is answered and sent.
    private func finish() {
        if isLingering { return }
        // Closing with unread bytes makes the kernel send RST, which destroys the answer that the
        // client has not read yet (RFC 9112, 9.6).
        if !mustLinger, !isReadFinished, case .bytes = receive(into: server.readBuffer) {
            mustLinger = true
        }
        guard mustLinger, !isReadFinished else {
            close()
            return
        }
        isLingering = true
        stopReading()
        tls?.finish()
        Socket.finishWriting(descriptor)
        server.setDeadline(server.loop.nowNanos &+ server.nanos.linger, of: slot)
        server.lingers(self)
        mayRead = true
    }

    func drain() {
        if isClosed || isLingering { return }
        // A request that has arrived and was not read yet is in flight too.
        mayRead = true
        readable()
        if isClosed || isLingering { return }
        if isIdle {
            close()
            return
        }
        // A request that has begun to arrive is waited for and will be the last.
        if requestStarted == 0 { isClosing = true }
        settle()
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        // The handler may still be reading a request in it.
        if !isParsing { input.release(server.pool) }
        output.release(server.pool)
        for index in parked.indices { parked[index]?.release(server.pool) }
        parked = []
        parkedBytes = 0
        tls?.release()
        tls = nil
        server.loop.forget(descriptor)
        Socket.close(descriptor)
        server.closed(self)
    }
}
