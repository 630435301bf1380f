import Domain
import Net
import Store
import TestSupport
import Testing

@testable import Outbound

/// Results on their way to the disk.
@Suite struct RecordingTests {
    private typealias Harness = DispatcherHarness

    @Test func `while results can't be recorded nothing is called, and nothing twice`() throws {
        let source = try FakeTrafficSource()
        let isBroken = Locked(true)
        let refusals = Locked(0)
        let harness = try Harness(
            settings: { $0.perHost = 4 },
            table: { table in
                let record = table.record
                table.record = { results, done in
                    if isBroken.current {
                        refusals.with { $0 += 1 }
                        done(.failure(.storage("no space left")))
                    } else {
                        record(results, done)
                    }
                }
            })
        harness.dispatcher.start()
        try harness.queue((0..<100).map { Harness.request(source.url + "/\($0)") })
        try eventually("it was tried again") { refusals.current >= 4 }
        let calls = source.count
        #expect((1...8).contains(calls), "only those in flight when it was noticed: \(calls)")
        #expect(harness.dispatcher.status.failure?.contains("no space left") == true)
        #expect(harness.dispatcher.status.unrecorded == calls)
        #expect(try harness.count(.waiting) == 100)

        isBroken.with { $0 = false }
        try eventually("all are delivered") { try harness.count(.delivered) == 100 }
        #expect(source.count == 100 && Set(source.targets).count == 100)
        try eventually("it's well again") {
            harness.dispatcher.status.failure == nil
                && harness.dispatcher.status.unrecorded == 0
        }
    }

    @Test func `a result that reached the disk, though we were told it didn't, counts once`() throws
    {
        let source = try FakeTrafficSource()
        let lies = Locked(2)
        let harness = try Harness(table: { table in
            let record = table.record
            table.record = { results, done in
                record(results) { result in
                    let isLie = lies.with { left in
                        defer { left -= 1 }
                        return left > 0
                    }
                    done(isLie ? .failure(.storage("commit: disk I/O error")) : result)
                }
            }
        })
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/"))
        try eventually("it's recorded for good") {
            lies.current < 0 && harness.dispatcher.status.unrecorded == 0
        }
        #expect(try harness.attempts(id).count == 1)
        #expect(try harness.delivery(id).attemptCount == 1)
        #expect(source.count == 1)
    }

    @Test func `a delivery that is read with its attempts fits them`() throws {
        let source = try FakeTrafficSource { _, before in before < 200 ? .status(400) : .ok }
        let harness = try Harness(settings: { $0.schedule = { $0.at } })
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(source.url + "/"))
        var looks = 0
        try eventually("it's delivered") {
            looks += 1
            let (delivery, attempts) = try harness.read { reader throws(StoreError) in
                (try reader.delivery(id), try reader.attempts(of: id))
            }
            #expect(delivery?.attemptCount == attempts.count)
            return delivery?.state == .delivered
        }
        #expect(looks > 1)
    }

    @Test func `reads that fail are made again, and logged once`() throws {
        let source = try FakeTrafficSource()
        let failures = Locked(2)
        let events = Locked<[String]>([])
        var hooks = Dispatcher.Hooks()
        hooks.log = { event, _ in events.with { $0.append(event) } }
        let harness = try Harness(hooks: hooks) { table in
            let (scan, read) = (table.scan, table.read)
            let fails: @Sendable () -> Bool = {
                failures.with { left in
                    defer { left -= 1 }
                    return left > 0
                }
            }
            table.scan = { done in
                fails() ? done(.failure(.storage("x"))) : scan(done)
            }
            table.read = { order, done in
                fails() ? done(.failure(.storage("x"))) : read(order, done)
            }
        }
        let id = try harness.queue(Harness.request(source.url + "/"))
        harness.dispatcher.start()
        try eventually("it's said") { harness.dispatcher.status.failure?.contains("x") == true }
        try harness.await(id, .delivered)
        #expect(failures.current < 1 && harness.dispatcher.status.failure == nil)
        #expect(events.current == ["outbound_read_failed", "outbound_read_works"])
    }

    @Test func `a stop waits for the calls in flight and records them`() throws {
        let hold = Hold()
        let source = try FakeTrafficSource { _, before in
            .init(200, hold: before == 0 ? nil : hold)
        }
        let harness = try Harness(settings: { $0.perHost = 2 })
        harness.dispatcher.start()
        // A host that has answered is called more than once at a time.
        try harness.await(try harness.queue(Harness.request(source.url + "/first")), .delivered)
        let ids = try harness.queue((0..<6).map { Harness.request(source.url + "/\($0)") })
        try source.await(3)
        // They end once the stop has begun; earlier, further calls would be made.
        let (loop, dispatcher) = (harness.loop, harness.dispatcher)
        @Sendable func endWhenStopping() {
            if dispatcher.isStopping { return hold.end() }
            _ = loop.schedule(afterNanos: 1_000_000) { endWhenStopping() }
        }
        loop.post { endWhenStopping() }
        harness.close(graceMilliseconds: 15_000)

        let after = try Harness(directory: harness.directory)
        #expect(try after.count(.delivered) == 3)
        #expect(try ids[2...].allSatisfy { try after.delivery($0).attemptCount == 0 })
        #expect(source.count == 3)
    }

    @Test func `a call that outlasts the grace counts as not made`() throws {
        let peer = try FaultyPeer(.stalls)
        let harness = try Harness()
        harness.dispatcher.start()
        let id = try harness.queue(Harness.request(peer.url + "/"))
        try eventually("it's called") { peer.accepted == 1 }
        let begun = monotonicNanos()
        harness.close(graceMilliseconds: 50)
        #expect(monotonicNanos() - begun < 10_000_000_000, "before the call times out")

        let after = try Harness(directory: harness.directory)
        let delivery = try after.delivery(id)
        #expect(delivery.state == .waiting && delivery.attemptCount == 0)
    }
}
