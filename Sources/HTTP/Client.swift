public import Net

/// An HTTP/1.1 client over TCP, TLS and unix-domain sockets. It follows no redirect, keeps no
/// cookie, and calls no address that the request's check has not seen.
///
/// Confined to its loop's thread (before `run`: to the thread that prepares the loop). Nothing
/// blocks; every limit has its answer: a request beyond `connectionsMax` waits, one beyond
/// `waitingMax` fails with `.tooManyPending`.
// Unchecked because of that confinement; it is captured by look-ups, whose answers come on the loop.
public final class Client: @unchecked Sendable {
    public struct Limits: Sendable {
        /// Connections open or being made, idle ones included.
        public var connectionsMax = 256
        /// Requests waiting for a connection.
        public var waitingMax = 1024
        public var idleMax = 128
        public var idlePerEndpointMax = 16
        /// A server's `Keep-Alive: timeout=` shortens it.
        public var idleTimeoutMilliseconds = 30_000

        public init() {}
    }

    public let loop: EventLoop
    let tls: TLSContext?
    private let resolver: any NameResolver
    private let limits: Limits

    private var pool: ClientPool
    /// Bounded by `connectionsMax` and `waitingMax`; holds every call that has no answer yet.
    private var calls: [ObjectIdentifier: ClientCall] = [:]
    private var waiting: [ClientCall] = []
    private var connectionCount = 0
    /// Not later than the first deadline of an idle connection, but by some milliseconds.
    private var idleTimer: (id: TimerID, nanos: UInt64)?
    private var isStartingWaiting = false
    private var isClosed = false

    /// Read into by every connection: a turn handles one at a time.
    let ciphertext: UnsafeMutableRawBufferPointer
    let plaintext: UnsafeMutableRawBufferPointer

    /// - Parameter tls: Nil: requests that need TLS fail.
    public init(
        loop: EventLoop, resolver: any NameResolver, tls: TLSContext?, limits: Limits = Limits()
    ) {
        self.loop = loop
        self.resolver = resolver
        self.tls = tls
        self.limits = limits
        pool = ClientPool(countMax: limits.idleMax, perEndpointMax: limits.idlePerEndpointMax)
        ciphertext = .allocate(byteCount: 64 * 1024, alignment: 16)
        plaintext = .allocate(byteCount: 16 * 1024, alignment: 16)
    }

    deinit {
        // Left open by its owner: nobody could close these any more.
        for call in calls.values {
            if let timer = call.timer { loop.cancel(timer) }
            call.connection?.close()
            call.completion?(.failure(.cancelled))
            call.completion = nil
        }
        for connection in pool.takeAll() { connection.close() }
        if let idleTimer { loop.cancel(idleTimer.id) }
        ciphertext.deallocate()
        plaintext.deallocate()
    }

    /// Sends a request. `completion` is called exactly once, on the loop, after `send` has returned.
    ///
    /// - Parameter addressCheck: given each address of the host (IPv4 as `::ffff:a.b.c.d`) and the
    ///   port, says why it may not be called, or nil. One refusal refuses the request. It decides
    ///   for kept-alive connections too, and is not asked for unix-domain sockets.
    /// - Parameter report: is filled with what the call comes across; complete before `completion`.
    @discardableResult
    public func send(
        _ request: ClientRequest,
        addressCheck: @escaping (UInt128, UInt16) -> String? = { _, _ in nil },
        report: CallReport? = nil,
        completion: @escaping (Result<ClientResponse, ClientError>) -> Void
    ) -> ClientCall {
        let call = ClientCall(
            request, client: self,
            deadlineNanos: after(milliseconds: request.options.timeoutMilliseconds),
            addressCheck: addressCheck, report: report, completion: completion)
        calls[ObjectIdentifier(call)] = call
        report?.start()
        if isClosed {
            finish(call, .failure(.cancelled))
        } else {
            start(call)
        }
        call.isBeingSent = false
        return call
    }

    /// Fails every request under way with `.cancelled`, closes every connection, and refuses
    /// further requests.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        for call in calls.values { finish(call, .failure(.cancelled)) }
        for connection in pool.takeAll() { drop(connection) }
        if let idleTimer { loop.cancel(idleTimer.id) }
        idleTimer = nil
    }

    /// The loop, for modules that don't know what's below HTTP.
    public var handle: LoopHandle { LoopHandle(loop) }

    /// For tests.
    var openConnectionCount: Int { connectionCount }
    /// For tests.
    var idleConnectionCount: Int { pool.count }

    // MARK: Starting

    private func start(_ call: ClientCall) {
        let request = call.request
        if !request.options.usesOwnConnection, call.report == nil,
            let connection = pool.take(
                request.endpoint, at: loop.nowNanos, where: { isAllowed($0, for: call) })
        {
            send(call, over: connection)
            return
        }
        if connectionCount >= limits.connectionsMax, let oldest = pool.takeOldest() { drop(oldest) }
        if connectionCount < limits.connectionsMax {
            open(call)
        } else if waiting.count < limits.waitingMax {
            waiting.append(call)
            arm(call, call.deadlineNanos)
        } else {
            finish(call, .failure(.tooManyPending))
        }
    }

    /// A connection made under another check is as good as a new one only if all the addresses
    /// that its name had then pass this check too.
    private func isAllowed(_ connection: ClientConnection, for call: ClientCall) -> Bool {
        guard case .tcp(_, let port, _) = connection.endpoint else { return true }
        return connection.checkedAddresses.allSatisfy { call.addressCheck($0, port) == nil }
    }

    private func startWaiting() {
        // A call that fails at once comes back here; the outer loop goes on instead.
        guard !isStartingWaiting, !waiting.isEmpty else { return }
        isStartingWaiting = true
        while !waiting.isEmpty, connectionCount < limits.connectionsMax || pool.count > 0 {
            start(waiting.removeFirst())
        }
        isStartingWaiting = false
    }

    /// Makes a new connection for `call`, over which its request will go.
    private func open(_ call: ClientCall) {
        call.holdsSlot = true
        connectionCount += 1
        call.report?.beginPhase()
        let budget = after(milliseconds: call.request.options.connectTimeoutMilliseconds)
        call.connectDeadlineNanos = min(budget, call.deadlineNanos)
        switch call.request.endpoint {
        case .unix(let path):
            guard let address = SocketAddress(path: path) else {
                finish(call, .failure(.connect("\(path): not a path of a socket", code: 0)))
                return
            }
            call.candidates = [address]
            connectNext(call)
        case .tcp(let host, let port, _):
            if let address = Resolver.literal(host) {
                connect(call, [address], port: port)
                return
            }
            call.phase = .resolve
            arm(call, call.connectDeadlineNanos)
            resolver.resolve(host, on: loop) { [self] result in
                guard call.completion != nil, call.phase == .resolve else { return }
                call.report?.resolved()
                switch result {
                case .success(let addresses): connect(call, addresses, port: port)
                case .failure(let error):
                    let shortage = error.shortage.map {
                        ClientError.connect($0.description, code: $0.code)
                    }
                    finish(call, .failure(shortage ?? .resolve(error.text)))
                }
            }
        }
    }

    /// What is connected to is what was checked: the name is not looked at again.
    private func connect(_ call: ClientCall, _ addresses: [UInt128], port: UInt16) {
        call.report?.addresses = addresses.map {
            CallReport.Address(
                text: SocketAddress.text(ip: $0), refusal: call.addressCheck($0, port))
        }
        for address in addresses {
            if let reason = call.addressCheck(address, port) {
                finish(call, .failure(.refusedAddress(reason)))
                return
            }
        }
        call.checkedAddresses = addresses
        call.candidates = addresses.map { SocketAddress(ip: $0, port: port) }[...]
        connectNext(call)
    }

    private func connectNext(_ call: ClientCall) {
        call.phase = .connect
        while let address = call.candidates.first {
            // Addresses that don't answer must leave time for those behind them.
            let now = loop.nowNanos
            let share =
                call.connectDeadlineNanos > now
                ? (call.connectDeadlineNanos - now) / UInt64(call.candidates.count) : 0
            call.candidates = call.candidates.dropFirst()
            do {
                call.connection = try ClientConnection(self, call, to: address)
                arm(call, now + share)
                return
            } catch {
                call.connectError = .connect(error.description, code: error.code)
            }
        }
        finish(call, .failure(call.connectError ?? .resolve("no address")))
    }

    private func send(_ call: ClientCall, over connection: ClientConnection) {
        call.connection = connection
        guard call.deadlineNanos > loop.nowNanos else {
            // The machine has slept, and the time-out is due in this turn: a receiver would act on
            // what nobody waits for any more.
            finish(call, .failure(.timeout(call.phase)))
            return
        }
        call.phase = .answer
        arm(call, call.deadlineNanos)
        connection.carry(call)
    }

    // MARK: What connections report

    func connectFailed(_ connection: ClientConnection, _ error: ClientError) {
        guard let call = connection.call else { return }
        call.connectError = error
        call.connection = nil
        connection.close()
        connectNext(call)
    }

    /// From here on it is the connection that counts, since it may outlive the call.
    func connectionEstablished(_ connection: ClientConnection) {
        guard let call = connection.call else { return }
        call.report?.connected(to: connection.remoteAddress)
        call.holdsSlot = false
        connection.holdsSlot = true
        call.candidates = []
        arm(call, call.connectDeadlineNanos)
    }

    func connectionReady(_ connection: ClientConnection) {
        guard let call = connection.call else { return }
        send(call, over: connection)
    }

    func connectionAnswered(
        _ connection: ClientConnection, _ response: ClientResponse, mayKeep: Bool
    ) {
        guard let call = connection.call else { return }
        call.connection = nil
        connection.release()
        if mayKeep, !isClosed { keep(connection) } else { drop(connection) }
        finish(call, .success(response))
    }

    func connectionBroke(_ connection: ClientConnection, _ error: ClientError) {
        guard let call = connection.call else {
            pool.remove(connection)
            drop(connection)
            return
        }
        call.connection = nil
        drop(connection)
        let isStale = connection.hasCarriedOthers && !connection.hasSeenAnswer
        if isStale, call.request.mayRepeat, !call.hasRepeated {
            call.hasRepeated = true
            open(call)
        } else {
            finish(call, .failure(error))
        }
    }

    // MARK: Ending

    /// Answers `call`, and closes the connection it still has.
    func finish(_ call: ClientCall, _ result: Result<ClientResponse, ClientError>) {
        guard let completion = call.completion else { return }
        call.completion = nil
        call.report?.ended()
        calls[ObjectIdentifier(call)] = nil
        if let timer = call.timer { loop.cancel(timer) }
        call.timer = nil
        if let connection = call.connection {
            call.connection = nil
            drop(connection)
        } else if call.phase == .connection {
            waiting.removeAll { $0 === call }
        }
        if call.holdsSlot {
            call.holdsSlot = false
            connectionCount -= 1
        }
        if !isClosed { startWaiting() }
        if call.isBeingSent {
            _ = loop.schedule(afterNanos: 0) { completion(result) }
        } else {
            completion(result)
        }
    }

    private func drop(_ connection: ClientConnection) {
        connection.close()
        guard connection.holdsSlot else { return }
        connection.holdsSlot = false
        connectionCount -= 1
    }

    private func keep(_ connection: ClientConnection) {
        let now = loop.nowNanos
        var nanos = after(milliseconds: limits.idleTimeoutMilliseconds) - now
        if let seconds = connection.keepAliveSeconds {
            // A second earlier than the server, which would close while our request travels.
            nanos = min(nanos, UInt64(clamping: min(seconds, 86_400) - 1) &* 1_000_000_000)
        }
        guard nanos > 0 else {
            drop(connection)
            return
        }
        connection.idleSinceNanos = now
        connection.idleDeadlineNanos = now + nanos
        connection.becomeIdle()
        if let surplus = pool.put(connection) { drop(surplus) }
        if pool.count > 0 { armIdleTimer(now + nanos) }
    }

    /// Sweeps the idle connections then, unless that happens sooner anyway.
    private func armIdleTimer(_ deadline: UInt64) {
        let now = loop.nowNanos
        // At most a hundred sweeps a second, however many connections come and go.
        let nanos = max(deadline, now + 10_000_000)
        if let idleTimer {
            guard nanos < idleTimer.nanos else { return }
            loop.cancel(idleTimer.id)
        }
        let id = loop.schedule(afterNanos: nanos - now) { [unowned self] in
            idleTimer = nil
            for connection in pool.takeExpired(at: loop.nowNanos) { drop(connection) }
            if let next = pool.nextDeadlineNanos { armIdleTimer(next) }
        }
        idleTimer = (id, nanos)
    }

    // MARK: Time

    private func after(milliseconds: Int) -> UInt64 {
        // A day is for ever to a request, and keeps the sum far from overflow.
        loop.nowNanos + UInt64(clamping: min(milliseconds, 86_400_000)) * 1_000_000
    }

    /// Sets the call's one timer.
    private func arm(_ call: ClientCall, _ deadline: UInt64) {
        if let timer = call.timer { loop.cancel(timer) }
        let now = loop.nowNanos
        call.timer = loop.schedule(afterNanos: deadline > now ? deadline - now : 0) {
            [unowned self] in
            timedOut(call)
        }
    }

    private func timedOut(_ call: ClientCall) {
        call.timer = nil
        if call.phase == .connect, !call.candidates.isEmpty, let connection = call.connection {
            connectFailed(connection, .timeout(.connect))
        } else {
            finish(call, .failure(.timeout(call.phase)))
        }
    }
}
