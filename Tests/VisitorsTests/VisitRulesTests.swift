import Domain
import TestSupport
import Testing
import Visitors

private let browser =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"

@Suite struct VisitRulesTests {
    private func kind(
        _ agent: String = browser, language: String = "de", address: String = "203.0.113.9",
        rules: VisitRules = VisitRules(), at second: Int64 = 0,
        _ change: (inout RequestMarks, SentHeaders) -> Void = { _, _ in }
    ) -> VisitKind {
        let sent = SentHeaders()
        var headers = AgentHeaders(userAgent: sent.bytes(agent))
        headers.acceptLanguage = sent.bytes(language)
        var marks = RequestMarks()
        change(&marks, sent)
        return withExtendedLifetime(sent) {
            rules.kind(
                device(agent), headers, marks, address: IPAddress(address),
                at: Instant(micros: second * 1_000_000))
        }
    }

    @Test func `who comes too often within a minute is a bot for the rest of it, where asked for`()
    {
        let rules = VisitRules(marks: [.rate])
        let first = (0..<60).map { kind(rules: rules, at: $0 % 60) }
        #expect(first.allSatisfy { $0 == .visitor })
        #expect(kind(rules: rules, at: 59) == .bot)
        #expect(kind(address: "203.0.113.10", rules: rules, at: 59) == .visitor)
        #expect(kind(browser + " Edg/124", rules: rules, at: 59) == .visitor)
        #expect(kind(rules: rules, at: 60) == .visitor)
        let careless = VisitRules()
        #expect((0..<200).allSatisfy { _ in kind(rules: careless) == .visitor })
        // The count doesn't wrap.
        for _ in 0..<66_000 { _ = kind(rules: rules, at: 60) }
        #expect(kind(rules: rules, at: 60) == .bot)
    }

    @Test func `a browser is a visitor`() {
        #expect(kind() == .visitor)
        #expect(kind(language: "") == .visitor)
    }

    @Test(arguments: ["prefetch", "prefetch;prerender", "Prefetch;anonymous-client-ip", "preview"])
    func `a browser that loads ahead is no visitor yet`(purpose: String) {
        #expect(kind { $0.purpose = $1.bytes(purpose) } == .prefetch)
    }

    @Test func `each browser's way to say that it loads ahead is known`() {
        #expect(kind { $0.xPurpose = $1.bytes("preview") } == .prefetch)
        #expect(kind { $0.xMoz = $1.bytes("prefetch") } == .prefetch)
        #expect(kind { $0.purpose = $1.bytes("navigate") } == .visitor)
        #expect(kind("Googlebot/2.1") { $0.purpose = $1.bytes("prefetch") } == .bot)
    }

    @Test func `what no browser does is a bot's mark, where the operator says so`() {
        #expect(kind("") == .visitor)
        #expect(kind("", rules: VisitRules(marks: [.noAgent])) == .bot)
        for agent in ["curl/8.5.0", "python-requests/2.31.0", "okhttp/4.12.0"] {
            #expect(kind(agent) == .visitor)
            #expect(kind(agent, rules: VisitRules(marks: [.library])) == .bot)
        }
        #expect(kind("Googlebot/2.1", rules: VisitRules(marks: [])) == .bot)
        #expect(kind(rules: VisitRules(marks: [.library])) == .visitor)
        let strict = VisitRules(marks: [.noLanguage])
        #expect(kind(rules: strict) == .visitor)
        #expect(kind(language: "", rules: strict) == .bot)
        #expect(kind("", rules: strict) == .visitor)
    }

    @Test func `the operator's list makes bots of networks and agents`() throws {
        let list = try BotList(
            parsing: Array(
                """
                # data centres
                203.0.113.0/24   # ours
                2001:db8:7::/48
                198.51.100.7
                agent: FunnyScanner

                """.utf8))
        let rules = VisitRules(bots: list)
        #expect(kind(rules: rules) == .bot)
        #expect(kind(address: "203.0.114.0", rules: rules) == .visitor)
        #expect(kind(address: "198.51.100.7", rules: rules) == .bot)
        #expect(kind(address: "198.51.100.8", rules: rules) == .visitor)
        #expect(kind(address: "2001:db8:7:1::9", rules: rules) == .bot)
        #expect(kind(address: "2001:db8:8::", rules: rules) == .visitor)
        #expect(kind(browser + " FUNNYscanner/2", address: "192.0.2.1", rules: rules) == .bot)
    }

    @Test func `blocks within blocks and at the ends of addresses are found`() throws {
        let list = try BotList(
            parsing: Array("10.0.0.0/8\n10.1.0.0/16\n0.0.0.0\n255.255.255.255\n::/0\n".utf8))
        for address in ["10.0.0.0", "10.255.255.255", "10.1.2.3", "0.0.0.0", "255.255.255.255"] {
            #expect(list.contains(try #require(IPAddress(address))))
        }
        #expect(list.contains(try #require(IPAddress("2001:db8::1"))))
        #expect(!list.contains(try #require(IPAddress("11.0.0.0"))))
        #expect(!list.contains(try #require(IPAddress("9.255.255.255"))))
    }

    @Test(arguments: [
        ("203.0.113.0/33", 1), ("\n\nnonsense", 3), ("agent:", 1), ("agent: x", 1),
        ("1.2.3.4\n1.2.3.4 5.6.7.8", 2),
    ]) func `a list that can't be read names the line`(text: String, line: Int) {
        let error = #expect(throws: BotListError.self) { try BotList(parsing: Array(text.utf8)) }
        #expect(error?.line == line)
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func `a list of blocks finds what its blocks contain`(seed: UInt64) {
        var random = SeededRandom(seed)
        let networks = (0..<200).compactMap { _ in
            IPNetwork(
                "\(UInt8.random(in: 0...9, using: &random)).\(UInt8.random(in: 0...255, using: &random)).0.0/\(Int.random(in: 4...32, using: &random))"
            )
        }
        let text = networks.map(\.text).joined(separator: "\n")
        guard let list = try? BotList(parsing: Array(text.utf8)) else {
            Issue.record("the list wasn't read")
            return
        }
        for _ in 0..<1000 {
            let address = IPAddress(
                bits: 0xffff_0000_0000 | UInt128(UInt32.random(in: 0...0x0fff_ffff, using: &random))
            )
            #expect(list.contains(address) == networks.contains { $0.contains(address) })
        }
    }
}
