internal import Net

extension Connection {
    /// Called once, before anything is read.
    func startTLS(_ context: TLSContext) {
        tls = SecureTransport(context, descriptor: descriptor, pool: server.pool)
    }

    var isShakingHands: Bool {
        guard let tls else { return false }
        return !tls.isEstablished
    }

    var hasUnsentCiphertext: Bool {
        guard let tls else { return false }
        return tls.hasUnsent
    }

    func readSecure(_ tls: SecureTransport) {
        let wasShakingHands = isShakingHands
        let received = tls.receive(through: server.ciphertextBuffer, into: server.readBuffer) {
            noteRead($0, of: server.ciphertextBuffer.count)
        }
        if wasShakingHands { shookHands(tls) }
        switch received {
        case .bytes(let count):
            take(count)
            // Its goodbye came with its last request.
            if tls.isInputEnded, !isClosed, !isReadFinished { secureInputEnded() }
        case .nothing: break
        case .end: secureInputEnded()
        case .notTLS: answerPlainly(tls)
        case .broken:
            // Time to read the alert, which a reset would destroy.
            stopReading()
            isClosing = true
            mustLinger = true
            if unanswered > 0 || !output.isEmpty { close() }
        case .failed: close()
        }
        if isClosed { return }
        if tls.hasUnsent, !isBlocked { blocked(after: 0) }
        if server.isDraining, requestStarted == 0, !isShakingHands { isClosing = true }
        settle()
    }

    private func shookHands(_ tls: SecureTransport) {
        let now = server.loop.nowNanos
        if tls.isEstablished {
            requestStarted = 0
            waitingSince = now
        } else if tls.hasBegun, requestStarted == 0 {
            // A handshake has the time of a request's head: without it there is no request.
            requestStarted = now
        }
    }

    /// As `readable` does without TLS, but what came is in the server's buffer in any case.
    private func take(_ count: Int) {
        let shared = server.readBuffer
        if input.isEmpty {
            if requestStarted == 0 { requestStarted = server.loop.nowNanos }
            parseShared(shared, count)
            return
        }
        let before = input.count
        guard server.hasRoomForInput(of: self),
            input.append(UnsafeRawBufferPointer(rebasing: shared[..<count]), server.pool)
        else {
            refuse(.outOfMemory)
            return
        }
        bodyCame(count)
        if isWorthParsing(shared, before, count) { parseInput() }
    }

    /// TLS's goodbye, or the socket's end without one: whether a request is complete is told by its
    /// own length, so a cut is noticed either way.
    private func secureInputEnded() {
        if isShakingHands {
            close()
        } else if isClosing {
            isReadFinished = true
        } else {
            readFinished()
        }
    }

    /// For people who left the "s" out.
    private func answerPlainly(_ tls: SecureTransport) {
        tls.release()
        self.tls = nil
        refuse(.bad("This port speaks TLS: begin the address with https://.\n"))
    }
}
