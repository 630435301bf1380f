import Glibc
import Synchronization
import Testing

@testable import Net

@Suite struct SignalsTests {
    @Test func `a blocked signal becomes an event of the loop`() throws {
        let seen = Mutex<[Int32]>([])
        let loop = try EventLoop(name: "signals")
        // A thread of ours has every signal blocked; sent to itself, it hits no other test.
        let thread = try LoopThread {
            do {
                let signals = try Signals(loop: loop, [Signals.hangup, Signals.terminate]) {
                    signal in
                    seen.withLock { $0.append(signal) }
                    if signal == Signals.terminate { loop.stop() }
                }
                pthread_kill(pthread_self(), Signals.hangup)
                pthread_kill(pthread_self(), Signals.terminate)
                // Ends the test should the signals never come.
                _ = loop.schedule(afterNanos: 20_000_000_000) { loop.stop() }
                loop.run()
                signals.close()
            } catch {
                Issue.record(error)
            }
        }
        thread.join()
        #expect(seen.withLock { $0 } == [Signals.hangup, Signals.terminate])
    }
}
