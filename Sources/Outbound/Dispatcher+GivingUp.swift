internal import Domain
internal import HTTP
internal import Store

/// The origins that are to be looked through for deliveries whose time is up.
struct GiveUpQueue {
    /// Between two looks at one origin.
    static let pauseNanos: UInt64 = 300_000_000_000
    /// Origins whose last look is remembered.
    static let rememberedMax = 65_536
    /// Rows of one read, and deliveries of one job of the ledger: postbacks wait meanwhile.
    static let rowsMax = 200

    private var names = Ring<String>()
    private var lookedAtNanos: [String: UInt64] = [:]
    /// One at a time.
    var isUnderWay = false

    mutating func append(_ name: String, atNanos now: UInt64) {
        if let last = lookedAtNanos[name], now < last &+ Self.pauseNanos { return }
        if lookedAtNanos.count >= Self.rememberedMax { lookedAtNanos = [:] }
        lookedAtNanos[name] = now
        names.append(name)
    }

    mutating func popFirst() -> String? { names.popFirst() }
}

/// Deliveries that should be given up by now, and wait for a host that fails: it's called once at a
/// time, with pauses, and never comes to most of them.
///
/// They end only right after a call has failed: a host that is back by then is told of everything,
/// and what failed for one would have failed for all. A pause stops the clock of what it holds, and
/// nothing ends while it lasts.
extension Dispatcher {
    /// A call has failed, and the origin's breaker is open.
    func noteFailing(_ origin: String) {
        giveUps.append(origin, atNanos: now.nanos)
        giveUpNext()
    }

    private func giveUpNext() {
        guard !giveUps.isUnderWay else { return }
        while isRunning, let origin = giveUps.popFirst() {
            guard isFailing(origin) else { continue }
            giveUps.isUnderWay = true
            readOverdue(at: origin, after: nil)
            return
        }
    }

    private func isFailing(_ origin: String) -> Bool {
        plan.openBreakers[origin] != nil && !pauses.holds(origin: origin)
    }

    private func readOverdue(at origin: String, after cursor: OverdueCursor?) {
        let now = now.wall
        table.overdue(origin, now.advanced(by: .zero - settings.giveUpAfter), cursor) {
            [self] result in
            loop.post { [self] in
                switch result {
                case .success(let part): giveUp(part.deliveries, at: origin, next: part.next)
                // It's looked at again when its host has failed again.
                case .failure: endGivingUp()
                }
            }
        }
    }

    private func giveUp(
        _ overdue: [OverdueDelivery], at origin: String, next cursor: OverdueCursor?
    ) {
        let begun = now
        let now = begun.wall
        guard isRunning, let open = plan.openBreakers[origin] else { return endGivingUp() }
        var ended: [(OverdueDelivery, reason: String)] = []
        for delivery in overdue where !plan.isBusy(delivery.id, at: origin) {
            guard pauses.holding(destination: delivery.destination, origin: origin) == nil else {
                continue
            }
            let held = pauses.held(
                destination: delivery.destination, origin: origin, from: delivery.firstDueAt,
                to: now)
            guard delivery.firstDueAt.advanced(by: settings.giveUpAfter + held) <= now else {
                continue
            }
            let attempts =
                switch delivery.attemptCount {
                case 0: "without an attempt"
                case 1: "after one attempt"
                default: "after \(delivery.attemptCount) attempts"
                }
            let givenUp = judge.givenUp(isDelayed: delivery.isDelayed, held: held)
            ended.append((delivery, "\(givenUp), \(attempts): its host fails: \(open.lastError)"))
        }
        let goOn: @Sendable () -> Void = { [self] in
            if let cursor, isRunning, isFailing(origin) {
                readOverdue(at: origin, after: cursor)
            } else {
                endGivingUp()
            }
        }
        if ended.isEmpty {
            goOn()
        } else {
            // Its host may be called on while this waits for the ledger.
            let ids = Set(ended.map(\.0.id))
            let isHeld = plan.hold(ids, at: origin, begun)
            table.giveUp(ended, now) { [self] result in
                loop.post { [self] in
                    if isHeld { plan.release(ids, at: origin, self.now) }
                    pump()
                    switch result {
                    case .success: goOn()
                    case .failure: endGivingUp()
                    }
                }
            }
        }
    }

    private func endGivingUp() {
        giveUps.isUnderWay = false
        giveUpNext()
    }
}
