import Domain
import Outbound
import Store

/// Somebody who interferes: pauses and resumes what is called, retries and cancels deliveries, by the
/// jobs of the ledger that the administration uses.
// Unchecked: the simulation has one thread.
final class Operator: @unchecked Sendable {
    private unowned let world: World
    /// Tried again by hand, or maybe so.
    private(set) var retried: Set<DeliveryID> = []
    /// Cancelled, or maybe so.
    private(set) var cancelled: Set<DeliveryID> = []
    private(set) var hasPaused = false
    /// Orders that were confirmed, and the dispatcher's turns until then.
    private var pauses: [Pause.Scope: Int] = [:]
    private var cancellations: [DeliveryID: Int] = [:]

    /// A call that was begun by then takes so many turns of the loop until it arrives: the name is
    /// looked up, the connection made, the request sent.
    private static let turnsOfCall = 5

    init(_ world: World) { self.world = world }

    func act(on life: Life) {
        let id = DeliveryID(Int64.random(in: 1...12, using: &world.random))
        switch Int.random(in: 0..<6, using: &world.random) {
        case 0: pause(life)
        case 1, 2: resume(life)
        case 3, 4:
            retried.insert(id)
            order(life, "retries delivery \(id)") { (tx) throws(StoreError) in
                _ = try tx.retry(id, at: Machine.wall)
            } confirmed: {
                $0.cancellations[id] = nil
            }
        default:
            cancelled.insert(id)
            order(life, "cancels delivery \(id)") { (tx) throws(StoreError) in
                _ = try tx.cancel(id)
            } confirmed: {
                $0.cancellations[id] = $0.world.outboundTurns
            }
        }
    }

    private func pause(_ life: Life) {
        let names = Template.destinations.values.flatMap { $0.map(\.name) }.sorted()
        guard let name = names.randomElement(using: &world.random),
            let host = Template.hosts.randomElement(using: &world.random)
        else { return }
        let scope: Pause.Scope =
            Bool.random(using: &world.random) ? .destination(name) : .host(host)
        hasPaused = true
        order(life, "pauses \(scope)") { (tx) throws(StoreError) in
            _ = try tx.pause(scope, reason: "", at: Machine.wall)
        } confirmed: {
            $0.pauses[scope] = $0.world.outboundTurns
        }
    }

    private func resume(_ life: Life) {
        let lasting = life.ledger.catalog.pauses.lasting
        guard let pause = lasting.randomElement(using: &world.random) else { return }
        resume(pause, life)
    }

    private func resume(_ pause: Pause, _ life: Life) {
        // It may end from now on, whenever that is confirmed.
        pauses[pause.scope] = nil
        order(life, "resumes \(pause.scope)") { (tx) throws(StoreError) in
            _ = try tx.resume(pause.id, at: Machine.wall)
        }
    }

    func resumeAll(_ life: Life) {
        for pause in life.ledger.catalog.pauses.lasting { resume(pause, life) }
    }

    private func order(
        _ life: Life, _ what: String,
        _ job: @escaping @Sendable (LedgerTransaction) throws(StoreError) -> Void,
        confirmed: @escaping @Sendable (Operator) -> Void = { _ in }
    ) {
        world.trace.note("operator \(what)")
        life.ledger.perform(job) { [self] result in
            guard !Machine.isDead else { return }
            switch result {
            case .success:
                world.trace.note("operator: done: \(what)")
                confirmed(self)
            case .failure(let error): world.trace.note("operator: \(what): \(error)")
            }
        }
    }

    /// A delivery is called: nobody may have forbidden it.
    func check(_ delivery: Delivery, at host: String) throws {
        func isLate(_ order: Int) -> Bool { world.outboundTurns - order > Self.turnsOfCall }
        for scope in [.destination(delivery.destination), .host(host)] as [Pause.Scope] {
            if let order = pauses[scope], isLate(order) {
                throw Violation("delivery \(delivery.id) is called though \(scope) is paused")
            }
        }
        switch delivery.state {
        case .waiting: return
        case .cancelled:
            if let order = cancellations[delivery.id], !isLate(order) { return }
        case .delivered, .dead: break
        }
        throw Violation("delivery \(delivery.id) is called though it is \(delivery.state)")
    }
}
