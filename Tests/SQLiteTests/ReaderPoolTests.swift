import Foundation
import Synchronization
import TestSupport
import Testing

@testable import SQLite

@Suite struct ReaderPoolTests {
    @Test func `each thread makes its own state once and keeps it`() throws {
        let made = Mutex(0)
        let seen = Mutex<[ObjectIdentifier: Set<UInt>]>([:])
        final class State {}
        let pool = ReaderPool(name: "pool", threads: 3, capacity: 10_000) {
            made.withLock { $0 += 1 }
            return State()
        }
        for _ in 0..<3_000 {
            #expect(
                pool.submit { state in
                    let thread = UInt(pthread_self())
                    _ = seen.withLock {
                        $0[ObjectIdentifier(state), default: []].insert(thread)
                    }
                })
        }
        pool.stop()
        // Lazily: a thread that got no work has made none.
        #expect((1...3).contains(made.withLock { $0 }))
        #expect(seen.withLock { $0 }.values.allSatisfy { $0.count == 1 })
        #expect(seen.withLock { $0 }.count == made.withLock { $0 })
    }

    @Test func `what waits is bounded and stop does all that was taken`() {
        let entered = DispatchSemaphore(value: 0)
        let gate = DispatchSemaphore(value: 0)
        let done = Mutex<[Int]>([])
        let pool = ReaderPool(name: "bounded", threads: 1, capacity: 2) { () }
        #expect(
            pool.submit { _ in
                entered.signal()
                _ = gate.wait(timeout: .now() + 30)
                done.withLock { $0.append(0) }
            })
        #expect(entered.wait(timeout: .now() + 30) == .success)
        #expect(pool.submit { _ in done.withLock { $0.append(1) } })
        #expect(pool.submit { _ in done.withLock { $0.append(2) } })
        #expect(!pool.submit { _ in done.withLock { $0.append(3) } })
        gate.signal()
        pool.stop()
        pool.stop()
        #expect(done.withLock { $0 } == [0, 1, 2])
        #expect(!pool.submit { _ in })
    }

    @Test func `one slow reader does not hold up the others`() {
        let gate = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        let pool = ReaderPool(name: "slow", threads: 2, capacity: 100) { () }
        #expect(pool.submit { _ in _ = gate.wait(timeout: .now() + 30) })
        for _ in 0..<50 { #expect(pool.submit { _ in done.signal() }) }
        for _ in 0..<50 { #expect(done.wait(timeout: .now() + 30) == .success) }
        gate.signal()
        pool.stop()
    }

    @Test func `read-only connections serve while the writer writes`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.db")
        let writer = try Connection(path: path, mode: .create)
        try writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")
        // A reader must never see one of the two rows that are always written together.
        let odd = Mutex(0)
        let failures = Mutex<[String]>([])
        let pool = ReaderPool(name: "readers", threads: 2, capacity: 1_000) {
            Result { () throws(SQLiteError) in try Connection(path: path, mode: .readOnly) }
        }
        let insert = try writer.prepare("INSERT INTO t VALUES (?)")
        for id in 0..<300 as Range<Int64> {
            try writer.transaction { () throws(SQLiteError) in
                for part in 0...1 as ClosedRange<Int64> {
                    insert.bind(1, id * 2 + part)
                    try insert.run()
                }
            }
            #expect(
                pool.submit { state in
                    do {
                        let count = try state.get().int64("SELECT count(*) FROM t") ?? -1
                        if !count.isMultiple(of: 2) { odd.withLock { $0 += 1 } }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                })
        }
        pool.stop()
        #expect(odd.withLock { $0 } == 0)
        #expect(failures.withLock { $0 } == [])
    }
}
