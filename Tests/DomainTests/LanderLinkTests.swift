import Domain
import Testing

/// What lander pages and their links may say.
@Suite struct LanderLinkTests {
    @Test(
        arguments: [
            ("", .nth(1)), ("/", .nth(1)), ("/1", .nth(1)), ("/007", .nth(7)), ("/100", .nth(100)),
            ("/any", .any), ("/0", nil), ("/101", nil), ("/99999999999999999999999", nil),
            ("/-1", nil), ("/1/", nil), ("/+1", nil), ("/ANY", nil), ("1", nil), ("/x", nil),
            ("/1?", nil), ("//1", nil),
        ] as [(String, OfferNumber?)])
    func `an offer is named by its number`(suffix: String, expected: OfferNumber?) {
        #expect(OfferNumber(pathSuffix: Array(suffix.utf8)) == expected)
        if let expected { #expect(OfferNumber(rawValue: expected.rawValue) == expected) }
    }

    @Test func `a link names its click by any name, and its campaign`() {
        let one = String(repeating: "0", count: 26)
        let two = String(repeating: "1", count: 26)
        func link(_ query: String) -> LanderLink {
            Array(query.utf8).withUnsafeBytes { LanderLink($0) }
        }
        #expect(link("cid=\(one)").clickIDs.map(\.text) == [one])
        #expect(
            link("subid=W8d&x=1&CLICK_ID=\(two)&clickid=%30\(one.dropFirst())").clickIDs.count == 2)
        #expect(link("cid=&cid={click_id}&a=\(one)").clickIDs.isEmpty)
        #expect(
            link(Array(repeating: "cid=\(one)", count: 9).joined(separator: "&")).clickIDs.count
                == 4)
        #expect(link("campaign=su%6Dmer&campaign=x").campaign == Array("summer".utf8))
        #expect(link("").campaign == nil)
    }

    @Test func `a conversion is of the newest press before it, of its own network if there is one`()
    {
        func press(_ second: Int64, _ offer: Int64) -> LanderClick {
            let id = ClickRowID(milliseconds: second * 1000, node: 0, sequence: 0)
            return LanderClick(
                id: id, clickRowID: ClickRowID(milliseconds: 0, node: 0, sequence: 0),
                campaignID: CampaignID(1), number: .any, offerVersion: offer)
        }
        func at(_ second: Int64) -> Instant {
            Instant(micros: (ClickRowID.epochMilliseconds + second * 1000) * 1000)
        }
        func source(_ second: Int64, _ presses: [LanderClick], own: Set<Int64>) -> Int64? {
            LanderClick.source(of: at(second), among: presses) { own.contains($0.offerVersion) }?
                .offerVersion
        }
        let presses = [press(30, 3), press(10, 1), press(20, 2), press(25, 0)]
        #expect(source(40, presses, own: [1, 2, 3]) == 3)
        #expect(source(40, presses, own: [1, 2]) == 2)
        #expect(source(40, presses, own: []) == 3)
        #expect(source(30, presses, own: [3]) == 3, "at the same moment")
        #expect(source(29, presses, own: [3]) == 2, "the fallback URL is no offer")
        #expect(source(5, presses, own: [1]) == 1, "none is before it: clocks differ")
        #expect(source(40, [press(1, 0)], own: [0]) == nil)
        #expect(source(40, [], own: [1]) == nil)
    }

    // MARK: /api/click

    private func told(_ query: String) throws(ValidationError) -> DirectClick {
        let bytes = Array(query.utf8)
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(ValidationError) in try DirectClick(query: raw) }
        }
        return try result.get()
    }

    @Test func `a query names the campaign, and the rest is the visit's own`() throws {
        let click = try told("zone=7&campaign=summer&subid=a+b%2B&&lander=quiz&campaign=theirs&x")
        #expect(click.campaign.text == "summer" && click.lander?.text == "quiz")
        #expect(click.ip == nil && click.fields.isEmpty)
        #expect(
            String(decoding: click.query, as: UTF8.self) == "zone=7&subid=a+b%2B&campaign=theirs&x")
        for (query, fields) in [
            ("", ["campaign"]), ("campaign=", ["campaign"]),
            ("zone=1&lander=A", ["lander", "campaign"]),
            ("campaign=su%20mmer", ["campaign"]),
        ] {
            do {
                _ = try told(query)
                Issue.record("\(query) was read")
            } catch {
                #expect(error.errors.map(\.field) == fields, "\(query)")
            }
        }
    }

    @Test func `a document tells of the visit and of the visitor`() throws {
        let click = try DirectClick(document: [
            "campaign": "summer", "query": "?zone=7&u=\u{e9} <", "ip": "2001:db8::7",
            "params": ["a b": "c&d=e", "n": .number("1.5"), "none": nil],
            "user_agent": "UA/1 (x)", "referrer": "https://ad.example/?q",
            "language": "de", "headers": ["Sec-CH-UA": "\"a\";v=1", "user-agent": "other"],
        ])
        #expect(
            String(decoding: click.query, as: UTF8.self)
                == "zone=7&u=%C3%A9%20%3C&a%20b=c%26d%3De&n=1.5")
        #expect(click.ip?.text == "2001:db8::7")
        #expect(
            click.fields.map { "\($0.name): \($0.value)" } == [
                "User-Agent: UA/1 (x)", "Referer: https://ad.example/?q", "Accept-Language: de",
                "Sec-CH-UA: \"a\";v=1",
            ])
    }

    @Test(
        arguments: [
            ([:], ["campaign"]), (["campaign": "A"], ["campaign"]),
            (["campaign": "a", "ip": "1.2.3"], ["ip"]),
            (["campaign": "a", "params": ["x": [:]]], ["params.x"]),
            (["campaign": "a", "params": "x=1"], ["params"]),
            (["campaign": "a", "user_agent": "a\r\nX: y"], ["user_agent"]),
            (["campaign": "a", "headers": ["A": "b\r\nX: y"]], ["headers.A"]),
            (["campaign": "a", "headers": ["A: b\r\nX": "y"]], ["headers.A: b\r\nX"]),
            (["campaign": "a", "headers": ["": "y"]], ["headers."]),
            (["campaign": "a", "user-agent": "x"], ["user-agent"]),
            (
                ["campaign": "a", "params": ["x": .string(String(repeating: "ä", count: 3000))]],
                ["params"]
            ),
            ([], ["", "campaign"]),
        ] as [(JSONValue, [String])])
    func `what makes no visit is refused by its field`(document: JSONValue, fields: [String]) {
        do {
            _ = try DirectClick(document: document)
            Issue.record("\(document) was read")
        } catch {
            #expect(error.errors.map(\.field) == fields)
        }
    }
}
