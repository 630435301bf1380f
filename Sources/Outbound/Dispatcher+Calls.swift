internal import Domain
internal import HTTP
internal import Store

/// A call between its start and its end.
struct CallInFlight {
    let handle: Caller.Handle
    let startedAt: Moment
}

extension Dispatcher {
    /// Calls a delivery's receiver.
    func begin(_ start: DeliveryPlan.Start) {
        let server = start.origin.server ?? OutboundCall.server(of: start.origin.name)
        start.origin.server = server
        do throws(Unsendable) {
            let handle = try caller.call(
                start.delivery, at: now.wall, server: server, isWanted: { [self] in mayCall(start) }
            ) { [self] end in ended(start, end) }
            calls[start.delivery.id] = CallInFlight(handle: handle, startedAt: now)
        } catch {
            finish(start, .unsendable(error.reason), startedAt: now)
        }
    }

    private func ended(_ start: DeliveryPlan.Start, _ end: CallEnd) {
        let startedAt = calls.removeValue(forKey: start.delivery.id)?.startedAt ?? now
        switch end {
        case .failed(.cancelled):
            // Cut off by our own end, or wanted no more: as if it hadn't been made.
            plan.abandon(start, at: now)
        case .failed(.tooManyPending):
            // Not this call's fault, nor the host's. With `clientLimits` it doesn't happen.
            hold(milliseconds: 100)
            plan.abandon(start, at: now)
        case .failed(let error) where error.isShortageOfOurs:
            // Whoever is called next would fare the same: this was no attempt.
            if shortage == nil { hooks.log("outbound_shortage", "reason=\"\(error.text)\"") }
            shortage = error.text
            hold(milliseconds: 1000)
            plan.abandon(start, at: now)
        case .answered, .failed, .unauthorized, .unsendable:
            shortage = nil
            finish(start, end, startedAt: startedAt)
        }
        pump()
    }

    private func finish(_ start: DeliveryPlan.Start, _ end: CallEnd, startedAt: Moment) {
        let now = now
        let times = AttemptJudge.Times(
            startedAt: startedAt.wall, endedAt: now.wall,
            milliseconds: Int(clamping: (now.nanos - startedAt.nanos) / 1_000_000),
            held: pauses.held(
                destination: start.delivery.destination, origin: start.origin.name,
                from: start.delivery.firstDueAt, to: now.wall))
        let verdict = judge.judge(end, of: start.delivery, times, jitter: hooks.random())
        let wasOpen = start.origin.breaker.open != nil
        let finished = plan.finish(start, verdict, at: now)
        logBreaker(of: start.origin, wasOpen: wasOpen)
        if case .failing = verdict.health, start.origin.breaker.open != nil {
            noteFailing(start.origin.name)
        }
        results.append(finished, verdict.result)
    }

    private func logBreaker(of origin: DeliveryPlan.Origin, wasOpen: Bool) {
        if let open = origin.breaker.open {
            if !wasOpen {
                hooks.log(
                    "outbound_host_failing", "origin=\(origin.name) reason=\"\(open.lastError)\"")
            }
        } else if wasOpen {
            hooks.log("outbound_host_recovered", "origin=\(origin.name)")
        }
    }

    private func hold(milliseconds: Int) {
        plan.isHeld = true
        _ = loop.schedule(afterMilliseconds: milliseconds) { [self] in
            plan.isHeld = storageFailure != nil
            pump()
        }
    }

    // MARK: Recording

    /// Hands the results that have gathered to the ledger, unless some are on their way.
    func recordResults() {
        // With no call in flight there is nothing to wait for.
        switch results.nextBatch(at: loop.nowNanos, mayGather: plan.inFlight > 0 && !isStopping) {
        case .nothing: break
        case .later(let milliseconds):
            guard !isGathering else { return }
            isGathering = true
            _ = loop.schedule(afterMilliseconds: milliseconds) { [self] in
                isGathering = false
                pump()
            }
        case .batch(let batch):
            table.record(batch) { [self] result in
                loop.post { [self] in recorded(result) }
            }
        }
    }

    private func recorded(_ result: Result<Void, StoreError>) {
        let now = now
        switch result {
        case .success:
            for item in results.recorded(at: now.nanos) { plan.record(item.finished, at: now) }
            if storageFailure != nil {
                hooks.log("outbound_record_works", "")
                storageFailure = nil
                plan.isHeld = false
            }
        case .failure(let error):
            // A call whose result can't be kept might be made again after a crash: none is made.
            if storageFailure == nil { hooks.log("outbound_record_failed", "reason=\"\(error)\"") }
            storageFailure = error.description
            plan.isHeld = true
            _ = loop.schedule(afterMilliseconds: results.failed()) { [self] in
                results.retry()
                pump()
            }
        }
        pump()
    }
}
