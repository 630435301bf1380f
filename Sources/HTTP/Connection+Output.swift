internal import Net

extension Connection {
    /// The answer to request number `sequence`; ignored when it has one.
    func answer(
        _ sequence: UInt32, _ status: Int, headerLines: UnsafeRawBufferPointer,
        body: UnsafeRawBufferPointer
    ) {
        let ahead = Int(sequence &- nextAnswer)
        guard !isClosed, ahead < unanswered else { return }
        let isLast = sequence &+ 1 == nextSequence
        guard ahead > 0 else {
            guard
                append(
                    to: output, sequence, status, headerLines: headerLines, body: body,
                    closes: isClosing && isLast)
            else {
                close()
                return
            }
            nextAnswer &+= 1
            unpark()
            answersAdvanced()
            return
        }
        let index = Int(sequence & 31)
        if parked.isEmpty { parked = Array(repeating: nil, count: 32) }
        guard parked[index] == nil else { return }
        let bytes = PooledBytes()
        guard
            append(
                to: bytes, sequence, status, headerLines: headerLines, body: body,
                closes: isClosing && isLast)
        else {
            close()
            return
        }
        parked[index] = bytes
        parkedBytes += bytes.count
    }

    /// Moves the answers whose turn has come behind the others.
    private func unpark() {
        // A number is looked at for less than an array.
        guard parkedBytes > 0 else { return }
        while unanswered > 0, let bytes = parked[Int(nextAnswer & 31)] {
            parked[Int(nextAnswer & 31)] = nil
            parkedBytes -= bytes.count
            let isMoved = output.append(bytes.bytes, server.pool)
            bytes.release(server.pool)
            guard isMoved else {
                close()
                return
            }
            nextAnswer &+= 1
        }
    }

    private func answersAdvanced() {
        if isClosed { return }
        sendContinueIfDue()
        markDirty()
        waitingSince = withServer { $0.loop.nowNanos }
        resumeIfPossible()
    }

    func resumeIfPossible() {
        guard isStalled, !isParsing, !isResumable, !isClosing, !isPaused else { return }
        isResumable = true
        server.markResumable(self)
    }

    func markDirty() {
        guard !isDirty else { return }
        isDirty = true
        withServer { $0.markDirty(self) }
    }

    private func append(
        to bytes: PooledBytes, _ sequence: UInt32, _ status: Int,
        headerLines: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, closes: Bool
    ) -> Bool {
        assert(headerLines.isEmpty || headerLines.last == Scan.lineFeed, "a header line has no end")
        let bit = UInt32(1) << (sequence & 31)
        let hasBody = !AnswerHead.hasNoBody(status)
        let sendsBody = hasBody && headRequests & bit == 0
        let bodyCount = sendsBody ? body.count : 0
        // 256 holds everything of the head that is not in `headerLines`.
        let needed = headerLines.count + bodyCount + 256
        let isReserved = withServer { server in
            bytes.reserve(needed, server.pool)
                || server.makeRoom(for: self) { bytes.reserve(needed, server.pool) }
        }
        guard isReserved, let room = bytes.room.baseAddress else { return false }
        var writer = Writer(next: room)
        withServer { server in
            server.answerHead.updateDate(server.loop.wallMicros)
            writer.put(server.answerHead.statusLine(status))
            writer.put(UnsafeRawBufferPointer(server.answerHead.dateLine))
        }
        writer.put(headerLines)
        if hasBody {
            writer.put("Content-Length: ")
            writer.put(decimal: body.count)
            writer.put("\r\n")
        }
        if closes {
            writer.put("Connection: close\r\n")
        } else if http10Requests & bit != 0 {
            writer.put("Connection: keep-alive\r\n")
        }
        writer.put("\r\n")
        if sendsBody { writer.put(body) }
        bytes.wrote(writer.next - room)
        return true
    }

    /// Writes into memory that was reserved.
    private struct Writer {
        var next: UnsafeMutableRawPointer

        @inline(__always)
        mutating func put(_ bytes: UnsafeRawBufferPointer) {
            guard let source = bytes.baseAddress else { return }
            next.copyMemory(from: source, byteCount: bytes.count)
            next += bytes.count
        }

        @inline(__always)
        mutating func put(_ text: StaticString) {
            next.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
            next += text.utf8CodeUnitCount
        }

        mutating func put(decimal number: Int) {
            var digits = 1
            var rest = number
            while rest >= 10 {
                rest /= 10
                digits += 1
            }
            rest = number
            var index = digits
            while index > 0 {
                index -= 1
                next.storeBytes(of: UInt8(48 + rest % 10), toByteOffset: index, as: UInt8.self)
                rest /= 10
            }
            next += digits
        }
    }

    /// Writes once what there is; the rest when the socket takes more.
    func flush() {
        isDirty = false
        if isClosed { return }
        if !output.isEmpty || hasUnsentCiphertext {
            switch transmit(output.bytes) {
            case .bytes(let count): wrote(count)
            case .wouldBlock: wrote(0)
            case .end, .failed:
                close()
                return
            }
        }
        if !isDirty { resumeIfPossible() }
        settle()
    }

    private func wrote(_ count: Int) {
        withServer { output.consume(count, $0.pool) }
        if output.isEmpty, !hasUnsentCiphertext {
            if isBlocked { unblock() }
            return
        }
        blocked(after: count)
        // It was others' turn; the socket has room and will not say so again.
        if tls != nil, !hasUnsentCiphertext { markDirty() }
    }

    private func unblock() {
        isBlocked = false
        // The time in which we did not read is not the client's.
        let now = server.loop.nowNanos
        if requestStarted != 0 { requestStarted = now }
        bodyBegins()
    }

    /// The socket took `count` bytes and no more.
    func blocked(after count: Int) {
        let now = server.loop.nowNanos
        let fresh = now &+ server.nanos.write
        if isBlocked {
            // A trickle of reading buys no more time than a body at the least rate would have.
            writeDeadline = min(
                fresh, writeDeadline &+ UInt64(clamping: count) &* server.nanos.perBodyByte)
        } else {
            isBlocked = true
            blockedSince = now
            writeDeadline = fresh
        }
        // The usual client takes its answers at once. What others leave waits in little memory.
        output.fit(server.pool)
        input.fit(server.pool)
    }
}
