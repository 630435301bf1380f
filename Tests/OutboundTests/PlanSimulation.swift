import Domain
import HTTP
import Store
import TestSupport

@testable import Outbound

/// A plan over a table in memory and receivers that are a function, in time that passes as fast as
/// the machine computes.
final class PlanSimulation {
    struct Call {
        let id: DeliveryID
        let origin: String
        /// Seconds since the simulation began.
        let second: Double
    }

    /// A receiver's answer to a call: nil for none at all.
    typealias Receiver = (_ origin: String, _ second: Double) -> Bool?

    static let start = Instant(micros: 1_800_000_000_000_000)

    let plan: DeliveryPlan
    var receiver: Receiver
    /// How long each call takes.
    var callSeconds = 0.0
    /// How long a call takes to these.
    var callSecondsByOrigin: [String: Double] = [:]
    private var idsByOrigin: [String: [DeliveryID]] = [:]
    private(set) var rows: [DeliveryID: Delivery] = [:]
    private(set) var calls: [Call] = []
    private(set) var mostInMemory = 0
    private(set) var mostInFlight = 0
    private(set) var reads = 0
    private(set) var rowsRead = 0
    private let judge: AttemptJudge
    private var nanos: UInt64 = 1_000_000_000
    /// What somebody has set the clock by.
    private var clockSeconds = 0.0
    private var pending: [(end: UInt64, start: DeliveryPlan.Start)] = []
    private var random = SeededRandom(7)

    init(limits: DeliveryPlan.Limits = .init(), receiver: @escaping Receiver) {
        plan = DeliveryPlan(limits: limits)
        judge = AttemptJudge(settings: Dispatcher.Settings())
        self.receiver = receiver
    }

    /// Goes on where another one is, with nothing but its table.
    convenience init(rows other: PlanSimulation, receiver: @escaping Receiver) {
        self.init(limits: other.plan.limits, receiver: receiver)
        (rows, counts, idsByOrigin) = (other.rows, other.counts, other.idsByOrigin)
        (nanos, clockSeconds) = (other.nanos, other.clockSeconds)
        callSecondsByOrigin = other.callSecondsByOrigin
    }

    var second: Double { Double(nanos - 1_000_000_000) / 1e9 }

    var now: Moment {
        Moment(
            wall: Self.start.advanced(by: .milliseconds(Int64((second + clockSeconds) * 1000))),
            nanos: nanos)
    }

    func setClock(bySeconds seconds: Double) { clockSeconds += seconds }

    func queue(_ origin: String, count: Int = 1, bodyBytes: Int? = nil) {
        let body = bodyBytes.map { [UInt8](repeating: 0x61, count: $0) }
        for _ in 0..<count {
            let id = DeliveryID(Int64(rows.count + 1))
            rows[id] = Delivery(
                id: id, conversionID: ConversionID(1), revision: 1, destination: "a/b",
                state: .waiting, reason: nil, dueAt: now.wall, convertedAt: now.wall,
                request: DispatcherHarness.request(origin + "/", body: body), attemptCount: 0)
            counts[.waiting, default: 0] += 1
            idsByOrigin[origin, default: []].append(id)
        }
        plan.wake([origin], at: now)
    }

    private(set) var counts: [Delivery.State: Int] = [:]

    func count(_ state: Delivery.State) -> Int { counts[state] ?? 0 }

    var waitingOrigins: [String] {
        Set(rows.values.filter { $0.state == .waiting }.map(\.request.origin)).sorted()
    }

    /// Lets time pass until then, or until nothing waits.
    func run(untilSecond end: Double) {
        while second < end {
            work()
            guard count(.waiting) > 0 else { return }
            let next = min(plan.nextTickNanos, pending.first?.end ?? .max)
            let limit = UInt64(end * 1e9) + 1_000_000_000
            nanos = max(nanos + 1_000_000, min(next, limit))
            plan.tick(at: now)
        }
    }

    private func work() {
        var isDone = false
        while !isDone {
            isDone = true
            while let first = pending.first, first.end <= nanos {
                pending.removeFirst()
                finish(first.start)
                isDone = false
            }
            while let start = plan.next(at: now) {
                calls.append(
                    Call(id: start.delivery.id, origin: start.origin.name, second: second))
                let seconds = callSecondsByOrigin[start.origin.name] ?? callSeconds
                let end = nanos + UInt64(seconds * 1e9)
                pending.insert(
                    (end, start), at: pending.firstIndex { $0.end > end } ?? pending.count)
                isDone = false
            }
            mostInFlight = max(mostInFlight, plan.inFlight)
            while let order = plan.nextRead(at: now) {
                reads += 1
                let ids = idsByOrigin[order.origin.name] ?? []
                let window = DeliveryWindow(order.window, of: ids.compactMap { rows[$0] })
                rowsRead += window.rows.count { $0.delivery != nil }
                plan.finish(order, window, at: now)
                isDone = false
            }
            mostInMemory = max(mostInMemory, plan.waitingInMemory)
        }
    }

    private func finish(_ start: DeliveryPlan.Start) {
        let end: CallEnd =
            switch receiver(start.origin.name, second) {
            case true?: .answered(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
            case false?: .answered(answer("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"))
            case nil: .failed(.connect("connect: Connection refused", code: 111))
            }
        let times = AttemptJudge.Times(
            startedAt: now.wall, endedAt: now.wall, milliseconds: 0)
        let verdict = judge.judge(
            end, of: start.delivery, times, jitter: Double.random(in: 0...1, using: &random))
        let finished = plan.finish(start, verdict, at: now)
        let row = start.delivery
        let (state, due): (Delivery.State, Instant) =
            switch verdict.result.outcome {
            case .delivered: (.delivered, row.dueAt)
            case .retry(let at): (.waiting, at)
            case .dead: (.dead, row.dueAt)
            }
        counts[.waiting, default: 0] -= 1
        counts[state, default: 0] += 1
        rows[row.id] = Delivery(
            id: row.id, conversionID: row.conversionID, revision: row.revision,
            destination: row.destination, state: state, reason: nil, dueAt: due,
            convertedAt: row.convertedAt, request: row.request,
            attemptCount: verdict.result.attempt.number)
        plan.record(finished, at: now)
    }
}

extension DeliveryWindow {
    /// What the table answers whose rows these are.
    init(_ order: Order, of rows: some Collection<Delivery>) {
        let queue = rows.filter {
            $0.state == .waiting && $0.request.origin == order.origin
                && !order.passedOver.contains($0.destination)
        }
        .sorted { ($0.dueAt.micros, $0.id.rawValue) < ($1.dueAt.micros, $1.id.rawValue) }
        var found: [Row] = []
        var bytes = 0
        for delivery in queue.prefix(order.limit) where bytes < order.bytesMax {
            let (id, dueAt) = (delivery.id, delivery.dueAt)
            let isToldByNumber = order.ignored.contains(id) || order.known[id] == dueAt
            if !isToldByNumber { bytes += delivery.approximateBytes }
            found.append(Row(id: id, dueAt: dueAt, delivery: isToldByNumber ? nil : delivery))
        }
        self.init(rows: found, isComplete: found.count == queue.count)
    }
}
