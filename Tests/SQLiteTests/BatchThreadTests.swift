import Foundation
import Synchronization
import TestSupport
import Testing

@testable import SQLite

@Suite struct BatchThreadTests {
    /// A gate that a batch waits at until the test opens it.
    final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func open() { semaphore.signal() }
        func wait() { #expect(semaphore.wait(timeout: .now() + 30) == .success) }
    }

    @Test func `many producers lose nothing and each keeps its order`() {
        let producers = 4
        let perProducer = 50_000
        let received = Mutex<[[Int]]>(Array(repeating: [], count: producers))
        let thread = BatchThread<(Int, Int)>(name: "batch", capacity: 1_000) { batch in
            received.withLock { lists in
                for (producer, number) in batch { lists[producer].append(number) }
            }
        }
        DispatchQueue.concurrentPerform(iterations: producers) { producer in
            var number = 0
            while number < perProducer {
                if thread.submit((producer, number)) {
                    number += 1
                } else {
                    sched_yield()
                }
            }
        }
        thread.stop()
        let lists = received.withLock { $0 }
        for list in lists { #expect(list.elementsEqual(0..<perProducer)) }
    }

    @Test func `what waits is bounded`() {
        let entered = Gate()
        let gate = Gate()
        let received = Mutex<[Int]>([])
        let thread = BatchThread<Int>(name: "bounded", capacity: 3) { batch in
            if batch.first == 0 {
                entered.open()
                gate.wait()
            }
            received.withLock { $0 += batch }
        }
        #expect(thread.submit(0))
        entered.wait()
        #expect(thread.depth == 0)
        #expect(thread.submit(1))
        #expect(thread.submit(2) && thread.submit(3))
        #expect(thread.depth == 3)
        #expect(!thread.submit(4))
        gate.open()
        thread.stop()
        #expect(received.withLock { $0 } == [0, 1, 2, 3])
        #expect(thread.depth == 0)
    }

    @Test func `stop works on all that was taken and takes no more`() {
        let entered = Gate()
        let gate = Gate()
        let received = Mutex<[Int]>([])
        let thread = BatchThread<Int>(name: "stopping", capacity: 100) { batch in
            if batch.first == 0 {
                entered.open()
                gate.wait()
            }
            received.withLock { $0 += batch }
        }
        #expect(thread.submit(0))
        entered.wait()
        for number in 1...50 { #expect(thread.submit(number)) }
        gate.open()
        thread.stop()
        thread.stop()
        #expect(received.withLock { $0 } == Array(0...50))
        #expect(!thread.submit(51))
    }

    @Test func `while one batch is worked on the next gathers`() {
        let entered = Gate()
        let gate = Gate()
        let sizes = Mutex<[Int]>([])
        let thread = BatchThread<Int>(name: "gathering", capacity: 1_000) { batch in
            sizes.withLock { $0.append(batch.count) }
            if batch.first == 0 {
                entered.open()
                gate.wait()
            }
        }
        #expect(thread.submit(0))
        entered.wait()
        for number in 1...500 { #expect(thread.submit(number)) }
        gate.open()
        thread.stop()
        #expect(sizes.withLock { $0 } == [1, 500])
    }

    @Test func `the idle hook is called with nothing to do, again and again`() {
        let called = Gate()
        let thread = BatchThread<Int>(
            name: "idle", capacity: 1, idleEvery: .milliseconds(1), idle: { called.open() },
            run: { _ in })
        for _ in 1...5 { called.wait() }
        thread.stop()
    }

    @Test func `the idle hook is called under load too`() {
        let calls = Mutex(0)
        let thread = BatchThread<Int>(
            name: "busy", capacity: 10, idleEvery: .milliseconds(1),
            idle: { calls.withLock { $0 += 1 } }, run: { _ in })
        let deadline = Date().addingTimeInterval(30)
        while calls.withLock({ $0 }) < 5 && Date() < deadline { _ = thread.submit(1) }
        thread.stop()
        #expect(calls.withLock { $0 } >= 5)
    }

    @Test func `work runs on a thread of that name, with signals blocked`() {
        let found = Mutex<(name: String, blocksTerm: Bool)>(("", false))
        let thread = BatchThread<Int>(name: "a name too long for it", capacity: 1) { _ in
            let comm = FileManager.default.contents(atPath: "/proc/thread-self/comm") ?? Data()
            let text = String(decoding: comm.prefix { $0 != 10 }, as: UTF8.self)
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let blocked = sigismember(&mask, SIGTERM) == 1
            found.withLock { $0 = (text, blocked) }
        }
        #expect(thread.submit(1))
        thread.stop()
        #expect(found.withLock { $0.name } == "a name too long")
        #expect(found.withLock { $0.blocksTerm })
    }
}
