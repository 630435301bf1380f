import TestSupport
import Testing

/// What names resolve to, with the system's own resolver and a name server that lies: in a network
/// where public addresses are this machine's, so that a call to one would arrive.
///
/// Passed over, with the reason printed, where no such network can be made.
@Suite struct HostileNameTests {
    private static let publicAddress = "93.184.215.14"
    private static let ownAddress = "8.8.4.4"
    private static let ownPort: UInt16 = 8099

    /// A tracker in a network of its own.
    private struct World {
        let chain: Chain
        let network: PrivateNetwork
        let names: FakeNameServer

        /// Nil where it can't be made.
        init?(
            timeoutMilliseconds: Int = 3000,
            _ script: @escaping @Sendable (FakeNameServer.Question) -> FakeNameServer.Answer
        ) throws {
            do {
                network = try PrivateNetwork(addresses: [
                    HostileNameTests.publicAddress, HostileNameTests.ownAddress, "2606:2800:21f::1",
                ])
            } catch let reason as PrivateNetwork.Unavailable {
                print("HostileNameTests passed over: \(reason)")
                return nil
            }
            names = try FakeNameServer(in: network, script)
            let network = network
            chain = try Chain.start {
                $0.options.network = network
                $0.options.environment["CLICKRELAY_OUTBOUND_TIMEOUT_MS"] = "\(timeoutMilliseconds)"
                $0.options.arguments = [
                    "--listen", "\(HostileNameTests.ownAddress):\(HostileNameTests.ownPort)",
                ]
            }
        }

        func receiver(
            on address: String, port: UInt16 = 0,
            _ answer: @escaping @Sendable (RecordedRequest, Int) -> FakeTrafficSource.Answer = {
                _, _ in .ok
            }
        ) throws -> FakeTrafficSource {
            try FakeTrafficSource(on: address, port: port, in: network, answer)
        }

        /// A source that is told at `url`, and its campaign.
        func add(_ name: String, _ url: String) throws {
            try chain.tracker.call(
                "POST", "/sources",
                [
                    "key": .string(name), "name": .string(name), "external_id_param": "subid",
                    "currency": "USD",
                    "destinations": [
                        [
                            "key": "main", "method": "GET",
                            "url": .string(url + "/?id={external_id}"),
                        ]
                    ],
                ])
            try chain.tracker.call(
                "POST", "/campaigns",
                [
                    "key": .string(name), "name": .string(name), "source": .string(name),
                    "flow": ["paths": [["offers": [["offer": "fit"]]]]],
                ])
        }

        /// Makes a conversion that `campaign`'s source is to be told of.
        func convert(_ campaign: String) throws -> String {
            let visit = try chain.visit("subid=A", campaign: campaign)
            _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
            return visit.clickID
        }

        /// The delivery once it has had so many attempts.
        func delivery(_ clickID: String, attempts count: Int = 1) throws -> JSON {
            try chain.delivery(of: clickID, "was tried \(count) times") {
                Chain.attempts(of: $0) >= count
            }
        }

        /// Tries it again now.
        func retry(_ delivery: JSON) throws {
            try chain.tracker.call("POST", "/deliveries/\(delivery["id"].id ?? "?")/retry")
        }
    }

    @Test func `a name that turns private between two attempts is not called`() throws {
        let world = try World { question in
            .addresses([question.before == 0 ? Self.publicAddress : "127.0.0.1"])
        }
        guard let world else { return }
        let listed = try world.receiver(on: Self.publicAddress) { _, _ in
            .init(500, fields: ["Connection": "close"])
        }
        let victim = try world.receiver(on: "127.0.0.1", port: listed.port)
        try world.add("rebind", "http://rebind.test:\(listed.port)")
        let clickID = try world.convert("rebind")
        let first = try world.delivery(clickID)
        #expect(first["attempts"][0]["status"] == 500 && listed.count == 1)
        #expect(world.names.questions.filter { !$0.isIPv6 }.count == 1, "asked once per attempt")

        try world.retry(first)
        let second = try world.delivery(clickID, attempts: 2)
        let error = second["attempts"][1]["error"].string ?? ""
        #expect(error.contains("127.0.0.1 is a loopback address"), "\(error)")
        #expect(second["state"] == "waiting" && second["reason"].string == error)
        let pause = try seconds(from: second["attempts"][1]["at"], to: second["due_at"])
        #expect((59...75).contains(pause), "the second pause of the schedule: \(pause)")
        #expect(victim.count == 0 && listed.count == 1)
    }

    /// What a name may resolve to, and why it's refused.
    private static let refused: [(name: String, addresses: [String], reason: String)] = [
        ("mixed", [publicAddress, "10.1.2.3"], "10.1.2.3 is a private address"),
        ("mixed6", [publicAddress, "fd12::1"], "fd12::1 is a private (unique local) address"),
        ("last", (1...20).map { "93.184.216.\($0)" } + ["192.168.0.1"], "192.168.0.1 is a private"),
        ("loop", ["127.0.0.1"], "127.0.0.1 is a loopback address"),
        ("loop6", ["::1"], "::1 is a loopback address"),
        ("mapped", ["::ffff:127.0.0.1"], "127.0.0.1 is a loopback address"),
        ("compatible", ["::7f00:1"], "IPv4-compatible address"),
        ("nat64", ["64:ff9b::7f00:1"], "leads to 127.0.0.1, a loopback address"),
        ("nat64-own", ["64:ff9b:1::7f00:1"], "a local NAT64 address"),
        ("sixtofour", ["2002:7f00:1::1"], "leads to 127.0.0.1, a loopback address"),
        ("sixtofour10", ["2002:a00:1::"], "leads to 10.0.0.1, a private address"),
        ("teredo", ["2001:0:4136:e378::1"], "a Teredo address"),
        ("metadata", ["169.254.169.254"], "a link-local address"),
        ("linklocal6", ["fe80::1"], "a link-local address"),
        ("shared", ["100.64.0.1"], "a shared (carrier-grade NAT) address"),
        ("any", ["0.0.0.0"], "the unspecified address"),
        ("any6", ["::"], "the unspecified address"),
        ("multicast", ["224.0.0.1"], "a multicast address"),
        ("broadcast", ["255.255.255.255"], "the broadcast address"),
        ("own", [ownAddress], "is this tracker itself"),
    ]

    @Test func `names of addresses that may not be called are refused, whatever their form`() throws
    {
        let table = Dictionary(
            uniqueKeysWithValues: Self.refused.map { ("\($0.name).test", $0.addresses) })
        let world = try World { question in
            table[question.name].map { .addresses($0) } ?? .noSuchName
        }
        guard let world else { return }
        // Whoever was called in spite of it all would be this one.
        let victim = try world.receiver(on: "0.0.0.0")
        for (name, _, _) in Self.refused {
            let port = name == "own" ? Self.ownPort : victim.port
            try world.add(name, "http://\(name).test:\(port)")
        }
        let clicks = try Self.refused.map { try world.convert($0.name) }
        for ((name, _, reason), clickID) in zip(Self.refused, clicks) {
            let delivery = try world.delivery(clickID)
            let error = delivery["attempts"][0]["error"].string ?? ""
            #expect(error.contains(reason), "\(name): \(error)")
            #expect(error.contains("allow_private"), "\(name): \(error)")
            #expect(delivery["attempts"][0]["status"].isNull, "\(name)")
            #expect(delivery["state"] == "waiting", "\(name)")
        }
        #expect(victim.count == 0)
    }

    @Test func `what a name server does wrong is recorded, and TCP is asked where it must be`()
        throws
    {
        let world = try World { question in
            switch question.name {
            case "missing.test": .noSuchName
            case "empty.test": .addresses([])
            case "failing.test": .serverFailure
            case "silent.test": .silence
            case "garbage.test": .garbage
            case "long.test": .addressesOverTCP([Self.publicAddress])
            case "crowd.test": .addressesOverTCP((1...200).map { "93.184.216.\($0)" })
            default: .noSuchName
            }
        }
        guard let world else { return }
        let listed = try world.receiver(on: Self.publicAddress)
        let failing = ["missing", "empty", "failing", "silent", "garbage", "crowd"]
        var clicks: [String: String] = [:]
        for name in failing + ["long"] {
            try world.add(name, "http://\(name).test:\(listed.port)")
            clicks[name] = try world.convert(name)
        }
        for name in failing {
            let delivery = try world.delivery(try #require(clicks[name]))
            let error = delivery["attempts"][0]["error"].string ?? ""
            switch name {
            case "silent", "garbage":
                #expect(error == "the name was not resolved within 3 s", "\(name)")
            case "crowd": #expect(error.hasSuffix("more than 64 addresses"), "\(error)")
            default: #expect(error.hasPrefix("the name can't be resolved: "), "\(name): \(error)")
            }
            #expect(delivery["state"] == "waiting", "\(name)")
            if delivery["attempts"].array.count == 1 {
                // From its end on.
                let attempt = delivery["attempts"][0]
                let length = Double(try #require(attempt["ms"].int)) / 1000
                let pause = try seconds(from: attempt["at"], to: delivery["due_at"]) - length
                #expect((9.9...14).contains(pause), "\(name): \(pause)")
            }
        }
        let long = try world.delivery(try #require(clicks["long"]))
        #expect(long["state"] == "delivered" && listed.count == 1)
        #expect(world.names.questions.contains { $0.name == "long.test" && $0.isOverTCP })
    }

    @Test func `names that are never answered don't delay one that is`() throws {
        let world = try World { question in
            question.name.hasPrefix("hangs") ? .silence : .addresses([Self.publicAddress])
        }
        guard let world else { return }
        // Every call is a connection, and every connection a look-up.
        let listed = try world.receiver(on: Self.publicAddress) { _, _ in
            .init(200, fields: ["Connection": "close"])
        }
        try world.add("good", "http://good.test:\(listed.port)")
        _ = try world.delivery(try world.convert("good"))
        let hanging = (0..<80).map { "hangs\($0)" }
        for name in hanging { try world.add(name, "http://\(name).test:\(listed.port)") }

        let begun = monotonicNanos()
        let first = Locked("")
        try concurrently(8) { worker in
            for index in hanging.indices where index % 8 == worker {
                let clickID = try world.convert(hanging[index])
                if index == 0 { first.with { $0 = clickID } }
            }
        }
        try concurrently(5) { _ in for _ in 0..<2 { _ = try world.convert("good") } }
        try listed.await(11, within: 60)
        // The first of them hangs for 60 s, as `resolv.conf` says.
        #expect(monotonicNanos() - begun < 60_000_000_000)
        let delivery = try world.delivery(first.current)
        #expect(delivery["attempts"][0]["error"] == "the name was not resolved within 3 s")
        #expect(delivery["attempts"][0]["ms"].int ?? 0 >= 3000)
        for delivery in try world.chain.tracker.list("/deliveries?destination=good/main") {
            #expect(delivery["state"] == "delivered" && delivery["attempts"].array.count == 1)
        }
    }

    @Test func `while names hang, visitors are redirected and networks are answered`() throws {
        let world = try World(timeoutMilliseconds: 60_000) { _ in .silence }
        guard let world else { return }
        let hanging = (0..<80).map { "hangs\($0)" }
        for name in hanging { try world.add(name, "http://\(name).test:80") }
        let clicks = try hanging.map { try world.convert($0) }
        try eventually("names are being asked for") { !world.names.questions.isEmpty }
        // The last of them was asked for just now and is waited for five seconds; a loop that looked
        // names up would answer one of these meanwhile.
        var answered = 0
        while try Chain.attempts(of: world.chain.deliveries(clicks[79])[0]) == 0 {
            _ = try world.convert("summer")
            answered += 1
        }
        #expect(answered >= 2, "\(answered)")
        let delivery = try world.delivery(clicks[0])
        #expect(delivery["attempts"][0]["error"] == "the name was not resolved within 5 s")
    }
}
