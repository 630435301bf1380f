import Domain
import Testing

@Suite struct FailureLimiterTests {
    private static let second: UInt64 = 1_000_000_000

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func `an address fails sixty times at once, then once a second`() throws {
        let limiter = FailureLimiter()
        let sender = try address("203.0.113.9")
        let start = 5 * Self.second
        for _ in 0..<60 { #expect(limiter.admits(sender, nowNanos: start)) }
        #expect(!limiter.admits(sender, nowNanos: start))
        #expect(!limiter.admits(sender, nowNanos: start + Self.second - 1))
        #expect(limiter.refusedCount == 2)
        // What was refused did not count.
        #expect(limiter.admits(sender, nowNanos: start + Self.second))
        #expect(!limiter.admits(sender, nowNanos: start + Self.second))
        #expect(limiter.admits(try address("203.0.113.10"), nowNanos: start))
        // A loop that is a little behind.
        #expect(!limiter.admits(sender, nowNanos: start))
        let later = start + 120 * Self.second
        let admitted = (0..<100).filter { _ in limiter.admits(sender, nowNanos: later) }
        #expect(admitted.count == 60, "it is full again, and not more")
    }

    @Test func `a customer's IPv6 network is one sender, a socket without address is none`() throws
    {
        let limiter = FailureLimiter()
        for number in 0..<60 {
            #expect(limiter.admits(try address("2001:db8:1:\(number)::1"), nowNanos: 0))
        }
        #expect(!limiter.admits(try address("2001:db8:1:ffff::1"), nowNanos: 0))
        #expect(limiter.admits(try address("2001:db8:2::1"), nowNanos: 0))
        for _ in 0..<100 { #expect(limiter.admits(nil, nowNanos: 0)) }
    }

    @Test func `beyond so many addresses the first is forgotten`() throws {
        let limiter = FailureLimiter()
        func sender(_ number: Int) -> IPAddress {
            IPAddress(bits: 0xFFFF_0A00_0000 + UInt128(number))
        }
        for _ in 0..<60 { #expect(limiter.admits(sender(0), nowNanos: 0)) }
        for number in 1..<FailureLimiter.addressesMax {
            #expect(limiter.admits(sender(number), nowNanos: 0))
        }
        #expect(!limiter.admits(sender(0), nowNanos: 0))
        #expect(limiter.admits(sender(FailureLimiter.addressesMax), nowNanos: 0))
        #expect(limiter.admits(sender(0), nowNanos: 0))
    }
}
