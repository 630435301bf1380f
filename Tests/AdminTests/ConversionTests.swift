import Domain
import Testing

@Suite struct ConversionTests {
    @Test func `a conversion is shown with its revisions`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click(externalID: Array("W8d".utf8))
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        let id = try bench.convert(click, status: .pending, transactionID: "77")
        let convertedAt = bench.clock.now
        bench.clock.now = bench.clock.now.advanced(by: .seconds(60))
        try bench.revise(click, "77", to: .approved)

        let shown = try bench.call("GET", "/conversions/\(id)")
        #expect(shown.status == 200)
        let expected: [(String, JSONValue)] = [
            ("id", "cv1"), ("click_id", .string(bench.text(click))), ("campaign", "summer"),
            ("source", "push"), ("network", "net"), ("offer", "fit"), ("external_id", "W8d"),
            ("event", "sale"), ("transaction_id", "77"), ("status", "approved"),
            ("network_status", "approved"), ("payout", ["amount": "12.5", "currency": "USD"]),
            ("clicked_at", .string(click.rowID.instant.rfc3339)),
            ("converted_at", .string(convertedAt.rfc3339)), ("test", false),
            ("params", ["param2": "two"]), ("revision", 2),
        ]
        for (name, value) in expected { #expect(shown[name] == value, "\(name)") }
        let revisions = try #require(shown["revisions"]?.arrayValue)
        #expect(revisions.map { $0["status"] } == ["pending", "approved"])
        #expect(revisions.map { $0["revision"] } == [1, 2])
        #expect(revisions.map { $0["postback"] } == [1, 2])
        #expect(revisions[0]["network_status"] == "1")
        #expect(revisions[1]["at"] == .string(bench.clock.now.rfc3339))
    }

    @Test(arguments: ["cv2", "cv0", "1", "cv01", "nosuch", "cv99999999999999999999", "%00"])
    func `what is no conversion's ID is not found`(id: String) throws {
        let bench = try EntityTests.bench()
        try bench.convert(bench.click())
        #expect(try bench.call("GET", "/conversions/\(id)").status == 404)
    }

    @Test func `conversions are found by what they are asked for`() throws {
        let bench = try EntityTests.bench()
        let start = bench.clock.now
        var clicks: [ClickIdentity] = []
        for index in 0..<6 {
            let click = try bench.click(sequence: index, externalID: Array("E\(index)".utf8))
            clicks.append(click)
            try bench.convert(
                click, status: index % 2 == 0 ? .approved : .pending,
                event: index < 2 ? "lead" : "sale", transactionID: "T\(index)")
            bench.clock.now = bench.clock.now.advanced(by: .seconds(3600))
        }
        func ids(_ filter: String) throws -> Set<String> {
            let list = try bench.call("GET", "/conversions?\(filter)")
            #expect(list.status == 200, "\(filter): \(list.json.encoded())")
            return Set(list.items.compactMap { $0["id"]?.stringValue })
        }
        #expect(try ids("").count == 6)
        #expect(try ids("status=pending") == ["cv2", "cv4", "cv6"])
        #expect(try ids("event=lead") == ["cv1", "cv2"])
        #expect(try ids("event=Lead") == ["cv1", "cv2"], "events are kept in one case")
        #expect(try ids("event=sale&status=approved") == ["cv3", "cv5"])
        #expect(try ids("transaction_id=T3") == ["cv4"])
        #expect(try ids("transaction_id=nosuch").isEmpty)
        #expect(try ids("external_id=E1") == ["cv2"])
        #expect(try ids("campaign=summer&network=net").count == 6)
        #expect(try ids("click_id=\(bench.text(clicks[4]))") == ["cv5"])
        #expect(try ids("click_id=\(bench.text(clicks[4]).uppercased())") == ["cv5"])

        let second = start.advanced(by: .seconds(3600)).rfc3339
        let third = start.advanced(by: .seconds(7200)).rfc3339
        #expect(try ids("from=\(second)&to=\(third)") == ["cv2"], "the end itself lies outside")
        #expect(try ids("from=\(second)").count == 5)
        #expect(try ids("to=\(second)") == ["cv1"])
        #expect(try ids("from=\(start.day.text)&to=\(start.day.advanced(by: 1).text)").count == 6)
        #expect(try ids("to=\(start.day.advanced(by: -1).text)").isEmpty)
    }

    @Test(arguments: [
        ("status=aproved", "status"), ("campaign=sumer", "campaign"), ("network=none", "network"),
        ("from=yesterday", "from"), ("to=2026-02-30", "to"), ("from=2026-11-20T10:00:00", "from"),
        ("click_id=nosuch", "click_id"), ("click_id=0123456789abcdefghjkmnpqrs", "click_id"),
        ("cursor=x", "cursor"), ("limit=0", "limit"), ("transaction=7", "transaction"),
    ])
    func `a filter that can't be meant is named`(query: String, field: String) throws {
        let bench = try EntityTests.bench()
        let answer = try bench.call("GET", "/conversions?\(query)")
        #expect(answer.status == 422 && answer.fields == [field], "\(answer.json.encoded())")
    }

    @Test func `a near miss is answered with what was probably meant`() throws {
        let bench = try EntityTests.bench()
        for (query, meant) in [
            ("status=aproved", "approved"), ("campaign=sumer", "summer"),
            ("transacton_id=7", "transaction_id"),
        ] {
            let answer = try bench.call("GET", "/conversions?\(query)")
            #expect(answer["detail"]?.stringValue?.contains("\"\(meant)\"") == true)
        }
    }

    @Test func `pages of conversions have each once, newest first`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        for index in 0..<9 { try bench.convert(click, transactionID: "\(index)") }
        for size in [1, 4, 8, 9, 10] {
            var ids: [String] = []
            var cursor = ""
            repeat {
                let page = try bench.call("GET", "/conversions?limit=\(size)\(cursor)")
                #expect(page.items.count <= size)
                ids += page.items.compactMap { $0["id"]?.stringValue }
                cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(ids == (1...9).reversed().map { "cv\($0)" }, "pages of \(size)")
        }
    }
}
