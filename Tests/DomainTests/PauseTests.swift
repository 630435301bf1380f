import Domain
import Testing

@Suite struct PauseTests {
    private static let start = Instant(micros: 1_800_000_000_000_000)

    private static func at(_ seconds: Int64) -> Instant { start.advanced(by: .seconds(seconds)) }

    private static func pause(
        _ id: Int64, _ scope: Pause.Scope, _ from: Int64 = 0, _ to: Int64? = nil
    ) -> Pause {
        Pause(
            id: id, scope: scope, reason: "", pausedAt: at(from), resumedAt: to.map(at))
    }

    @Test(arguments: [
        ("source.example", "https://source.example", true),
        ("source.example", "http://source.example:8080", true),
        ("SOURCE.example", "https://source.example", true),
        ("source.example", "https://a.source.example", false),
        ("https://source.example", "https://source.example", true),
        ("https://source.example:443", "https://source.example", true),
        ("https://source.example", "https://source.example:443", true),
        ("https://source.example", "http://source.example", false),
        ("https://source.example:8443", "https://source.example", false),
        ("http://source.example:80", "http://source.example", true),
        ("[2001:db8::1]", "https://[2001:db8::1]:8443", true),
        ("2001:db8::1", "https://[2001:db8::1]", true),
        ("192.0.2.1", "http://192.0.2.1:81", true),
    ])
    func `a host's pause holds its origins, an origin's that one`(
        text: String, origin: String, isHeld: Bool
    ) throws {
        let scope = try #require(Pause.Scope(host: text))
        let pauses = Pauses([Self.pause(1, scope)])
        #expect(pauses.holds(origin: origin) == isHeld)
        #expect((pauses.holding(destination: "a/b", origin: origin)?.id == 1) == isHeld)
        #expect(pauses.destinations.isEmpty)
    }

    @Test(arguments: [
        "", " ", "a b", "a/b", "https://", "https://a/x", "ftp://a", "https://a:0", "a:80",
        "https://u@a",
        "[", "[::1", ":", "a?b", "{x}", String(repeating: "a", count: 300),
    ])
    func `what is no host is none`(text: String) {
        #expect(Pause.Scope(host: text) == nil)
    }

    @Test func `a pause that ended holds nothing`() {
        let pauses = Pauses([
            Self.pause(1, .destination("a/b"), 0, 10), Self.pause(2, .destination("a/c")),
        ])
        #expect(pauses.holding(destination: "a/b", origin: "https://x") == nil)
        #expect(pauses.holding(destination: "a/c", origin: "https://x")?.id == 2)
        #expect(pauses.destinations == ["a/c"] && pauses.lasting.map(\.id) == [2])
    }

    @Test func `time that was held is counted once, and only within the range`() {
        let pauses = Pauses([
            Self.pause(1, .destination("a/b"), 0, 10), Self.pause(2, .host("x"), 5, 20),
            Self.pause(3, .host("https://x"), 6, 8), Self.pause(4, .destination("a/b"), 30, 40),
            Self.pause(5, .destination("a/c"), 0, 100), Self.pause(6, .destination("a/b"), 50),
        ])
        func held(_ from: Int64, _ to: Int64) -> Duration {
            pauses.held(
                destination: "a/b", origin: "https://x", from: Self.at(from), to: Self.at(to))
        }
        #expect(held(0, 100) == .seconds(20 + 10 + 50))
        #expect(held(0, 45) == .seconds(30))
        #expect(held(7, 9) == .seconds(2))
        #expect(held(20, 30) == .zero && held(60, 55) == .zero)
        #expect(held(-100, 0) == .zero && held(-100, 1) == .seconds(1))
    }
}
