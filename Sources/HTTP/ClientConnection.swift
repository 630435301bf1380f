internal import Net

/// One connection of a client: connects, shakes hands, carries one request at a time, idles.
// Unchecked because it is confined to its client's loop thread.
final class ClientConnection: EventHandler, @unchecked Sendable {
    private enum State {
        case connecting, handshaking, busy, idle, closed
    }

    let endpoint: ClientRequest.Endpoint
    /// Every address of the name when this connection was made, of which it uses one.
    let checkedAddresses: [UInt128]
    let remoteAddress: String
    private let descriptor: Int32
    private unowned let client: Client
    private let loop: EventLoop

    /// The call being carried, or for which the connection is being made.
    private(set) var call: ClientCall?
    private(set) var hasCarriedOthers = false
    /// Whether it counts against the connections allowed; before, its call does.
    var holdsSlot = false
    var idleSinceNanos: UInt64 = 0
    var idleDeadlineNanos: UInt64 = 0

    private var state = State.connecting
    private var tls: TLSSession?
    private var parser = ClientResponseParser(isHead: false, bodyReadMax: 0, bodyKeptMax: 0)
    /// What the socket has not taken yet begins at `outputStart`.
    private var output: [UInt8] = []
    private var outputStart = 0
    /// The server reads no more. It may have answered before, so the answer is still waited for.
    private var isWritingOver = false

    /// Starts to connect for `call`. When it throws, nothing is left open.
    init(_ client: Client, _ call: ClientCall, to address: SocketAddress) throws(NetError) {
        descriptor = try Socket.connect(to: address)
        self.client = client
        loop = client.loop
        self.call = call
        endpoint = call.request.endpoint
        checkedAddresses = call.checkedAddresses
        remoteAddress = address.text
        do {
            try loop.add(descriptor, .write, self)
        } catch {
            state = .closed
            Socket.close(descriptor)
            throw error
        }
    }

    /// Sends `call`'s request, which is then answered through the client.
    func carry(_ call: ClientCall) {
        self.call = call
        state = .busy
        isWritingOver = false
        let options = call.request.options
        parser = ClientResponseParser(
            isHead: call.request.isHead, bodyReadMax: options.bodyReadMax,
            bodyKeptMax: options.bodyKeptMax)
        if let tls {
            do {
                try tls.write(call.request.bytes)
            } catch {
                client.connectionBroke(self, .tls(error.text))
                return
            }
            tls.drain(into: &output)
        } else {
            output = call.request.bytes
        }
        flush()
    }

    /// Gives up its call, which the client has taken over or answered.
    func release() { call = nil }

    /// When the server has announced to close an idle connection earlier than we would.
    var keepAliveSeconds: Int? { parser.keepAliveSeconds }

    func becomeIdle() {
        state = .idle
        hasCarriedOthers = true
    }

    /// Harmless when closed before.
    func close() {
        guard state != .closed else { return }
        if let tls, state == .idle || state == .busy {
            tls.close()
            tls.drain(into: &output)
            flush()
        }
        state = .closed
        call = nil
        tls = nil
        loop.forget(descriptor)
        Socket.close(descriptor)
    }

    func ready(_ events: Interest) {
        switch state {
        case .connecting:
            let code = Socket.pendingError(descriptor)
            if code == 0 {
                established()
            } else {
                let error = NetError("connect \(remoteAddress)", code: code)
                client.connectFailed(self, .connect(error.description, code: code))
            }
        case .handshaking, .busy, .idle:
            if events.contains(.write) { flush() }
            if !events.isDisjoint(with: [.read, .hangup]) { receive() }
        case .closed:
            break
        }
    }

    // MARK: Connecting

    private func established() {
        client.connectionEstablished(self)
        guard let call else { return }
        guard case .tcp(let host, let port, true) = endpoint else {
            watch(.read)
            client.connectionReady(self)
            return
        }
        call.phase = .handshake
        state = .handshaking
        guard let context = client.tls else {
            client.connectionBroke(self, .tls("not set up"))
            return
        }
        do {
            tls = try context.connect(
                serverName: host, port: port, isObserved: call.report != nil)
        } catch {
            client.connectionBroke(self, .tls(error.text))
            return
        }
        watch(.read)
        shakeHands()
    }

    private func shakeHands() {
        guard let tls else { return }
        do {
            if try tls.handshake() {
                call?.report?.shookHands(tls, problem: nil)
                // Our last handshake message is still in `tls` and leaves with the request.
                client.connectionReady(self)
                return
            }
            tls.drain(into: &output)
            flush()
        } catch {
            call?.report?.shookHands(tls, problem: error.text)
            // The alert tells the server why.
            tls.drain(into: &output)
            flush()
            client.connectionBroke(self, .tls(error.text))
        }
    }

    // MARK: Writing

    private func flush() {
        while outputStart < output.count {
            let transfer =
                isWritingOver
                ? Transfer.failed(0)
                : output.withUnsafeBytes {
                    Socket.write(
                        descriptor, UnsafeRawBufferPointer(rebasing: $0[outputStart...]))
                }
            switch transfer {
            case .bytes(let count):
                outputStart += count
            case .wouldBlock:
                watch([.read, .write])
                return
            case .end, .failed:
                // What the server said before it closed is read before this is called a failure.
                isWritingOver = true
                outputStart = output.count
            }
        }
        output = []
        outputStart = 0
        watch(.read)
    }

    private func watch(_ interest: Interest) {
        do {
            try loop.modify(descriptor, interest)
        } catch {
            // The kernel refuses this for lack of memory only; the time-out ends the call.
            isWritingOver = true
        }
    }

    // MARK: Reading

    private func receive() {
        let buffer = client.ciphertext
        switch Socket.read(descriptor, into: buffer) {
        case .bytes(let count):
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if let tls {
                decrypt(bytes, tls)
            } else if take(bytes) {
                completed(isSpent: false)
            }
        case .wouldBlock: break
        case .end: ended(isDeliberate: tls == nil, "the server closed the connection")
        case .failed(let code):
            ended(
                isDeliberate: false,
                NetError("connection to \(remoteAddress)", code: code).description)
        }
    }

    private func decrypt(_ bytes: UnsafeRawBufferPointer, _ tls: TLSSession) {
        do {
            tls.feed(bytes)
            if state == .handshaking {
                shakeHands()
                // What came with the last handshake message is read below.
                guard tls.isEstablished, state != .closed else { return }
            }
            let buffer = client.plaintext
            reading: while true {
                switch try tls.read(into: buffer) {
                case .bytes(let count):
                    if take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
                        // Anything behind the answer is nobody's, and must not be there when the
                        // connection is lent again. This also takes in sessions to resume. An error
                        // has the same consequence: the answer is whole, the connection spent.
                        let next = try? tls.read(into: buffer)
                        completed(isSpent: next != .needsInput)
                        break reading
                    }
                case .needsInput: break reading
                case .closed:
                    ended(isDeliberate: true, "the server closed the connection")
                }
                if state == .closed { return }
            }
            // An answer to the server's change of keys.
            if state != .closed, tls.hasOutput {
                tls.drain(into: &output)
                flush()
            }
        } catch {
            guard state != .closed else { return }
            tls.drain(into: &output)
            flush()
            client.connectionBroke(self, .tls(error.text))
        }
    }

    /// Plain bytes of an answer; true when it is whole. While idle nothing is owed to us, so bytes
    /// end the connection.
    private func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard state == .busy else {
            client.connectionBroke(self, .closed("unexpected bytes"))
            return false
        }
        call?.report?.received()
        switch parser.consume(bytes) {
        case .needsMore: return false
        case .complete: return true
        case .malformed(let problem):
            client.connectionBroke(self, .malformed(problem))
            return false
        }
    }

    private func ended(isDeliberate: Bool, _ reason: String) {
        if state == .handshaking {
            client.connectionBroke(self, .tls("\(reason) during the handshake"))
        } else if state == .busy, parser.end(isDeliberate: isDeliberate) == .complete {
            completed(isSpent: true)
        } else {
            let position = parser.hasStarted ? "in the middle of the answer" : "before an answer"
            client.connectionBroke(self, .closed("\(reason) \(position)"))
        }
    }

    private func completed(isSpent: Bool) {
        guard let call else { return }
        let elapsed = Clock.monotonicNanos() - call.startedNanos
        let response = parser.response(
            milliseconds: Int(clamping: elapsed / 1_000_000), remoteAddress: remoteAddress,
            usedKeptConnection: hasCarriedOthers)
        let mayKeep =
            !isSpent && parser.mayKeepConnection && output.isEmpty && !isWritingOver
            && !call.request.options.usesOwnConnection
        client.connectionAnswered(self, response, mayKeep: mayKeep)
    }

    /// Whether a request may be sent again after this connection broke under it.
    var hasSeenAnswer: Bool { parser.hasStarted }
}
