import TestSupport
import Testing

/// What operators do with outbound postbacks, through the real binary's command line.
@Suite struct DeliveryOperationTests {
    /// Two destinations at one host.
    private static func chain(
        answer: @escaping @Sendable (RecordedRequest, Int) -> FakeTrafficSource.Answer = { _, _ in
            .ok
        }
    ) throws -> Chain {
        try Chain.start(answer: answer) { setup in
            setup.destinations = [
                setup.destination("main", "/conv?id={external_id}"),
                setup.destination("second", "/second?id={external_id}"),
            ]
        }
    }

    private static func convert(_ chain: Chain, _ names: [String]) throws {
        for name in names {
            let visit = try chain.visit("subid=\(name)")
            #expect(try chain.network.call("cid=\(visit.clickID)&txid=1").verdict == "accepted")
        }
    }

    private static func states(_ chain: Chain, _ destination: String) throws -> [String] {
        try chain.tracker.list("/deliveries?destination=\(destination)")
            .compactMap { $0["state"].string }
    }

    @Test func `a paused destination waits, through a restart, while its neighbour is told`()
        throws
    {
        let chain = try Self.chain()
        let tracker = chain.tracker
        let paused = try tracker.command(
            "deliveries", "pause", "--destination", "push/main", "--reason", "their API is down")
        #expect(paused.exitCode == 0 && paused.output.isEmpty, "\(paused.error)")
        let twice = try tracker.command("deliveries", "pause", "--destination", "push/main")
        #expect(twice.exitCode == 4 && twice.error.contains("paused already"))
        let typo = try tracker.command("deliveries", "pause", "--destination", "push/mian")
        #expect(typo.exitCode == 4 && typo.error.contains("push/main"))

        try Self.convert(chain, ["A", "B"])
        try eventually("the neighbour is told") {
            chain.source.targets.filter { $0.hasPrefix("/second") }.count == 2
        }
        let list = try tracker.command("deliveries", "list", "--destination", "push/main")
        #expect(list.output.contains("paused: since 20") && list.output.contains("API is down"))
        let pauses = try tracker.command("deliveries", "pauses", "--json").json["items"].array
        #expect(pauses.map { $0["destination"].string } == ["push/main"])
        let status = try tracker.call("GET", "/status")
        #expect(status["outbound"]["pauses"].array.count == 1)

        try tracker.kill()
        try tracker.restart()
        try Self.convert(chain, ["C"])
        try eventually("the neighbour is told after the restart") {
            chain.source.targets.filter { $0.hasPrefix("/second") }.count == 3
        }
        #expect(!chain.source.targets.contains { $0.hasPrefix("/conv") })
        #expect(try Self.states(chain, "push/main") == ["waiting", "waiting", "waiting"])
        let numbers = try tracker.call("GET", "/destinations?destination=push/main")["items"][0]
        #expect(numbers["waiting"].int == 3 && numbers["paused"]["id"].int == 1)

        #expect(
            try tracker.command("deliveries", "resume", "--destination", "push/main").exitCode == 0)
        #expect(
            try tracker.command("deliveries", "resume", "--destination", "push/main").exitCode == 3)
        try eventually("everything is told once") {
            chain.source.targets.filter { $0.hasPrefix("/conv") }.sorted()
                == ["/conv?id=A", "/conv?id=B", "/conv?id=C"]
        }
        try eventually("its results are kept") {
            try Self.states(chain, "push/main") == Array(repeating: "delivered", count: 3)
        }
        let table = try tracker.command("deliveries", "destinations")
        #expect(table.exitCode == 0 && table.output.contains("P99"))
        let row = table.output.split(separator: "\n").first { $0.hasPrefix("push/main ") }
        #expect(row?.split(separator: " ")[1] == "0", "\(table.output)")
    }

    @Test func `a paused host is called by none of its destinations`() throws {
        let chain = try Self.chain()
        let tracker = chain.tracker
        #expect(try tracker.command("deliveries", "pause", "--host", "127.0.0.1").exitCode == 0)
        try Self.convert(chain, ["A"])
        #expect(try Self.states(chain, "push/second") == ["waiting"])
        let shown = try tracker.call("GET", "/deliveries/1")
        #expect(shown["paused"]["host"].string == "127.0.0.1" && shown["attempts"].array.isEmpty)
        #expect(chain.source.count == 0)
        // Without a server, too.
        #expect(try tracker.terminate() == 0)
        #expect(try tracker.command("deliveries", "resume", "1").exitCode == 0)
        #expect(
            try tracker.command("deliveries", "pause", "--host", chain.source.url).exitCode == 0)
        try tracker.restart()
        #expect(try tracker.command("deliveries", "pauses").output.contains(chain.source.url))
        #expect(try Self.states(chain, "push/main") == ["waiting"])
        #expect(chain.source.count == 0)
        #expect(
            try tracker.command("deliveries", "resume", "--host", chain.source.url).exitCode == 0)
        try chain.source.await(2)
    }

    @Test func `all that is dead is retried by one command`() throws {
        let isBack = Locked(false)
        let chain = try Self.chain { _, _ in isBack.current ? .ok : .status(410) }
        try Self.convert(chain, (0..<30).map { "W\($0)" })
        try eventually("all are dead") {
            try chain.tracker.list("/deliveries?state=dead").count == 60
        }
        isBack.with { $0 = true }
        let rehearsal = try chain.tracker.command(
            "deliveries", "retry", "--state", "dead", "--dry-run")
        #expect(rehearsal.exitCode == 0 && rehearsal.error.contains("60 would be retried"))
        let one = try chain.tracker.command(
            "deliveries", "retry", "--state", "dead", "--destination", "push/second")
        #expect(one.exitCode == 0 && one.error.contains("retried 30 of 30"), "\(one.error)")
        try eventually("those are delivered") {
            try Self.states(chain, "push/second").allSatisfy { $0 == "delivered" }
        }
        #expect(try Self.states(chain, "push/main").allSatisfy { $0 == "dead" })
        let rest = try chain.tracker.command("deliveries", "retry", "--state", "dead")
        #expect(rest.exitCode == 0 && rest.error.contains("retried 30 of 30"))
        try eventually("all are delivered") {
            try chain.tracker.list("/deliveries?state=delivered").count == 60
        }
        #expect(chain.source.count == 120)
        let none = try chain.tracker.command("deliveries", "retry", "--state", "dead")
        #expect(none.exitCode == 0 && none.error.contains("none"))
        let cancel = try chain.tracker.command("deliveries", "cancel", "--state", "delivered")
        #expect(cancel.exitCode == 4 && cancel.error.contains("state"))
        #expect(try chain.tracker.command("deliveries", "retry").exitCode == 2)
        #expect(try chain.tracker.command("deliveries", "cancel", "--all").exitCode == 0)
    }

    @Test func `what waits for a destination is cancelled by one command, and nothing else`() throws
    {
        let chain = try Self.chain { request, _ in
            // So that none is tried again while this goes on.
            request.path == "/conv" ? .init(400, fields: ["Retry-After": "3600"]) : .ok
        }
        try Self.convert(chain, (0..<25).map { "W\($0)" })
        try eventually("each was tried once") {
            let waiting = try chain.tracker.list("/deliveries?destination=push/main")
            return waiting.allSatisfy { Chain.attempts(of: $0) == 1 }
                && chain.source.count == 50
        }
        let rehearsal = try chain.tracker.command(
            "deliveries", "cancel", "--destination", "push/main", "--dry-run")
        #expect(rehearsal.exitCode == 0 && rehearsal.error.contains("25 would be cancelled"))
        #expect(try Self.states(chain, "push/main").allSatisfy { $0 == "waiting" })
        // One of them by its number, the others through the API, in two parts.
        let first = try chain.tracker.list("/deliveries?destination=push/main")[0]["id"].id ?? "?"
        #expect(try chain.tracker.command("deliveries", "cancel", first).exitCode == 0)
        let path = "/deliveries/cancel?destination=push/main&limit=10"
        let part = try chain.tracker.call("POST", path)
        #expect(part["changed"] == 10 && part["refused"] == 0, "\(part.text)")
        let cursor = try #require(part["next_cursor"].string)
        let rest = try chain.tracker.command(
            "deliveries", "cancel", "--destination", "push/main")
        #expect(rest.exitCode == 0 && rest.error.contains("cancelled 14 of 14"), "\(rest.error)")
        let nothing = try chain.tracker.call("POST", "\(path)&cursor=\(cursor)")
        #expect(nothing["changed"] == 0 && nothing["next_cursor"].isNull)
        #expect(try Self.states(chain, "push/main").allSatisfy { $0 == "cancelled" })
        #expect(try Self.states(chain, "push/second").allSatisfy { $0 == "delivered" })
        #expect(try chain.tracker.command("deliveries", "cancel", first).exitCode == 4)

        // "All that is dead or waits" doesn't mean the cancelled ones; asked for, they are sent.
        let usual = try chain.tracker.call("POST", "/deliveries/retry?destination=push/main")
        #expect(usual["changed"] == 0)
        let asked = try chain.tracker.call(
            "POST", "/deliveries/retry?destination=push/main&state=cancelled")
        #expect(asked["changed"] == 25)
        try chain.source.await(75)
    }

    @Test func `a retry by hand calls a host that fails, whatever its breaker says`() throws {
        let chain = try Self.chain { _, _ in .status(503) }
        try Self.convert(chain, (0..<20).map { "W\($0)" })
        try eventually("the breaker is open") {
            try chain.tracker.call("GET", "/status")["outbound"]["open_breakers"].array.count == 1
        }
        // By themselves so many probes would take a quarter of an hour.
        for round in 0..<8 {
            let before = chain.source.count
            let retry =
                try round % 2 == 0
                ? chain.tracker.command("deliveries", "retry", "3")
                : chain.tracker.command("deliveries", "retry", "--destination", "push/second")
            #expect(retry.exitCode == 0, "\(retry.error)")
            try eventually("the host is called, round \(round)") { chain.source.count > before }
            try eventually("that call has ended") {
                try chain.tracker.call("GET", "/status")["outbound"]["in_flight"] == 0
            }
        }
        chain.source.answer { _, _ in .ok }
        #expect(
            try chain.tracker.command("deliveries", "retry", "--state", "waiting").exitCode == 0)
        try eventually("it's back, and told of everything") {
            try chain.tracker.list("/deliveries?state=delivered").count == 40
        }
        let status = try chain.tracker.call("GET", "/status")["outbound"]
        #expect(status["open_breakers"].array.isEmpty && status["open_breaker_count"] == 0)
        #expect(status["failure"].isNull)
    }
}
