@testable import Net
import TestSupport
import Testing

@Suite struct ResolverTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("2001:DB8::A", "2001:db8::a"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ])
    func `an address needs no look-up`(host: String, text: String) {
        #expect(Resolver.literal(host).map { SocketAddress.text(ip: $0) } == text)
    }

    @Test(arguments: [
        "localhost", "127.1", "0x7f.0.0.1", "256.0.0.1", "1.2.3.4.5", "::g", "fe80::1%lo", "",
        "[::1]", "unix", "1.2.3.4 ",
    ])
    func `a name is not an address`(host: String) {
        #expect(Resolver.literal(host) == nil)
    }

    /// Looks `hosts` up at once; the answers in their order.
    private func resolve(_ resolver: Resolver, _ hosts: [String]) throws
        -> [Result<[UInt128], ResolverError>]
    {
        let loop = try EventLoop(name: "test")
        let thread = try LoopThread.running(loop)
        defer {
            loop.stop()
            thread.join()
        }
        let answers = Locked<[Int: Result<[UInt128], ResolverError>]>([:])
        for (index, host) in hosts.enumerated() {
            resolver.resolve(host, on: loop) { result in
                let isOnLoop = loop.isOnLoop
                answers.with {
                    $0[index] = isOnLoop ? result : .failure(ResolverError("not on the loop"))
                }
            }
        }
        try eventually("every look-up is answered") { answers.current.count == hosts.count }
        return hosts.indices.compactMap { answers.current[$0] }
    }

    @Test func `a name has the addresses the system knows`() throws {
        let answers = try resolve(Resolver(), ["localhost", "127.1"])
        let loopbacks: Set<UInt128> = [0xffff_7f00_0001, 1]
        #expect(try !answers[0].get().isEmpty)
        #expect(try Set(answers[0].get()).isSubset(of: loopbacks))
        // A spelling of an address, which is why checks look at the answer and not at the name.
        #expect(try answers[1].get() == [0xffff_7f00_0001])
    }

    @Test func `a name without addresses is an error with a reason`() throws {
        for answer in try resolve(Resolver(), ["", "a\0b", "-bad-.invalid"]) {
            guard case .failure(let error) = answer else {
                Issue.record("resolved: \(answer)")
                continue
            }
            #expect(!error.text.isEmpty)
        }
    }

    @Test func `a name that is being looked up is not looked up twice, and no more may wait`()
        throws
    {
        let started = Locked<[String]>([])
        let isReleased = Locked(false)
        let resolver = Resolver(threadsMax: 2, waitingMax: 4) { host in
            started.with { $0.append(host) }
            // A test that has failed meanwhile says so itself.
            try? eventually("the test goes on") { isReleased.current }
            return .success([UInt128(host.utf8.count)])
        }
        let loop = try EventLoop(name: "test")
        let thread = try LoopThread.running(loop)
        defer {
            isReleased.with { $0 = true }
            loop.stop()
            thread.join()
        }
        let answers = Locked<[String]>([])
        func resolve(_ host: String) {
            resolver.resolve(host, on: loop) { result in
                switch result {
                case .success(let addresses): answers.with { $0.append("\(host) \(addresses)") }
                case .failure(let error): answers.with { $0.append("\(host) \(error.text)") }
                }
            }
        }
        for host in ["a", "a", "bb", "ccc"] { resolve(host) }
        try eventually("both threads are busy") { started.current.count == 2 }
        resolve("dddd")
        resolve("a")
        try eventually("the fifth and the sixth are refused") { answers.current.count == 2 }
        let refusal = "too many look-ups are waiting"
        #expect(answers.current == ["dddd \(refusal)", "a \(refusal)"])

        isReleased.with { $0 = true }
        try eventually("the first four are answered") { answers.current.count == 6 }
        #expect(answers.current.dropFirst(2).sorted() == ["a [1]", "a [1]", "bb [2]", "ccc [3]"])
        #expect(started.current.sorted() == ["a", "bb", "ccc"])
    }

    /// Looks names up by `lookUp`, on a loop of its own.
    private final class Bench: Sendable {
        let loop: EventLoop
        private let thread: LoopThread
        private let resolver: Resolver
        private let answers = Locked<[String: Int]>([:])

        init(_ lookUp: @escaping @Sendable (String) -> Result<[UInt128], ResolverError>) throws {
            resolver = Resolver(threadsMax: 64, waitingMax: 1024, lookUp: lookUp)
            loop = try EventLoop(name: "test")
            thread = try LoopThread.running(loop)
        }

        deinit {
            loop.stop()
            thread.join()
        }

        func ask(_ host: String) {
            resolver.resolve(host, on: loop) { [answers] _ in
                answers.with { $0[host, default: 0] += 1 }
            }
        }

        /// Asks, and waits for the answer.
        func resolve(_ host: String) throws {
            let before = count(host)
            ask(host)
            try eventually("\(host) is answered") { self.count(host) > before }
        }

        func count(_ host: String) -> Int { answers.with { $0[host] ?? 0 } }
        var total: Int { answers.with { $0.values.reduce(0, +) } }
    }

    @Test func `names that hang leave threads to those that don't`() throws {
        let isReleased = Locked(false)
        let hanging = Locked(0)
        let bench = try Bench { host in
            if host.hasPrefix("hangs") {
                hanging.with { $0 += 1 }
                // Held until the others have been answered, or the test has failed by itself.
                try? eventually(within: 60, "the test goes on") { isReleased.current }
            }
            return .success([1])
        }
        try bench.resolve("known")
        for number in 0..<30 { bench.ask("hangs\(number)") }
        try eventually("thirty hang") { hanging.current == 30 }
        // A name that was never asked for, and one that was.
        try bench.resolve("fresh")
        try bench.resolve("known")
        for number in 30..<100 { bench.ask("hangs\(number)") }
        try eventually("as many hang as may") { hanging.current == 48 }
        try bench.resolve("known")
        isReleased.with { $0 = true }
        try eventually("everybody is answered") { bench.total == 104 }
    }

    @Test func `a stop answers those who wait`() throws {
        let isReleased = Locked(false)
        let answered = Locked(0)
        let loop = try EventLoop(name: "test")
        let thread = try LoopThread.running(loop)
        defer {
            isReleased.with { $0 = true }
            loop.stop()
            thread.join()
        }
        var resolver: Resolver? = Resolver(threadsMax: 2, waitingMax: 10) { _ in
            // A test that has failed meanwhile says so itself.
            try? eventually(within: 60, "the test goes on") { isReleased.current }
            return .success([1])
        }
        for number in 0..<5 {
            resolver?.resolve("name\(number)", on: loop) { _ in answered.with { $0 += 1 } }
        }
        resolver = nil
        isReleased.with { $0 = true }
        try eventually("all five are answered") { answered.current == 5 }
    }
}
