import Domain
import Testing

@testable import Outbound

@Suite struct BreakerTests {
    private func moment(_ seconds: Double) -> Moment {
        Moment(
            wall: Instant(micros: 1_800_000_000_000_000 + Int64(seconds * 1e6)),
            nanos: UInt64(seconds * 1e9) + 1_000_000_000)
    }

    /// A breaker that has just opened, at second 0.
    private func opened() -> Breaker {
        var breaker = Breaker()
        for _ in 1...Breaker.failuresMax {
            #expect(breaker.permission(at: moment(0)) == .granted)
            let isProbe = breaker.begin()
            #expect(!isProbe)
            breaker.end(.failing("refused"), isProbe: isProbe, at: moment(0))
        }
        return breaker
    }

    @Test func `the fifth failure in a row opens it, the fourth does not`() {
        var breaker = Breaker()
        for _ in 1...4 { breaker.end(.failing("x"), isProbe: false, at: moment(0)) }
        #expect(breaker.open == nil && breaker.permission(at: moment(0)) == .granted)
        breaker.end(.failing("the fifth"), isProbe: false, at: moment(1))
        #expect(breaker.open?.lastError == "the fifth" && breaker.open?.since == moment(1).wall)
    }

    @Test func `a success between failures starts the count anew, an unknown end does not`() {
        var breaker = Breaker()
        for _ in 1...4 { breaker.end(.failing("x"), isProbe: false, at: moment(0)) }
        breaker.end(.healthy, isProbe: false, at: moment(0))
        for _ in 1...4 { breaker.end(.failing("x"), isProbe: false, at: moment(0)) }
        breaker.end(.unknown, isProbe: false, at: moment(0))
        #expect(breaker.open == nil)
        breaker.end(.failing("x"), isProbe: false, at: moment(0))
        #expect(breaker.open != nil)
    }

    @Test func `open it lets one probe through after each pause, and pauses grow`() {
        var breaker = opened()
        var time = 0.0
        for pause in [5.0, 10, 20, 40, 80, 160, 300, 300] {
            #expect(
                breaker.permission(at: moment(time + pause - 0.001))
                    == .notBefore(nanos: moment(time + pause).nanos))
            time += pause
            #expect(breaker.permission(at: moment(time)) == .granted)
            let isProbe = breaker.begin()
            #expect(isProbe)
            #expect(breaker.permission(at: moment(time + 9999)) == .afterProbe)
            breaker.end(.failing("still"), isProbe: true, at: moment(time))
        }
        #expect(breaker.open?.since == moment(0).wall)
    }

    @Test func `a probe that succeeds closes it`() {
        var breaker = opened()
        let isProbe = breaker.begin()
        breaker.end(.healthy, isProbe: isProbe, at: moment(5))
        #expect(breaker.open == nil && breaker.permission(at: moment(5)) == .granted)
        let isAnother = breaker.begin()
        #expect(!isAnother)
    }

    @Test func `calls that began before it opened do not lengthen the pause, but may close it`() {
        var breaker = opened()
        let before = breaker.open
        breaker.end(.failing("late"), isProbe: false, at: moment(4))
        #expect(breaker.open == before)
        breaker.end(.healthy, isProbe: false, at: moment(4))
        #expect(breaker.open == nil)
    }

    @Test func `a probe that tells nothing makes room for the next`() {
        var breaker = opened()
        _ = breaker.begin()
        breaker.end(.unknown, isProbe: true, at: moment(6))
        #expect(breaker.permission(at: moment(6)) == .granted)
        #expect(breaker.open?.pauseSeconds == Breaker.pauseSecondsMin)
    }
}
