import Clicks
import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct ClickHandlerTests {
    /// Offer URL, what the visitor sends, where the visitor is sent with the click ID as `ID`.
    static let landings: [(offer: String, query: String, location: String)] = [
        ("http://o.example/?s2={click_id}", "", "http://o.example/?s2=ID"),
        ("http://o.example/p", "subid=1", "http://o.example/p?s2=ID"),
        ("http://o.example/p?a=1", "", "http://o.example/p?a=1&s2=ID"),
        ("http://o.example/p?a=1#f", "", "http://o.example/p?a=1&s2=ID#f"),
        ("http://o.example/{clickid}/x", "", "http://o.example/ID/x"),
        ("http://o.example/?s2={subid}&z={var1}", "zone=7", "http://o.example/?s2=ID&z=7"),
        ("http://o.example/?s2={cid}&z={var1}", "", "http://o.example/?s2=ID&z="),
        ("http://o.example/?s2={cid}&z={var:zone}", "zone=a+b", "http://o.example/?s2=ID&z=a%20b"),
        ("http://o.example/?s2={cid}&z={var2}", "var2=q", "http://o.example/?s2=ID&z=q"),
        (
            "http://o.example/?s2={cid}&e={external_id}", "subid=a%2Bb+c",
            "http://o.example/?s2=ID&e=a%2Bb%2Bc"
        ),
        // Servers may encode more than they must, names too.
        (
            "http://o.example/?s2={cid}&e={external_id}", "sub%69d=x&subid=y",
            "http://o.example/?s2=ID&e=x"
        ),
        (
            "http://o.example/?s2={cid}&e={external_id}", "subi%64x=1&subid%=2&subid=y",
            "http://o.example/?s2=ID&e=y"
        ),
        (
            "http://o.example/?s2={cid}&e={external_id}", "subid=%zz%4",
            "http://o.example/?s2=ID&e=%25zz%254"
        ),
        (
            "http://o.example/?s2={cid}&e={external_id}", "subid=&subid=x",
            "http://o.example/?s2=ID&e=x"
        ),
        (
            "http://o.example/?s2={cid}&e={external_id}", "subid=%0d%0aSet-Cookie:%20a",
            "http://o.example/?s2=ID&e=%0D%0ASet-Cookie%3A%20a"
        ),
        (
            "http://o.example/?s2={cid}&e={external_id:raw}", "subid=%0d%0aa/b?c%00",
            "http://o.example/?s2=ID&e=%0D%0Aa/b?c%00"
        ),
        (
            "http://o.example/?s2={cid}&e={external_id}", "subid=%ff%fe",
            "http://o.example/?s2=ID&e=%FF%FE"
        ),
        ("http://o.example/?s2={cid}&c={campaign}", "", "http://o.example/?s2=ID&c=summer"),
        ("http://o.example/?s2={cid}&c={campaign_id}", "", "http://o.example/?s2=ID&c=1"),
    ]

    @Test(arguments: landings.indices)
    func `a template becomes a location`(index: Int) throws {
        let (offer, query, location) = Self.landings[index]
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: [offer])
        let response = try harness.get("/c/summer?\(query)")
        #expect(response.status == 302)
        let got = try #require(response.location)
        let clickID = try #require(
            got.split(whereSeparator: { "/?&=#".contains($0) })
                .first { ClickID(String($0)) != nil })
        #expect(got.replacingOccurrences(of: clickID, with: "ID") == location)
        #expect(response.fields["cache-control"] == "no-store")
        #expect(response.fields["server"] == nil)
    }

    @Test func `a click keeps what the visitor brought`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(
            offers: ["http://o.example/?s2={click_id}"], cost: ["model": "cpc", "amount": "0.012"])
        let response = try harness.get(
            "/c/summer?zone=39485&subid=W8d%2F%2B&creative=a%20b&cost=9&cost=1",
            fields: ["User-Agent": "Browser/1", "Referer": "http://from.example/x"])
        let click = try #require(try harness.click(of: response))
        #expect(click.externalID == Array("W8d/+".utf8))
        let expected = [("zone", "39485"), ("creative", "a b"), ("cost", "9"), ("cost", "1")]
        #expect(
            click.parameters
                == expected.map { Click.Parameter(name: $0.0, value: Array($0.1.utf8)) })
        #expect(click.cost?.nanos == 12_000_000)
        #expect(click.cost?.currency.code == "USD")
        #expect(click.userAgent == Array("Browser/1".utf8))
        #expect(click.referrer == Array("http://from.example/x".utf8))
        #expect(click.ip?.text == "127.0.0.1")
        #expect(click.path == 1)
    }

    @Test(
        arguments: [
            ("0.0125", 12_500_000), ("0", 0), ("1000000", 1_000_000_000_000_000),
            ("1000000.01", nil), ("-1", nil), ("abc", nil), ("", nil), ("${COST}", nil),
        ] as [(String, Int64?)])
    func `a cost comes from the URL, or is not known`(text: String, nanos: Int64?) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}"], cost: ["model": "param"])
        let response = try harness.get("/c/summer?cost=\(percentEncoded(text))")
        #expect(response.status == 302)
        #expect(try #require(try harness.click(of: response)).cost?.nanos == nanos)
    }

    @Test(
        arguments: [
            ("cost=125&cur=EUR", "1.25 EUR"), ("cur=jpy&cost=125", "125 JPY"),
            ("cost=125", "1.25 GBP"), ("cost=125&cur=", "1.25 GBP"),
            ("cost=125&cur=%7Bcurrency%7D", nil), ("cur=EUR", nil),
            ("cost=x&cost=125&cur=EUR&cur=USD", "1.25 EUR"),
        ] as [(String, String?)])
    func `the URL may say of which currency its cost is`(query: String, cost: String?) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(
            offers: ["http://o.example/?s2={click_id}&c={cost}"],
            cost: ["model": "param", "unit": "minor", "currency": "GBP"],
            costCurrencyParameter: "cur")
        let response = try harness.get("/c/summer?\(query)&zone=1")
        let click = try #require(try harness.click(of: response))
        #expect(click.cost.map { "\($0.amountText) \($0.currency.code)" } == cost)
        #expect(click.parameters.map(\.name) == ["zone"])
        #expect(response.locationParameter("c") == (click.cost?.amountText ?? ""))
    }

    @Test func `clicks of a campaign that pays for conversions cost nothing themselves`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(
            offers: ["http://o.example/?s2={click_id}"],
            cost: ["model": "cpa", "amount": "3", "currency": "EUR"])
        let click = try #require(try harness.click(of: try harness.get("/c/summer?cost=5")))
        #expect(click.cost?.nanos == 0 && click.cost?.currency.code == "EUR")
    }

    @Test func `HEAD shows the way without a click ID and leaves no trace`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}&z={var1}"])
        let connection = try HTTPConnection(port: harness.port)
        for _ in 0..<3 {
            let head = try connection.request("HEAD", "/c/summer?zone=4")
            #expect(head.status == 302)
            #expect(head.location == "http://o.example/?s2=&z=4")
        }
        #expect(try connection.request("GET", "/c/summer?zone=4").status == 302)
        #expect(try harness.storedCount() == 1)
    }

    @Test(
        arguments: [
            ("GET", "/c/winter", 404), ("GET", "/c/", 404), ("GET", "/c/Summer", 404),
            ("GET", "/c/summer/", 404), ("POST", "/c/summer", 405), ("DELETE", "/c/summer", 405),
        ])
    func `what is no click is refused and leaves no trace`(
        method: String, target: String, status: Int
    ) throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}"])
        #expect(try harness.get(target, method: method).status == status)
        #expect(try harness.storedCount() == 0)
    }

    @Test func `a change holds from the next click after it was answered`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        let connection = try HTTPConnection(port: harness.port)
        for number in 1...20 {
            try harness.set(offers: ["http://o.example/v\(number)?s2={click_id}"])
            let response = try connection.request("GET", "/c/summer")
            #expect(response.location?.hasPrefix("http://o.example/v\(number)?s2=") == true)
        }
    }

    @Test func `more parameters than are kept do not keep the visitor from going on`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}"])
        let many = (0..<60).map { "p\($0)=\($0)" }.joined(separator: "&")
        let long = "long=" + String(repeating: "x", count: 5000)
        let response = try harness.get("/c/summer?\(long)&\(many)&subid=keep")
        let click = try #require(try harness.click(of: response))
        #expect(click.parameters.count == 40)
        #expect(click.parameters.first?.name == "p0")
        #expect(click.externalID == Array("keep".utf8))
    }

    @Test func `pipelined clicks are answered in order, each with its own ID`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}&z={var1}"])
        let connection = try HTTPConnection(port: harness.port)
        let count = 100
        try connection.send(
            (0..<count).map {
                "GET /c/summer?zone=\($0) HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n"
            }.joined())
        var seen: Set<String> = []
        for number in 0..<count {
            let response = try connection.receive()
            #expect(response.location?.hasSuffix("&z=\(number)") == true)
            seen.insert(try #require(response.locationParameter("s2")))
        }
        #expect(seen.count == count)
        #expect(try harness.storedCount() == Int64(count))
    }

    @Test func `a disk that fails still redirects, and the clicks are stored when it works again`()
        throws
    {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}"])
        #expect(try harness.get("/c/summer").status == 302)
        // The folder's place is taken by a file: day files can neither be found nor made.
        try FileMover.hide(harness.directory.file("clicks"))
        try eventually("the failure is told") {
            harness.events.current.contains("clicks_not_stored")
        }
        let during = try harness.get("/c/summer?subid=held")
        #expect(during.status == 302)
        try FileMover.bringBack(harness.directory.file("clicks"))
        try eventually("storing works again") {
            harness.events.current.contains("clicks_stored_again")
        }
        #expect(try harness.click(of: during)?.externalID == Array("held".utf8))
        #expect(try harness.storedCount() == 2)
    }

    @Test func `where records come first, a disk that fails refuses the visitor`() throws {
        var options = ClickStore.Options()
        options.redirectsOnFailure = false
        let harness = try ClickHarness(options: options)
        defer { harness.stop() }
        try harness.set(offers: ["http://o.example/?s2={click_id}"])
        try FileMover.hide(harness.directory.file("clicks"))
        try eventually("the failure is told") {
            harness.events.current.contains("clicks_not_stored")
        }
        let refused = try harness.get("/c/summer")
        #expect(refused.status == 503)
        #expect(refused.fields["retry-after"] == "1")
        try FileMover.bringBack(harness.directory.file("clicks"))
        try eventually("storing works again") {
            harness.events.current.contains("clicks_stored_again")
        }
        #expect(try harness.get("/c/summer").status == 302)
        #expect(try harness.storedCount() == 1)
    }
}
