import Dispatch
import Domain
import HTTP
import Store
import TestSupport

@testable import Outbound

/// Days of deliveries in seconds: the dispatcher's plan and judge over a real ledger, receivers that
/// are a function, clocks that a test sets, and crashes.
///
/// One thread does it all and waits for the ledger, so that a seed gives the same run every time.
final class LedgerSimulation {
    struct Call {
        let delivery: DeliveryID
        let key: String
        /// As the dispatcher counts: an attempt that a crash has lost is made again.
        let attempt: Int
        let origin: String
        /// True seconds since the simulation began, whatever the clock says.
        let second: Double
        /// Lives of the dispatcher before this one.
        let life: Int
        var isAccepted = false
        /// A crash came before its result was on disk.
        var isLost = false
    }

    /// What a receiver says to a call.
    enum Answer {
        case accepts
        case status(Int, retryAfter: String? = nil)
        case refusesConnection
        case times(out: ClientError.Phase)
    }

    typealias Receiver = (Call) -> Answer

    static let hour = 3600.0
    private static let start = Instant(micros: 1_800_000_000_000_000)

    /// How long each call takes.
    var callSeconds = 0.2
    private(set) var calls: [Call] = []
    private(set) var mostInMemory = 0
    private(set) var harness: DispatcherHarness
    private let receiver: Receiver
    private let judge = AttemptJudge(settings: Dispatcher.Settings())
    private var plan: DeliveryPlan
    private let limits: DeliveryPlan.Limits
    private var random: SeededRandom

    /// True time.
    private var elapsedNanos: UInt64 = 0
    /// CLOCK_MONOTONIC when the simulation began; another after a restart.
    private var bootNanos: UInt64 = 1_000_000_000
    private var clockMicros: Int64 = 0
    private var life = 0
    /// Calls under way: when they end, and which of `calls` they are.
    private var pending: [(end: UInt64, start: DeliveryPlan.Start, index: Int)] = []
    private var nextScanNanos: UInt64 = 0

    init(
        seed: UInt64, limits: DeliveryPlan.Limits = .init(), _ receiver: @escaping Receiver
    ) throws {
        harness = try DispatcherHarness()
        random = SeededRandom(seed)
        plan = DeliveryPlan(limits: limits)
        self.limits = limits
        self.receiver = receiver
    }

    var second: Double { Double(elapsedNanos) / 1e9 }

    /// The clocks as the dispatcher reads them.
    var now: Moment {
        Moment(
            wall: Instant(
                micros: Self.start.micros + Int64(elapsedNanos / 1000) + clockMicros),
            nanos: bootNanos + elapsedNanos)
    }

    // MARK: What happens

    /// A conversion whose source is told at each of these origins.
    @discardableResult
    func queue(_ origins: [String]) throws -> [DeliveryID] {
        let ids = try harness.queue(
            origins.map { DispatcherHarness.request($0 + "/") }, at: now.wall)
        plan.wake(origins, at: now)
        return ids
    }

    func queue(_ origin: String, count: Int) throws -> [DeliveryID] {
        try (0..<count).flatMap { _ in try queue([origin]) }
    }

    /// Somebody sets the clock.
    func setClock(bySeconds seconds: Double) { clockMicros += Int64(seconds * 1e6) }

    /// The dispatcher ends without a word: what is in flight is lost, what is on disk is not. It's
    /// back after so many seconds.
    func crash(downSeconds: Double) throws {
        for call in pending {
            // The receiver has had it all the same.
            if case .accepts = receiver(calls[call.index]) { calls[call.index].isAccepted = true }
            calls[call.index].isLost = true
        }
        pending = []
        harness.close()
        elapsedNanos += UInt64(downSeconds * 1e9)
        // As after a boot of the machine.
        bootNanos = UInt64.random(in: 0...1_000_000_000_000, using: &random)
        life += 1
        harness = try DispatcherHarness(directory: harness.directory)
        plan = DeliveryPlan(limits: limits)
        nextScanNanos = 0
    }

    /// Lets time pass until then, or until nothing waits.
    func run(untilSecond end: Double) throws {
        let endNanos = UInt64(end * 1e9)
        while elapsedNanos < endNanos {
            try work()
            let boot = bootNanos
            let tick = plan.nextTickNanos == .max ? .max : plan.nextTickNanos - boot
            if tick == .max, pending.isEmpty, try waitingOrigins().isEmpty { return }
            let next = min(tick, pending.first?.end ?? .max, nextScanNanos, endNanos)
            elapsedNanos = max(elapsedNanos + 1_000_000, next)
            plan.tick(at: now)
        }
    }

    // MARK: The dispatcher's work

    private func work() throws {
        var isDone = false
        while !isDone {
            isDone = true
            if elapsedNanos >= nextScanNanos {
                plan.scanned(try waitingOrigins(), at: now)
                nextScanNanos = elapsedNanos + 60_000_000_000
            }
            var ended: [ResultQueue.Item] = []
            while let first = pending.first, first.end <= elapsedNanos {
                pending.removeFirst()
                ended.append(finish(first.start, first.index))
            }
            if !ended.isEmpty {
                try record(ended.map(\.result))
                for item in ended { plan.record(item.finished, at: now) }
                isDone = false
            }
            while let start = plan.next(at: now) {
                begin(start)
                isDone = false
            }
            while let order = plan.nextRead(at: now) {
                let asked = order.window
                let window = try read { reader throws(StoreError) in try reader.window(asked) }
                plan.finish(order, window, at: now)
                isDone = false
            }
            mostInMemory = max(mostInMemory, plan.waitingInMemory)
        }
    }

    private func begin(_ start: DeliveryPlan.Start) {
        let delivery = start.delivery
        calls.append(
            Call(
                delivery: delivery.id, key: delivery.idempotencyKey,
                attempt: delivery.attemptCount + 1, origin: start.origin.name, second: second,
                life: life))
        let end = elapsedNanos + UInt64(callSeconds * 1e9)
        pending.append((end, start, calls.count - 1))
    }

    private func finish(_ start: DeliveryPlan.Start, _ index: Int) -> ResultQueue.Item {
        let end: CallEnd
        switch receiver(calls[index]) {
        case .accepts:
            calls[index].isAccepted = true
            end = .answered(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        case .status(let status, let retryAfter):
            let field = retryAfter.map { "Retry-After: \($0)\r\n" } ?? ""
            end = .answered(answer("HTTP/1.1 \(status) No\r\n\(field)Content-Length: 0\r\n\r\n"))
        case .refusesConnection: end = .failed(.connect("Connection refused", code: 111))
        case .times(let phase): end = .failed(.timeout(phase))
        }
        let milliseconds = Int(callSeconds * 1000)
        let times = AttemptJudge.Times(
            startedAt: now.wall.advanced(by: .milliseconds(-milliseconds)), endedAt: now.wall,
            milliseconds: milliseconds)
        let verdict = judge.judge(
            end, of: start.delivery, times, jitter: Double.random(in: 0...1, using: &random))
        return (plan.finish(start, verdict, at: now), verdict.result)
    }

    // MARK: The ledger

    private func record(_ results: [DeliveryResult]) throws {
        let answer = Locked<Result<Void, StoreError>?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        harness.ledger.perform({ transaction throws(StoreError) in
            try transaction.record(results)
        }) { result in
            answer.with { $0 = result }
            isDone.signal()
        }
        isDone.wait()
        try answer.current?.get()
    }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        let answer = Locked<Result<Value, StoreError>?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        harness.readers.read(work) { result in
            answer.with { $0 = result }
            isDone.signal()
        }
        isDone.wait()
        guard let result = answer.current else { throw TestFailure("no answer") }
        return try result.get()
    }

    private func waitingOrigins() throws -> [String] {
        try read { reader throws(StoreError) in try reader.waitingOrigins() }
    }

    func delivery(_ id: DeliveryID) throws -> Delivery {
        let found = try read { reader throws(StoreError) in try reader.delivery(id) }
        guard let found else { throw TestFailure("no delivery \(id)") }
        return found
    }

    func attempts(_ id: DeliveryID) throws -> [Attempt] {
        try read { reader throws(StoreError) in try reader.attempts(of: id) }
    }
}
