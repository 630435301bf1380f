import Domain
import Store
import TestSupport
import Testing

@Suite struct JourneyTests {
    static func journey() throws -> (Bench, ClickIdentity) {
        let bench = try EntityTests.bench()
        let click = try bench.click(
            externalID: [0x57, 0x38, 0xFF],
            parameters: [
                ("zone", Array("39485".utf8)), ("odd", [0xFE]), ("zone", Array("again".utf8)),
            ])
        return (bench, click)
    }

    @Test func `a click tells its own fields and where its visitor was sent`() throws {
        let (bench, click) = try Self.journey()
        let id = bench.text(click)
        let expected: [(String, JSONValue)] = [
            ("click_id", .string(id)), ("campaign", "summer"), ("source", "push"),
            ("external_id", "W8\u{fffd}"), ("at", .string(click.rowID.instant.rfc3339)),
            ("cost", ["amount": "0.012", "currency": "USD"]),
            ("vars", ["zone": "39485", "odd": "\u{fffd}"]), ("ip", "203.0.113.9"),
            ("user_agent", "Mozilla"), ("referrer", "https://r.example/"), ("rule", .null),
            ("path", 1), ("lander", .null), ("offer", "fit"),
            ("location", .string("https://o.example/land?a=b&s2=\(id)")),
            ("lander_clicks", []), ("conversions", []), ("postbacks", []), ("deliveries", []),
        ]
        for text in [id, id.uppercased()] {
            let shown = try bench.call("GET", "/clicks/\(text)")
            #expect(shown.status == 200)
            for (name, value) in expected { #expect(shown[name] == value, "\(name)") }
            #expect(shown["purged"] == nil && shown["truncated"] == nil)
        }
        // The offer's wording of that time is told, not today's.
        try bench.call("PATCH", "/offers/fit", ["url": "https://new.example/?s2={click_id}"])
        #expect(
            try bench.call("GET", "/clicks/\(id)")["location"]
                == .string("https://o.example/land?a=b&s2=\(id)"))
    }

    @Test func `a journey has everything that followed, in the order it happened`() throws {
        let (bench, click) = try Self.journey()
        try bench.convert(click, transactionID: "A", delivery: Bench.delivery)
        try bench.convert(click, transactionID: "B", delivery: Bench.delivery)
        try bench.revise(click, "A", to: .rejected)
        let journey = try bench.call("GET", "/clicks/\(bench.text(click))")
        let conversions = try #require(journey["conversions"]?.arrayValue)
        #expect(conversions.map { $0["transaction_id"] } == ["A", "B"])
        #expect(conversions[0] == (try bench.call("GET", "/conversions/cv1").json))
        let postbacks = try #require(journey["postbacks"]?.arrayValue)
        #expect(postbacks.map { $0["id"] } == [1, 2, 3])
        #expect(postbacks[2] == (try bench.call("GET", "/postbacks/3").json))
        let deliveries = try #require(journey["deliveries"]?.arrayValue)
        #expect(deliveries.map { $0["id"] } == [1, 2])
        #expect(deliveries[1] == (try bench.call("GET", "/deliveries/2").json))
    }

    @Test func `a conversion tells of a click whose day was deleted`() throws {
        let (bench, click) = try Self.journey()
        try bench.convert(click, delivery: Bench.delivery)
        let before = try bench.call("GET", "/clicks/\(bench.text(click))")
        try bench.deleteDay(click.rowID.day)
        let after = try bench.call("GET", "/clicks/\(bench.text(click))")
        #expect(after.status == 200 && after["purged"] == true)
        for name in [
            "click_id", "campaign", "source", "external_id", "at", "cost", "vars", "ip",
            "user_agent", "referrer", "path", "offer", "location", "conversions", "postbacks",
            "deliveries",
        ] { #expect(after[name] == before[name], "\(name)") }
    }

    @Test func `a journey with more lander clicks than it shows says so`() throws {
        let (bench, click) = try Self.journey()
        let version = try #require(bench.ledger.catalog.offerVersions.keys.first)
        func press(_ numbers: ClosedRange<Int>) throws {
            try bench.write { tx throws(StoreError) in
                for number in numbers {
                    try tx.insertLate(
                        LanderClick(
                            id: ClickRowID(
                                milliseconds: click.rowID.milliseconds + 1, node: 0,
                                sequence: number),
                            clickRowID: click.rowID, campaignID: click.campaignID,
                            number: .nth(1), offerVersion: version),
                        isFirst: true)
                }
            }
        }
        try press(1...LanderClick.perClickMax)
        var shown = try bench.call("GET", "/clicks/\(bench.text(click))")
        #expect(shown["lander_clicks"]?.arrayValue?.count == 1000 && shown["truncated"] == nil)
        #expect(
            shown["lander_clicks"]?.arrayValue?.allSatisfy { $0["location"] == shown["location"] }
                == true)
        // Others, which the day's file still took.
        var batch = ClickBatch()
        batch.landerClicks = [
            LanderClick(
                id: ClickRowID(
                    milliseconds: click.rowID.milliseconds + 1, node: 0, sequence: 2000),
                clickRowID: click.rowID, campaignID: click.campaignID, number: .nth(1),
                offerVersion: version)
        ]
        let outcome = try Waiting<ClickOutcome>.value { done in
            bench.clickStore.store(batch, finished: done)
        }
        #expect(outcome == .stored)
        shown = try bench.call("GET", "/clicks/\(bench.text(click))")
        #expect(shown["lander_clicks"]?.arrayValue?.count == 1000 && shown["truncated"] == true)
    }

    @Test func `a parked call is shown though its click is not stored`() throws {
        let bench = try EntityTests.bench()
        let rowID = ClickRowID(milliseconds: 1_000_000, node: 0, sequence: 0)
        let click = ClickIdentity(rowID: rowID, campaignID: CampaignID(1))
        let missing = try bench.call("GET", "/clicks/\(bench.text(click))")
        #expect(missing.status == 404)
        #expect(missing["detail"]?.stringValue?.contains("\"summer\"") == true)
        #expect(try bench.call("GET", "/trace/\(bench.text(click))").status == 404)
        try bench.refuse(.parked, click: rowID)
        let journey = try bench.call("GET", "/clicks/\(bench.text(click))")
        #expect(journey.status == 200 && journey["purged"] == true)
        #expect(journey["campaign"] == "summer" && journey["location"] == .null)
        #expect(journey["postbacks"]?.arrayValue?.count == 1)
    }

    @Test(arguments: ["nosuch", "00000000000000000000000000", "..%2f", "%00", "%FF"])
    func `what is no click ID of ours is not found`(id: String) throws {
        let bench = try EntityTests.bench()
        #expect(try bench.call("GET", "/clicks/\(id)").status == 404)
        #expect(try bench.call("GET", "/trace/\(id)").status == 404)
    }

    @Test func `any ID leads to the journey`() throws {
        let (bench, click) = try Self.journey()
        let other = try bench.click(
            at: bench.clock.now.advanced(by: .seconds(-3 * 86_400)),
            externalID: Array("a/b c".utf8))
        try bench.convert(click, transactionID: "ORDER 77/1", delivery: Bench.delivery)
        let id = bench.text(click)
        for (text, kind, expected) in [
            (id, "click", id), (id.uppercased(), "click", id), ("cv1", "conversion", id),
            ("ORDER%2077%2F1", "transaction_id", id), ("W8%FF", "external_id", id),
            ("clickrelay-1", "delivery", id), ("a%2Fb%20c", "external_id", bench.text(other)),
        ] {
            let trace = try bench.call("GET", "/trace/\(text)")
            #expect(trace.status == 200 && trace["kind"] == .string(kind), "\(text)")
            let journeys = trace["journeys"]?.arrayValue ?? []
            #expect(journeys.map { $0["click_id"] } == [.string(expected)], "\(text)")
            // Of one click it is the journey itself.
            #expect(try bench.call("GET", "/clicks/\(text)").json == journeys[0], "\(text)")
        }
        for text in ["cv2", "clickrelay-2", "nosuch", "W8"] {
            #expect(try bench.call("GET", "/trace/\(text)").status == 404, "\(text)")
            #expect(try bench.call("GET", "/clicks/\(text)").status == 404, "\(text)")
        }
    }

    @Test func `a call that was refused or parked names the click that its journey is of`() throws {
        let (bench, click) = try Self.journey()
        let id = bench.text(click)
        try bench.refuse(.payoutNotNumber, click: click.rowID)
        try bench.convert(click)
        try bench.refuse(.ipNotAllowed, click: click.rowID)
        for number in 1...3 {
            let shown = try bench.call("GET", "/postbacks/\(number)")
            #expect(shown["click_id"] == .string(id), "\(number)")
        }
        // Nothing but the call's own text is left of this one's click.
        let rowID = ClickRowID(milliseconds: 1_000_000, node: 0, sequence: 0)
        let gone = ClickIdentity(rowID: rowID, campaignID: CampaignID(1))
        try bench.refuse(.parked, click: rowID, query: "cid=\(bench.text(gone))")
        try bench.refuse(.parked, click: rowID, body: "no ID of it")
        try bench.refuse(.clickIDMissing)
        let listed = try bench.call("GET", "/postbacks").items.map { $0["click_id"] }
        let first = JSONValue.string(id)
        #expect(listed == [.null, .null, .string(bench.text(gone)), first, first, first])
        #expect(
            try bench.call("GET", "/clicks/\(bench.text(gone))")["postbacks"]?.arrayValue?.count
                == 2)
    }

    @Test func `an external ID that came twice leads to both clicks`() throws {
        let bench = try EntityTests.bench()
        let same = Array("S".utf8)
        let first = try bench.click(sequence: 1, externalID: same)
        let second = try bench.click(
            at: bench.clock.now.advanced(by: .seconds(-86_400)), externalID: same)
        try bench.convert(second)
        let trace = try bench.call("GET", "/trace/S")
        let ids = (trace["journeys"]?.arrayValue ?? []).compactMap { $0["click_id"]?.stringValue }
        #expect(ids == [bench.text(second), bench.text(first)])
        // Several are what the trace answers, here too.
        #expect(try bench.call("GET", "/clicks/S").json == trace.json)
    }
}

extension Bench {
    /// As retention does it.
    func deleteDay(_ day: Day) throws {
        clickStore.stop()
        for suffix in ["", "-wal", "-shm"] {
            let name = "data/clicks/\(day.text).db\(suffix)"
            if files.entries(of: "data/clicks").contains("\(day.text).db\(suffix)") {
                try files.remove(name)
            }
        }
    }
}

@Suite struct FreshnessTests {
    @Test func `an answer has every commit that came before the question`() throws {
        let (bench, click) = try JourneyTests.journey()
        try bench.convert(click, delivery: Bench.delivery)
        for count in 1...20 {
            let attempt = Attempt(
                number: count, at: bench.clock.now, status: 500, milliseconds: 1, error: nil,
                excerpt: [])
            let now = bench.clock.now
            try bench.write { transaction throws(StoreError) in
                try transaction.record(attempt, of: DeliveryID(1), outcome: .retry(at: now))
            }
            for path in [
                "/clicks/\(bench.text(click))", "/trace/cv1", "/deliveries",
                "/clicks/\(bench.text(click))",
            ] {
                let answer = try bench.call("GET", path)
                let delivery =
                    answer["deliveries"]?.arrayValue?[0] ?? answer.items.first
                    ?? answer["journeys"]?.arrayValue?[0]["deliveries"]?.arrayValue?[0]
                #expect(delivery?["attempts"]?.arrayValue?.count == count, "\(path)")
            }
        }
    }
}
