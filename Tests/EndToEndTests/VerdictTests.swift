import TestSupport
import Testing

/// What a network's call is answered, and that none is thrown away.
@Suite struct VerdictTests {
    /// The shape every verdict shares.
    private func expectShape(
        _ answer: PostbackAnswer, _ status: Int, _ verdict: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            answer.status == status && answer.verdict == verdict, "\(answer.json.text)",
            sourceLocation: sourceLocation)
        #expect(!answer.message.isEmpty, sourceLocation: sourceLocation)
        #expect(
            answer.response.fields["content-type"]?.contains("json") == true,
            sourceLocation: sourceLocation)
    }

    @Test func `a call without a click ID says so`() throws {
        let chain = try Chain.start()
        expectShape(try chain.network.call("payout=1"), 400, "click_id_missing")
        expectShape(try chain.network.call("cid=&payout=1"), 400, "click_id_missing")
        expectShape(
            try PostbackAnswer(chain.tracker.get("/postback/\(chain.network.key)")), 400,
            "click_id_missing")
        // The first name that has a value wins.
        let visit = try chain.visit()
        expectShape(
            try chain.network.call("cid=&subid=\(visit.clickID)&payout=1"), 200, "accepted")
    }

    @Test(arguments: [
        "x", "01234567890123456789012345x", "0123456789012345678901234567", "not%20an%20id",
        "zzzzzzzzzzzzzzzzzzzzzzzzzu", "a%00b", "%F0%9F%92%A9", "..%2F..%2Fetc%2Fpasswd",
        "'%3B%20drop%20table%20click%3B--",
    ])
    func `a click ID that can't be one is malformed`(text: String) throws {
        let chain = try Chain.start()
        expectShape(try chain.network.call("cid=\(text)&payout=1"), 400, "click_id_malformed")
        #expect(try chain.tracker.list("/conversions").isEmpty)
    }

    @Test func `a click ID with one letter changed is foreign`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=A")
        let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
        var random = SeededRandom(7)
        for position in 1..<26 {
            var letters = Array(visit.clickID)
            let original = letters[position]
            letters[position] = digits.filter { $0 != original }.randomElement(using: &random)!
            let answer = try chain.network.call("cid=\(String(letters))&payout=1")
            expectShape(answer, 404, "click_foreign")
        }
        #expect(try chain.tracker.list("/conversions").isEmpty)
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        #expect(try chain.source.await(1).count == 1)
    }

    @Test func `another installation's click ID is foreign`() throws {
        let chain = try Chain.start()
        let other = try Chain.start()
        let visit = try other.visit()
        expectShape(
            try chain.network.call("cid=\(visit.clickID)&payout=1"), 404, "click_foreign")
    }

    @Test func `a click ID is read in either case and with look-alike letters`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=A")
        let upper = visit.clickID.uppercased()
        let lookalike = String(
            visit.clickID.map { $0 == "0" ? "o" : $0 == "1" ? "l" : $0 })
        let lookalikeUpper = String(upper.map { $0 == "0" ? "O" : $0 == "1" ? "I" : $0 })
        #expect(try chain.network.call("cid=\(upper)&txid=1&payout=1").verdict == "accepted")
        #expect(try chain.network.call("cid=\(lookalike)&txid=1&payout=1").verdict == "duplicate")
        #expect(
            try chain.network.call("cid=\(lookalikeUpper)&txid=1&payout=1").verdict == "duplicate")
        #expect(try chain.journey(upper)["click_id"].string == visit.clickID)
    }

    @Test(arguments: ["abc", "12.5.1", "1e5", "--3", "$5", "0x10", "NaN", "5%0012"])
    func `a payout that is no number is refused with the reason`(payout: String) throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        expectShape(
            try chain.network.call("cid=\(visit.clickID)&payout=\(payout)"), 400,
            "payout_not_number")
        #expect(try chain.journey(visit.clickID)["conversions"].array.isEmpty)
    }

    @Test(arguments: [
        ("12.5", "12.5"), ("12,5", "12.5"), ("1%20234.50", "1234.5"), ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"), ("-3", "-3"), ("%E2%88%923", "-3"), ("0", "0"),
        ("0.000000001", "0.000000001"),
    ])
    func `amounts are read the ways people write them`(sent: String, read: String) throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=\(sent)").verdict == "accepted")
        let conversion = try chain.journey(visit.clickID)["conversions"][0]
        #expect(conversion["payout"] == ["amount": .string(read), "currency": "USD"])
    }

    @Test(arguments: ["XXQ", "DOLLARS", "12", "U%00D"])
    func `an unknown currency is refused`(currency: String) throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        expectShape(
            try chain.network.call("cid=\(visit.clickID)&payout=1&currency=\(currency)"), 400,
            "currency_unknown")
        #expect(
            try chain.network.call("cid=\(visit.clickID)&payout=1&currency=eur").verdict
                == "accepted")
    }

    @Test func `an unknown postback key is 404 and names the verdict`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        let answer = try PostbackAnswer(
            chain.tracker.get("/postback/nosuchkey?cid=\(visit.clickID)&payout=1"))
        expectShape(answer, 404, "key_unknown")
        #expect(try chain.journey(visit.clickID)["conversions"].array.isEmpty)
    }

    @Test func `a genuine click ID whose row is gone is parked with its value`() throws {
        let chain = try Chain.start()
        let lost = try chain.visit("subid=LOST")
        #expect(try chain.tracker.terminate() == 0)
        let data = "data/clicks"
        for name in chain.tracker.directory.entries(of: data) {
            try chain.tracker.directory.remove("\(data)/\(name)")
        }
        try chain.tracker.restart()
        let answer = try chain.network.call("cid=\(lost.clickID)&payout=8.5&txid=P1")
        expectShape(answer, 200, "parked")
        let kept = try #require(
            try chain.tracker.list("/postbacks").first { $0["verdict"] == "parked" })
        #expect(kept["request"]["target"].string?.contains("payout=8.5") == true)
        // The day's file is made again, and the tracker works as ever.
        let visit = try chain.visit("subid=NEW")
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=1").verdict == "accepted")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=NEW&value=1"])
    }

    @Test func `every call is kept as it came with its verdict`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        _ = try chain.network.call("cid=\(visit.clickID)&payout=abc&x=%zz%00")
        _ = try chain.network.call("payout=1&odd=%C3%BC")
        _ = try chain.tracker.post(
            "/postback/\(chain.network.key)?a=1", form: "cid=nope&payout=%3D")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=5")
        let kept = try chain.tracker.list("/postbacks").sorted {
            ($0["id"].int ?? 0) < ($1["id"].int ?? 0)
        }
        #expect(
            kept.map { $0["verdict"] }
                == ["payout_not_number", "click_id_missing", "click_id_malformed", "accepted"])
        let prefix = "/postback/\(chain.network.key)"
        #expect(
            kept[0]["request"]["target"].string
                == "\(prefix)?cid=\(visit.clickID)&payout=abc&x=%zz%00")
        #expect(kept[1]["request"]["target"].string == "\(prefix)?payout=1&odd=%C3%BC")
        #expect(kept[2]["request"]["method"] == "POST")
        #expect(kept[2]["request"]["body"] == "cid=nope&payout=%3D")
        #expect(kept.allSatisfy { $0["sender"] == "127.0.0.1" && $0["network"] == "net" })
    }

    @Test func `a macro left in the call is refused where it would be money or identity`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        for query in [
            "cid={click_id}&payout=1", "cid=%7Bclick_id%7D&payout=1",
            "cid=\(visit.clickID)&payout={payout}", "cid=\(visit.clickID)&payout=%5Bpayout%5D",
        ] {
            let answer = try chain.network.call(query)
            #expect(answer.status == 400, "\(query): \(answer.json.text)")
        }
        #expect(try chain.tracker.list("/conversions").isEmpty)
    }

    @Test func `a missing payout is the offer's`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=A")
        #expect(try chain.network.call("cid=\(visit.clickID)").verdict == "accepted")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=A&value=9.99"])
    }

    @Test func `a missing payout is zero where the offer has none`() throws {
        let chain = try Chain.start { $0.offer["payout"] = .null }
        let visit = try chain.visit("subid=A")
        #expect(try chain.network.call("cid=\(visit.clickID)").verdict == "accepted")
        let conversion = try chain.journey(visit.clickID)["conversions"][0]
        #expect(conversion["payout"]["amount"] == "0")
    }

    @Test(arguments: [
        ("approved", "approved"), ("CONFIRMED", "approved"), ("paid", "approved"),
        ("hold", "pending"), ("Lead", "pending"), ("declined", "rejected"),
        ("cancelled", "rejected"), ("spam", "trash"), ("refund", "chargeback"),
        ("1", "approved"), ("2", "trash"), ("Good%20one", "approved"),
    ])
    func `status words are looked up without case`(word: String, status: String) throws {
        let chain = try Chain.start {
            $0.network["status_map"] = ["1": "approved", "2": "trash", "good ONE": "approved"]
        }
        let visit = try chain.visit()
        #expect(
            try chain.network.call("cid=\(visit.clickID)&payout=1&status=\(word)").verdict
                == "accepted")
        let conversion = try chain.journey(visit.clickID)["conversions"][0]
        #expect(conversion["status"].string == status)
        #expect(conversion["network_status"].string == percentDecoded(word))
    }

    @Test(arguments: ["banana", "17"])
    func `an unknown status word is pending and the message names it`(word: String) throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        let answer = try chain.network.call("cid=\(visit.clickID)&payout=1&status=\(word)")
        #expect(answer.status == 200 && answer.verdict == "accepted")
        #expect(answer.message.contains(word))
        #expect(try chain.journey(visit.clickID)["conversions"][0]["status"] == "pending")
        #expect(chain.source.count == 0)
    }

    @Test(arguments: ["cid", "clickid", "click_id", "subid", "sub_id", "cnv_id", "hit", "SubID"])
    func `every name of the click ID is understood`(name: String) throws {
        let chain = try Chain.start()
        let visit = try chain.visit()
        #expect(try chain.network.call("\(name)=\(visit.clickID)&payout=1").verdict == "accepted")
    }

    @Test func `aliases of amount, order, event and status are understood`() throws {
        let chain = try Chain.start()
        for (amount, order, event, status) in [
            ("revenue", "tid", "et", "cnv_status"), ("sum", "order_id", "goal", "conv_status"),
            ("SALE_AMOUNT", "transaction_id", "event_type", "Status"),
        ] {
            let visit = try chain.visit()
            let answer = try chain.network.call(
                "cid=\(visit.clickID)&\(amount)=7.5&\(order)=O-1&\(event)=install&\(status)=pending"
            )
            #expect(answer.verdict == "accepted")
            let conversion = try chain.journey(visit.clickID)["conversions"][0]
            #expect(conversion["payout"]["amount"] == "7.5", "\(amount)")
            #expect(conversion["transaction_id"] == "O-1", "\(order)")
            #expect(conversion["event"] == "install", "\(event)")
            #expect(conversion["status"] == "pending", "\(status)")
        }
    }

    @Test func `JSON bodies may hold numbers and a charset`() throws {
        let chain = try Chain.start()
        let visit = try chain.visit("subid=J")
        let answer = try PostbackAnswer(
            chain.tracker.post(
                "/postback/\(chain.network.key)",
                form: "{\"cid\": \"\(visit.clickID)\", \"payout\": 12.50, \"txid\": 77}",
                type: "application/json; charset=utf-8"))
        #expect(answer.verdict == "accepted")
        #expect(try chain.source.await(1).map(\.target) == ["/conv?id=J&value=12.5"])
        #expect(
            try chain.journey(visit.clickID)["conversions"][0]["transaction_id"] == "77")
    }

    @Test(arguments: ["{", "[1,2", "nonsense", "\u{0}", "{\"cid\": }"])
    func `a broken JSON body is a clear refusal`(body: String) throws {
        let chain = try Chain.start()
        let response = try chain.tracker.post(
            "/postback/\(chain.network.key)", form: body, type: "application/json")
        #expect(response.status == 400)
        #expect(try !PostbackAnswer(response).message.isEmpty)
        #expect(try chain.tracker.get("/healthz").status == 200)
    }
}
