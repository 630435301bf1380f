import Domain
import Reports
import Store
import TestSupport
import Testing

@Suite struct RateTests {
    private static func rate(_ currency: String, _ date: String, _ rate: String) -> JSONValue {
        ["currency": .string(currency), "date": .string(date), "rate": .string(rate)]
    }

    private static func bench(_ rates: JSONValue? = nil) throws -> Bench {
        let bench = try EntityTests.bench()
        try #require(
            try bench.call("PUT", "/settings", ["reporting_currency": "EUR"]).status == 200)
        if let rates { try #require(try bench.call("PUT", "/rates", rates).status == 200) }
        return bench
    }

    @Test func `the reporting currency is set, shown and taken away`() throws {
        let bench = try Bench()
        #expect(try bench.call("GET", "/settings").json == ["reporting_currency": .null])
        let set = try bench.call("PUT", "/settings", ["reporting_currency": "eur"])
        #expect(set.status == 200 && set.json == ["reporting_currency": "EUR"])
        #expect(try bench.call("GET", "/settings").json == set.json)
        for (body, field) in [
            ([:], "reporting_currency"), (["reporting_currency": "XXX"], "reporting_currency"),
            (["reporting_currency": 3], "reporting_currency"), (["currency": "EUR"], "currency"),
            ([], ""),
        ] as [(JSONValue, String)] {
            let answer = try bench.call("PUT", "/settings", body)
            #expect(answer.status == 422 && answer.fields == [field], "\(body.encoded())")
        }
        let none = try bench.call("PUT", "/settings", ["reporting_currency": .null])
        #expect(none.status == 200 && none["reporting_currency"] == .null)
    }

    @Test func `rates are set, listed by page and deleted`() throws {
        let bench = try Bench()
        let first = Self.rate("USD", "2026-11-01", "0.5")
        #expect(try bench.call("PUT", "/rates", [first]).status == 409, "no reporting currency")
        #expect(try bench.call("POST", "/rates/recompute").status == 409)
        try bench.call("PUT", "/settings", ["reporting_currency": "EUR"])
        let all = [
            Self.rate("GBP", "2026-11-02", "1.1"), first, Self.rate("USD", "2026-11-03", "0.9213"),
        ]
        let put = try bench.call("PUT", "/rates", .array(all.reversed()))
        #expect(put.status == 200 && put.items.count == 3, "\(put.json.encoded())")
        let list = try bench.call("GET", "/rates")
        #expect(list.items == all && list["next_cursor"] == .null)
        #expect(list["reporting_currency"] == "EUR")
        var paged: [JSONValue] = []
        var cursor = ""
        repeat {
            let page = try bench.call("GET", "/rates?limit=1\(cursor)")
            #expect(page.items.count == 1)
            paged += page.items
            cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty && paged.count < 9
        #expect(paged == all)
        #expect(try bench.call("GET", "/rates?currency=usd").items == Array(all[1...]))
        #expect(try bench.call("GET", "/rates?currency=x").fields == ["currency"])

        let deleted = try bench.call("DELETE", "/rates/USD/2026-11-01")
        #expect(deleted.status == 200 && deleted.json == first)
        #expect(try bench.call("DELETE", "/rates/USD/2026-11-01").status == 404)
        #expect(try bench.call("DELETE", "/rates/XXX/2026-11-01").status == 404)
        #expect(try bench.call("DELETE", "/rates/USD/today").status == 404)
        #expect(try bench.call("GET", "/rates").items == [all[0], all[2]])
        let wrong = try bench.call(
            "PUT", "/rates", [all[0], Self.rate("USD", "2026-11-04", "0.12345678901")])
        #expect(wrong.status == 422 && wrong.fields == ["[1].rate"])
        #expect(try bench.call("PUT", "/rates", text: "[").status == 400)
    }

    @Test func `a conversion shows its converted amount, or null`() throws {
        let bench = try Self.bench()
        let click = try bench.click()
        let id = try bench.convert(click)
        let before = try bench.call("GET", "/conversions/\(id)")
        #expect(before["reporting"] == .null && before["payout"]?["amount"] == "12.5")
        let day = bench.clock.now.day.text
        try bench.call("PUT", "/rates", [Self.rate("USD", day, "0.9213")])
        #expect(try bench.call("GET", "/conversions/\(id)")["reporting"] == .null)

        let rehearsal = try bench.call("POST", "/rates/recompute?dry_run=1")
        #expect(rehearsal.status == 200 && rehearsal["operation"]?["dry_run"] == true)
        #expect(rehearsal["operation"]?["id"] == .null && rehearsal.items.count == 1)
        #expect(try bench.call("GET", "/conversions/\(id)")["reporting"] == .null)
        #expect(try bench.call("GET", "/rates/recompute").items.isEmpty)

        let expected: JSONValue = ["amount": "11.51625", "currency": "EUR", "rate": "0.9213"]
        let done = try bench.call("POST", "/rates/recompute?from=\(day)&to=\(day)")
        #expect(done.status == 200 && done["operation"]?["changed"] == 1)
        #expect(done["operation"]?["at"] == .string(bench.clock.now.rfc3339))
        #expect(done.items.first?["after"] == expected && done.items.first?["before"] == .null)
        let after = try bench.call("GET", "/conversions/\(id)")
        #expect(after["reporting"] == expected && after["payout"]?["amount"] == "12.5")
        #expect(after["revisions"]?.arrayValue?.first?["reporting"] == expected)
        let kept = try bench.call("GET", "/rates/recompute").items
        #expect(kept.count == 1 && kept[0]["id"] == done["operation"]?["id"])
        #expect(kept[0]["changed"] == 1 && kept[0]["examined"] == 1)
        #expect(try bench.call("POST", "/rates/recompute").items.isEmpty, "nothing is left to do")
    }

    @Test func `a recomputation takes the conversions of its times, page by page`() throws {
        let bench = try Self.bench()
        let start = bench.clock.now
        // More than one job of the ledger takes.
        for index in 0..<205 { try bench.convert(try bench.click(sequence: index)) }
        bench.clock.now = start.advanced(by: .seconds(86_400))
        try bench.convert(try bench.click(sequence: 300))
        try bench.call("PUT", "/rates", [Self.rate("USD", "2000-01-01", "2")])
        let day = start.day.text
        let first = try bench.call("POST", "/rates/recompute?to=\(day)&limit=202")
        #expect(first.items.count == 202 && first["operation"]?["examined"] == 202)
        let cursor = try #require(first["next_cursor"]?.stringValue)
        let second = try bench.call("POST", "/rates/recompute?to=\(day)&limit=202&cursor=\(cursor)")
        #expect(second.items.count == 3 && second["next_cursor"] == .null)
        let next = bench.clock.now.day.text
        #expect(try bench.call("POST", "/rates/recompute?from=\(next)").items.count == 1)
        #expect(
            try bench.call("GET", "/rates/recompute").items.map { $0["changed"] } == [1, 3, 202])
        #expect(try bench.call("POST", "/rates/recompute?from=x").fields == ["from"])
    }

    @Test func `a report has everything once more in the reporting currency`() throws {
        let bench = try Self.bench()
        let day = bench.clock.now.day
        try bench.call(
            "PUT", "/rates",
            [Self.rate("USD", day.text, "0.5"), Self.rate("GBP", day.text, "1.1")])
        let clicks = try [("USD", 12_000_000), ("GBP", 10), ("JPY", 5), ("JPY", 0)].enumerated()
            .map { try bench.click(sequence: $0, costNanos: $1.1, currency: $1.0) }
        try bench.click(sequence: 9, costNanos: nil)
        try bench.convert(clicks[0], payoutNanos: 10_000_000_001)
        try bench.convert(clicks[1], payoutNanos: 3_000_000_000, currency: "EUR")
        try bench.convert(clicks[2], payoutNanos: 7, currency: "JPY")
        try bench.convert(clicks[3], status: .pending, payoutNanos: 7)
        try bench.call("POST", "/rates/recompute")
        let report = try bench.call("GET", "/report")
        let row = try ReportTests.row(report, "summer")
        let expected: JSONValue = [
            "currency": "EUR", "cost": ReportTests.money("0.006000011", "EUR"),
            "revenue": ReportTests.money("8", "EUR"),
            "profit": ReportTests.money("7.993999989", "EUR"), "epc": "1.600000",
            "roi": "1332.330889", "cpc": "0.001200", "cpa": "0.001500",
            // Two clicks whose cost is in yen, and an approved payout in yen.
            "unconverted": 3,
        ]
        #expect(row["reporting"] == expected, "\(row.encoded())")
        #expect(report["totals"]?["reporting"] == expected)
        #expect(report["reporting_currency"] == "EUR" && row["cost"] == .null)
        #expect(row["amounts"]?.arrayValue?.count == 4)
        #expect(report["formulas"]?["reporting"]?.stringValue?.contains("rate") == true)

        // The rate of a click's day is read each time; a conversion keeps what it was recorded by.
        try bench.call("PUT", "/rates", [Self.rate("USD", day.text, "1")])
        let later = try ReportTests.row(try bench.call("GET", "/report"), "summer")["reporting"]
        #expect(later?["cost"] == ReportTests.money("0.012000011", "EUR"))
        #expect(later?["revenue"] == ReportTests.money("8", "EUR"))
        try bench.call("PUT", "/settings", ["reporting_currency": .null])
        let none = try bench.call("GET", "/report")
        #expect(none["totals"]?["reporting"] == .null && none["reporting_currency"] == .null)
    }

    @Test func `a cost is converted by the rate of the click's day`() throws {
        let bench = try Self.bench()
        let day = bench.clock.now.day
        let midnight = day.advanced(by: 1).start
        bench.clock.now = midnight
        try bench.click(at: midnight.advanced(by: .milliseconds(-1)), sequence: 1, costNanos: 100)
        try bench.click(at: midnight, sequence: 2, costNanos: 100)
        try bench.call(
            "PUT", "/rates",
            [
                Self.rate("USD", day.text, "2"),
                Self.rate("USD", day.advanced(by: 1).text, "3"),
            ])
        for (query, cost) in [("from=\(day.text)", "0.0000005"), ("", "0.0000003")] {
            let report = try bench.call("GET", "/report?\(query)")
            #expect(
                report["totals"]?["reporting"]?["cost"] == ReportTests.money(cost, "EUR"),
                "\(query)")
        }
    }

    @Test(arguments: 1...50) func `rows in the reporting currency sum to the totals to the nano`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let currencies = try ["USD", "EUR", "JPY", "GBP"].map { try #require(Currency($0)) }
        let rates = ExchangeRates(
            reporting: currencies[1],
            [0, 2].flatMap { index in
                (0..<3).map { day in
                    ExchangeRate(
                        currency: currencies[index], day: Day(number: 2 * day + 1),
                        nanos: Int64.random(in: 1...3_000_000_000, using: &random))
                }
            })
        var clicks: [ClickTotal] = []
        var conversions: [ConversionTotal] = []
        var cost: Int128 = 0
        var revenue: Int128 = 0
        var unconverted: Int128 = 0
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            let campaign = CampaignID(Int64.random(in: 1...4, using: &random))
            let currency = currencies.randomElement(using: &random) ?? currencies[0]
            let nanos = Int128(Int64.random(in: .min ... .max, using: &random)) * 1_000
            if Bool.random(using: &random) {
                let day = Day(number: Int32.random(in: 0...6, using: &random))
                let total = ClickTotal(
                    campaignID: campaign, currency: currency, clicks: 3, costNanos: nanos
                ).converted(by: rates, on: day)
                clicks.append(total)
                if let rate = rates.rate(of: currency, on: day) {
                    let product = try #require(ExchangeRate.product(nanos, rateNanos: rate))
                    #expect(total.reportingNanos == product)
                    cost += product
                } else {
                    #expect(total.reportingNanos == nil)
                    unconverted += 3
                }
            } else {
                let status = ConversionStatus.allCases.randomElement(using: &random) ?? .pending
                conversions.append(
                    ConversionTotal(
                        campaignID: campaign, status: status, currency: currency, conversions: 2,
                        payoutNanos: nanos, reportingNanos: nanos / 3, unconverted: 1))
                if status == .approved {
                    revenue += nanos / 3
                    unconverted += 1
                }
            }
        }
        let report = CampaignReport(clicks: clicks, conversions: conversions)
        #expect(
            report
                == CampaignReport(
                    clicks: clicks.shuffled(using: &random), conversions: conversions.reversed()))
        let rows = report.rows.map(\.numbers)
        #expect(report.totals.reporting.costNanos == cost)
        #expect(report.totals.reporting.revenueNanos == revenue)
        #expect(report.totals.reporting.profitNanos == revenue - cost)
        #expect(report.totals.unconverted == unconverted)
        #expect(rows.map(\.reporting.costNanos).reduce(0, +) == cost)
        #expect(rows.map(\.reporting.revenueNanos).reduce(0, +) == revenue)
        #expect(rows.map(\.reporting.profitNanos).reduce(0, +) == revenue - cost)
        #expect(rows.map(\.unconverted).reduce(0, +) == unconverted)
    }
}
