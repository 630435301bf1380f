public import Net

/// An HTTP/1.1 server on one event loop.
///
/// A server is never freed: responders of requests in flight point to it. After `drain` it holds
/// little memory.
// Unchecked: confined to its loop's thread, except what says that it may be called from any: that
// posts to it.
public final class Server: Acceptor, @unchecked Sendable {
    public let handle: LoopHandle
    let loop: EventLoop
    let limits: ServerLimits
    let nanos: ServerLimits.Nanos
    let pool: BufferPool
    let parser: HeadParser
    let answerHead = AnswerHead()
    /// Where requests are read and, when they came in one piece, parsed.
    let readBuffer: UnsafeMutableRawBufferPointer
    /// Where ciphertext is read; empty without TLS.
    let ciphertextBuffer: UnsafeMutableRawBufferPointer
    /// What new connections speak; nil: plain HTTP.
    private var tls: TLSContext?

    private static let readBufferBytes = 64 * 1024

    let handler: any RequestHandler
    private var listeners: [Listener] = []
    /// The other servers of the process: what one is short of, another one may have to spare.
    private var others: [Server] = []
    let connections = ConnectionTable()
    // Unchecked, as each request looks: nothing is called while it changes.
    @exclusivity(unchecked) private var dirty: [Connection] = []
    /// Who asks for more before the answers to what it asked for waits behind everybody's first
    /// request of the turn; with thousands of those a turn must not be theirs.
    private let resumable = ConnectionQueue(perTurnMax: 4)
    /// Those that send more than is read at once.
    private let readable = ConnectionQueue(perTurnMax: 32)
    private var spare: [Connection] = []
    /// The longest first. Those that were closed since are dropped by the sweep.
    private var lingering: [(slot: Int, generation: UInt32)] = []
    /// Found by the newest look; the next one to be closed is the last.
    private var evictable: [Evictable] = []
    /// When a look found none.
    private var lookedInVainNanos: UInt64?
    /// When refusing the largest requests made no room.
    private var refusedInVainNanos: UInt64?
    /// When closing those that don't take their answers made none.
    private var gaveUpInVainNanos: UInt64?
    private var sweepTimer: TimerID?
    /// The next slot that the sweep under way looks at; nil while there is none.
    private var sweepNext: Int?
    private(set) var isDraining = false
    private var drained: [@Sendable () -> Void] = []

    /// Makes the handler on the calling thread, which is the one that prepares or runs `loop`.
    ///
    /// - Parameter tls: what every connection speaks; nil for plain HTTP.
    public init(
        loop: EventLoop, limits: ServerLimits, tls: TLSContext? = nil,
        makeHandler: (LoopHandle) -> any RequestHandler
    ) {
        precondition((1...32).contains(limits.pipelinedMax), "pipelinedMax \(limits.pipelinedMax)")
        self.loop = loop
        self.limits = limits
        nanos = limits.nanos
        handle = LoopHandle(loop)
        pool = BufferPool(bytesMax: limits.bufferedBytesMax)
        parser = HeadParser(limits: limits)
        readBuffer = .allocate(byteCount: Self.readBufferBytes, alignment: 16)
        self.tls = tls
        ciphertextBuffer =
            tls == nil
            ? UnsafeMutableRawBufferPointer(start: nil, count: 0)
            : .allocate(byteCount: SecureTransport.readBytesMax, alignment: 16)
        handler = makeHandler(LoopHandle(loop))
        // Never balanced: see `Responder.server`.
        let immortal = Unmanaged.passRetained(self)
        loop.atTurnEnd { immortal._withUnsafeGuaranteedRef { $0.turnEnded() } }
    }

    /// Accepts connections at `address`; returns it with the port the kernel picked for port 0.
    ///
    /// Several servers, each on its loop, can listen at one TCP address and share what arrives.
    @discardableResult
    public func listen(_ address: SocketAddress) throws(NetError) -> SocketAddress {
        let listener = try Listener(loop: loop, address: address, acceptor: self)
        listeners.append(listener)
        return listener.address
    }

    /// From any thread: connections accepted from now on speak TLS by `context`, and those that are
    /// open go on with theirs. Then calls `done` on the loop. Not for a server without TLS.
    public func replaceTLS(_ context: TLSContext, _ done: @escaping @Sendable () -> Void) {
        loop.post { [self] in
            precondition(tls != nil, "a server without TLS is given a certificate")
            tls = context
            done()
        }
    }

    /// From any thread: descriptors are the process's, so where one of `servers` is short of them and
    /// has no connection to close for a new one, the others close theirs.
    public static func shareDescriptors(_ servers: [Server]) {
        for server in servers {
            server.loop.post { server.others = servers.filter { $0 !== server } }
        }
    }

    /// For tests.
    var openConnections: Int { connections.count }
    /// Bytes of requests and answers in memory. For tests.
    var bufferedBytes: Int { pool.bytesInUse }

    // MARK: Connections

    public func accepted(_ descriptor: Int32, from peer: SocketAddress?) {
        if connections.count >= limits.connectionsMax, !evictOne() {
            Socket.close(descriptor)
            return handler.cannotAccept(.tooManyConnections)
        }
        let (slot, generation) = connections.take()
        let connection = Connection(
            server: self, descriptor: descriptor, slot: UInt32(truncatingIfNeeded: slot),
            generation: generation, peerAddress: peer?.ipBytes)
        do {
            try loop.add(descriptor, Connection.watched, connection)
        } catch {
            // Out of memory or of epoll watches: as if it had not been accepted.
            connections.giveBack(slot)
            Socket.close(descriptor)
            return handler.cannotAccept(.exhausted(error))
        }
        connections.put(connection, in: slot)
        if let tls { connection.startTLS(tls) }
        connection.settle()
        startSweeping()
    }

    public func exhausted(_ error: NetError) -> Bool {
        handler.cannotAccept(.exhausted(error))
        if evictOne(sparesFresh: true) { return true }
        guard let other = others.first else { return false }
        // Another one each time, so that hardly more are closed than wait.
        others.append(others.removeFirst())
        other.loop.post { _ = other.evictOne(sparesFresh: true) }
        return false
    }

    private struct Evictable {
        let slot: Int
        let generation: UInt32
        /// `Connection.expendableSince`.
        let since: UInt64
    }

    private static let evictableMax = 64

    /// Makes room for another connection, if that costs nobody an answer: closes the one that has
    /// lingered for the longest, else one that waits for a request, else one that doesn't take its
    /// answers, else one whose first request hasn't come yet, or any only in part.
    ///
    /// - Parameter sparesFresh: not one whose first request may be on its way: where few are open,
    ///   each that comes would close the one before it.
    private func evictOne(sparesFresh: Bool = false) -> Bool {
        if let place = lingering.firstIndex(where: {
            connections.generation(of: $0.slot) == $0.generation
        }) {
            let longest = connections[lingering[place].slot]
            lingering.removeFirst(place + 1)
            longest?.close()
            return true
        }
        while true {
            if evictable.isEmpty { findEvictable(sparesFresh: sparesFresh) }
            guard let candidate = evictable.popLast() else { return false }
            // Used since it was found.
            guard connections.generation(of: candidate.slot) == candidate.generation,
                let connection = connections[candidate.slot],
                connection.expendableSince == candidate.since,
                !(sparesFresh && connection.isFresh)
            else { continue }
            connection.giveUp()
            return true
        }
    }

    /// Looks through all connections for the next few at once: a flood of new ones at the cap
    /// would otherwise cost a look for each. Nor is a look in vain repeated in the same turn.
    private func findEvictable(sparesFresh: Bool) {
        guard loop.nowNanos != lookedInVainNanos else { return }
        var idle: [Evictable] = []
        var stuck: [Evictable] = []
        // By age: what a new one has sent may not be read yet.
        var partial: [Evictable] = []
        for slot in connections.indices {
            guard let connection = connections[slot], let since = connection.expendableSince,
                !(sparesFresh && connection.isFresh)
            else { continue }
            let found = Evictable(slot: slot, generation: connection.generation, since: since)
            if connection.isIdle, !connection.isNew {
                idle.append(found)
            } else if connection.isStuck {
                stuck.append(found)
            } else {
                partial.append(found)
            }
        }
        let first = [idle, stuck, partial].first { !$0.isEmpty } ?? []
        let all = first.sorted { $0.since < $1.since }
        evictable = all.prefix(Self.evictableMax).reversed()
        if evictable.isEmpty, !sparesFresh { lookedInVainNanos = loop.nowNanos }
    }

    /// `connection` has its last answer, and only time to read it from now on.
    func lingers(_ connection: Connection) {
        lingering.append((Int(connection.slot), connection.generation))
    }

    func closed(_ connection: Connection) {
        connections.remove(Int(connection.slot))
        // Not while those that wait are accepted for the last time.
        if isDraining, listeners.isEmpty { finishDrainIfDone() }
    }

    func respond(
        _ responder: Responder, _ status: Int, headerLines: UnsafeRawBufferPointer,
        body: UnsafeRawBufferPointer
    ) {
        precondition(loop.isOnLoop, "an answer on another thread than its loop's")
        connections.connection(responder.slot, responder.generation)?.answer(
            responder.sequence, status, headerLines: headerLines, body: body)
    }

    // MARK: Turns

    /// Has `connection` written to at the end of this turn. Once per turn and connection.
    func markDirty(_ connection: Connection) { dirty.append(connection) }

    /// Has `connection` parse on what it has buffered, in this turn or one of the next.
    func markResumable(_ connection: Connection) {
        resumable.append(connection)
    }

    /// Has `connection` read once more, in this turn or one of the next.
    func markReadable(_ connection: Connection) {
        readable.append(connection)
    }

    private func turnEnded() {
        if sweepNext != nil { sweep() }
        if !resumable.isEmpty { resumable.takeTurn { $0.resume() } }
        // Then, so that a client's end is seen with its last request.
        if !readable.isEmpty { readable.takeTurn { $0.readOn() } }
        handler.turnEnded()
        if !dirty.isEmpty {
            swap(&dirty, &spare)
            // By index: a loop over the array would count references to each once more.
            for index in spare.indices { spare[index].flush() }
            spare.removeAll(keepingCapacity: true)
        }
        let isDone = dirty.isEmpty && readable.isEmpty && resumable.isEmpty && sweepNext == nil
        if !isDone { loop.wantTurn() }
    }

    // MARK: Memory

    /// Whether more may be kept of what `connection` sends. Requests leave a quarter of the memory to
    /// answers; where they have taken the rest, the largest give way, be it this one.
    func hasRoomForInput(of connection: Connection) -> Bool {
        let max = limits.bufferedBytesMax - limits.bufferedBytesMax / 4
        if pool.bytesInUse < max { return true }
        guard loop.nowNanos != refusedInVainNanos else { return false }
        // The next of the largest to give way is not refused here.
        if refuseLargest(until: max - limits.bufferedBytesMax / 16, before: connection) {
            return false
        }
        if pool.bytesInUse < max { return true }
        refusedInVainNanos = loop.nowNanos
        return false
    }

    /// Whoever sends most and comes to no end shall not keep the others out. Some give way at once:
    /// a look through all connections for each request would take too long.
    ///
    /// - Returns: whether `connection` was next.
    private func refuseLargest(until bytesMax: Int, before connection: Connection) -> Bool {
        let largest = connections.indices.compactMap { connections[$0] }
            // Less than what their answers take isn't worth refusing them.
            .filter { $0.input.capacity > BufferPool.chunkBytes && !$0.isClosing }
            .sorted {
                ($0.input.capacity, $0.input.count) > ($1.input.capacity, $1.input.count)
            }
        for next in largest.prefix(Self.evictableMax) where pool.bytesInUse > bytesMax {
            if next === connection { return true }
            next.refuse(.outOfMemory)
            next.settle()
        }
        return false
    }

    /// Makes room for an answer to `connection` where those that nobody takes have filled the memory:
    /// of these the largest are closed, some at once.
    ///
    /// - Parameter reserve: says whether there is room now, and takes it.
    func makeRoom(for connection: Connection, _ reserve: () -> Bool) -> Bool {
        guard loop.nowNanos != gaveUpInVainNanos else { return false }
        let largest = connections.indices.compactMap { connections[$0] }
            .filter { $0.isBlocked && $0 !== connection }
            .sorted { $0.output.capacity > $1.output.capacity }
        let enough = limits.bufferedBytesMax - limits.bufferedBytesMax / 16
        for next in largest.prefix(Self.evictableMax) {
            if pool.bytesInUse <= enough, reserve() { return true }
            next.giveUp()
        }
        if reserve() { return true }
        gaveUpInVainNanos = loop.nowNanos
        return false
    }

    // MARK: Deadlines

    func setDeadline(_ deadline: UInt64, of slot: UInt32) {
        connections.setDeadline(deadline, of: Int(slot))
    }

    /// One timer for all: a request then only stores its connection's deadline, and finding the
    /// late ones among 10,000 costs some microseconds twice a second.
    private func startSweeping() {
        guard sweepTimer == nil, sweepNext == nil else { return }
        sweepTimer = loop.schedule(afterNanos: limits.sweepNanos) { [unowned self] in
            // Unowned is safe: a server is never freed.
            sweepTimer = nil
            sweepNext = 0
        }
    }

    /// Thousands that came together are late together, and closing one may cost the kernel 30 µs:
    /// others get their turns meanwhile.
    private static let latePerTurnMax = 4

    private func sweep() {
        guard var slot = sweepNext else { return }
        let now = loop.nowNanos
        var late = 0
        while slot < connections.indices.count, late < Self.latePerTurnMax {
            if connections.deadline(of: slot) <= now {
                late += 1
                connections[slot]?.deadlinePassed()
            }
            slot += 1
        }
        guard slot == connections.indices.count else {
            sweepNext = slot
            return
        }
        sweepNext = nil
        lingering.removeAll { connections.generation(of: $0.slot) != $0.generation }
        if connections.count > 0 { startSweeping() }
    }

    // MARK: Stopping

    /// From any thread: stops accepting, closes idle connections at once, lets the requests in
    /// flight finish with `Connection: close`, but closes what is left after
    /// `deadlineMilliseconds`; then calls `done` on the loop.
    public func drain(deadlineMilliseconds: Int, _ done: @escaping @Sendable () -> Void) {
        loop.post { [self] in
            startDrain(done)
            guard connections.count > 0 else { return }
            _ = handle.schedule(afterMilliseconds: deadlineMilliseconds) { [unowned self] in
                // Unowned is safe: a server is never freed.
                for slot in connections.indices { connections[slot]?.close() }
            }
        }
    }

    private func startDrain(_ done: @escaping @Sendable () -> Void) {
        isDraining = true
        drained.append(done)
        for listener in listeners {
            listener.acceptWaiting()
            listener.close()
        }
        listeners = []
        for slot in connections.indices {
            connections[slot]?.drain()
        }
        finishDrainIfDone()
    }

    private func finishDrainIfDone() {
        guard connections.count == 0 else { return }
        pool.releaseKept()
        let callbacks = drained
        drained = []
        for done in callbacks { done() }
    }
}
