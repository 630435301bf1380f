import Domain
import Reports
import Store
import TestSupport
import Testing

@Suite struct ReportTests {
    static func row(_ answer: Bench.Answer, _ campaign: String) throws -> JSONValue {
        try #require(
            answer["rows"]?.arrayValue?.first { $0["campaign"] == .string(campaign) },
            "\(answer.json.encoded())")
    }

    static func money(_ amount: String, _ currency: String = "USD") -> JSONValue {
        ["amount": .string(amount), "currency": .string(currency)]
    }

    @Test func `the report adds up clicks, conversions by status, and money`() throws {
        let bench = try EntityTests.bench()
        var winter = EntityTests.campaign.objectValue ?? []
        winter[0].value = "winter"
        try bench.call("POST", "/campaigns", .object(winter))
        let clicks = try (0..<10).map { try bench.click(sequence: $0) }
        let other = try (10..<15).map {
            try bench.click(sequence: $0, campaign: 2, costNanos: 2_000_000)
        }
        try bench.convert(clicks[0], payoutNanos: 10_000_000_000)
        try bench.convert(clicks[1], payoutNanos: 2_500_000_000)
        try bench.convert(clicks[1], payoutNanos: 9_000_000_000, isTest: true)
        try bench.convert(clicks[2], status: .pending, payoutNanos: 7_000_000_000)
        try bench.convert(clicks[3], status: .rejected)
        try bench.convert(clicks[4], status: .chargeback)
        try bench.convert(clicks[5], status: .trash)
        try bench.convert(other[0], payoutNanos: 100_000_000)

        let report = try bench.call("GET", "/report?group=campaign")
        #expect(report.status == 200)
        let summer = try Self.row(report, "summer")
        let expected: [(String, JSONValue)] = [
            ("campaign_id", 1), ("clicks", 10), ("clicks_without_cost", 0), ("conversions", 6),
            ("pending", 1), ("approved", 2), ("rejected", 1), ("trash", 1), ("chargeback", 1),
            ("cost", Self.money("0.12")), ("revenue", Self.money("12.5")),
            ("profit", Self.money("12.38")), ("cr", "0.600000"), ("epc", "1.250000"),
            ("roi", "103.166667"), ("cpc", "0.012000"), ("cpa", "0.020000"),
        ]
        for (name, value) in expected { #expect(summer[name] == value, "\(name)") }
        let amounts = try #require(summer["amounts"]?.arrayValue)
        #expect(amounts.count == 1 && amounts[0]["currency"] == "USD")
        #expect(amounts[0]["revenue"] == Self.money("12.5"))
        #expect(try Self.row(report, "winter")["cost"] == Self.money("0.01"))
        let totals = try #require(report["totals"])
        #expect(totals["clicks"] == 15 && totals["conversions"] == 7)
        #expect(totals["revenue"] == Self.money("12.6") && totals["profit"] == Self.money("12.47"))
        #expect(totals["campaign"] == nil)
        #expect(report["formulas"]?["revenue"] == "sum of approved payouts")
        #expect(report["group"] == "campaign" && report["tz"] == "UTC")
        let today = bench.clock.now.day
        #expect(report["from"] == .string(today.start.rfc3339))
        #expect(report["to"] == .string(today.advanced(by: 1).start.rfc3339))
    }

    @Test func `different currencies are never added`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        try bench.convert(click, payoutNanos: 5_000_000_000, currency: "EUR")
        try bench.convert(
            click, status: .pending, payoutNanos: 5_000_000_000, currency: "JPY",
            transactionID: "P")
        let row = try Self.row(try bench.call("GET", "/report"), "summer")
        for name in ["cost", "revenue", "profit", "epc", "roi"] {
            #expect(row[name] == .null, "\(name)")
        }
        #expect(row["cr"] == "2.000000")
        #expect(
            row["amounts"] == [
                [
                    "currency": "EUR", "cost": Self.money("0", "EUR"),
                    "revenue": Self.money("5", "EUR"), "profit": Self.money("5", "EUR"),
                    "epc": "5.000000", "roi": .null, "cpc": "0.000000", "cpa": "0.000000",
                ],
                [
                    "currency": "USD", "cost": Self.money("0.012"), "revenue": Self.money("0"),
                    "profit": Self.money("-0.012"), "epc": "0.000000", "roi": "-1.000000",
                    "cpc": "0.012000", "cpa": "0.006000",
                ],
            ])
    }

    @Test func `what conversions cost is part of the cost, in each currency`() throws {
        let bench = try EntityTests.bench()
        try bench.call("PUT", "/settings", ["reporting_currency": "EUR"])
        let today = bench.clock.now.day
        try bench.call(
            "PUT", "/rates", [["currency": "USD", "date": .string(today.text), "rate": "0.5"]])
        let price = ConversionCost.fixed(
            Money(nanos: 3_000_000_000, currency: .usDollar), [.approved, .pending])
        let paid = try bench.click(sequence: 1)
        try bench.convert(paid, payoutNanos: 10_000_000_000)
        let click = try bench.click(sequence: 2, costNanos: 0)
        try bench.convert(click, payoutNanos: 10_000_000_000, costRule: price)
        try bench.convert(click, status: .pending, transactionID: "2", costRule: price)
        try bench.convert(click, status: .rejected, transactionID: "3", costRule: price)
        try bench.convert(click, transactionID: "4", isTest: true, costRule: price)
        let share = ConversionCost.share(50_000_000_000)
        try bench.convert(
            click, payoutNanos: 1_000_000_000, currency: "EUR", transactionID: "5", costRule: share)
        try bench.convert(
            click, payoutNanos: 4_000_000_000, currency: "GBP", transactionID: "6", costRule: share)

        let report = try bench.call("GET", "/report")
        let row = try Self.row(report, "summer")
        let amounts = try #require(row["amounts"]?.arrayValue)
        #expect(amounts.map { $0["currency"] } == ["EUR", "GBP", "USD"])
        #expect(
            amounts.map { $0["cost"] }
                == [Self.money("0.5", "EUR"), Self.money("2", "GBP"), Self.money("6.012")])
        #expect(amounts[2]["profit"] == Self.money("13.988"))
        #expect(amounts[2]["roi"] == "2.326680" && amounts[2]["cpa"] == "1.002000")
        #expect(row["reporting"]?["cost"] == Self.money("3.506", "EUR"))
        #expect(
            row["reporting"]?["unconverted"] == 4, "two USD payouts, a payout and a cost in GBP")
        #expect(row["clicks_without_cost"] == 0)
        #expect(report["totals"]?["amounts"] == row["amounts"])
        let shown = try bench.call("GET", "/conversions?transaction_id=2").items
        #expect(shown.map { $0["cost"] } == [Self.money("3")])
        let plain = try bench.call("GET", "/conversions?limit=1000").items.last
        #expect(plain?["cost"] == .null)
        #expect(report["formulas"]?["cpa"] == "cost / conversions")
    }

    @Test func `a report of more rows than are held asks for a narrower one`() throws {
        let bench = try EntityTests.bench()
        for sequence in 0..<2 { try bench.convert(bench.click(sequence: sequence)) }
        let now = bench.clock.now
        func report(keysMax: Int) throws -> Int {
            try bench.read { reader throws(StoreError) in
                let period = ReportPeriod(from: now.day.start, to: now.advanced(by: .seconds(1)))
                guard let period else { return -1 }
                return try AudienceReport(
                    [.campaign, .visit], reader, period, ExchangeRates(), keysMax: keysMax
                ).rows.count
            }
        }
        #expect(try report(keysMax: 1) == 1)
        let error = #expect(throws: StoreError.self) { try report(keysMax: 0) }
        guard case .invalid(let invalid) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(invalid.errors.map(\.field) == ["group"])
    }

    @Test func `a report says whether cost layers are in it`() throws {
        let bench = try EntityTests.bench()
        let campaigns = try bench.call("GET", "/report")
        #expect(campaigns["cost_layers"] == true)
        #expect(campaigns["formulas"]?["cost"]?.stringValue?.contains("newest layer") == true)
        let devices = try bench.call("GET", "/report?group=campaign,device")
        #expect(devices["cost_layers"] == false)
        #expect(devices["formulas"]?["cost"]?.stringValue?.contains("are not in it") == true)
        #expect(devices["formulas"]?["lander_views"] == nil)
    }

    @Test func `clicks without a known cost are said to be so`() throws {
        let bench = try EntityTests.bench()
        try bench.click(sequence: 0, costNanos: nil)
        try bench.click(sequence: 1, costNanos: 0)
        let row = try Self.row(try bench.call("GET", "/report"), "summer")
        #expect(row["clicks"] == 2 && row["clicks_without_cost"] == 1)
        #expect(row["cost"] == Self.money("0") && row["roi"] == .null)
        #expect(row["revenue"] == Self.money("0") && row["epc"] == "0.000000")
    }

    @Test func `an empty period has no rows`() throws {
        let bench = try EntityTests.bench()
        let report = try bench.call("GET", "/report")
        #expect(report["rows"] == [] && report["totals"]?["clicks"] == 0)
        #expect(report["totals"]?["cr"] == .null && report["totals"]?["cost"] == .null)
    }

    @Test func `conversions count at the time of their click`() throws {
        let bench = try EntityTests.bench()
        let clickedAt = bench.clock.now
        let click = try bench.click()
        bench.clock.now = clickedAt.advanced(by: .seconds(2 * 86_400))
        try bench.convert(click)
        let today = try bench.call("GET", "/report")
        #expect(today["totals"]?["conversions"] == 0)
        let day = clickedAt.day.text
        let then = try bench.call("GET", "/report?from=\(day)&to=\(day)")
        #expect(then["totals"]?["clicks"] == 1 && then["totals"]?["conversions"] == 1)
    }

    @Test func `a period takes clicks from its beginning up to its end`() throws {
        let bench = try EntityTests.bench()
        let midnight = bench.clock.now.day.advanced(by: 1).start
        bench.clock.now = midnight.advanced(by: .seconds(3600))
        let milliseconds = [-1, 0, 899_999, 900_000]
        for (index, offset) in milliseconds.enumerated() {
            let click = try bench.click(
                at: midnight.advanced(by: .milliseconds(offset)), sequence: index)
            try bench.convert(click)
        }
        let day = midnight.day.text
        for (query, count) in [
            ("", 3), ("from=\(day)", 3), ("from=\(day)&to=\(day)", 3),
            ("from=\(midnight.rfc3339)&to=\(day)T00:15:00Z", 2),
            ("from=\(day)T00:05:00Z&to=\(day)T00:06:00Z", 2),
            ("from=\(day)T00:15:00Z&to=\(day)", 1),
            ("from=\(midnight.day.advanced(by: -1).text)&to=\(day)", 4),
            ("to=\(midnight.rfc3339)", 1), ("to=\(midnight.day.advanced(by: -1).text)", 1),
            ("from=\(day)&to=\(day)&tz=%2B02:00", 4), ("from=\(day)&to=\(day)&tz=+02:00", 4),
            ("from=\(day)&to=\(day)&tz=-02:00", 0), ("tz=-02:00", 4),
            ("from=\(day)&to=\(day)&tz=Europe/Berlin", 4),
            ("from=\(day)&to=\(day)&tz=America/New_York", 0),
        ] {
            let report = try bench.call("GET", "/report?\(query)")
            #expect(report["totals"]?["clicks"] == .integer(count), "\(query)")
            #expect(report["totals"]?["conversions"] == .integer(count), "\(query)")
        }
    }

    @Test(arguments: [
        ("group=planet", "group"), ("from=x", "from"), ("to=x", "to"), ("tz=Europe/Berln", "tz"),
        ("tz=../../etc/passwd", "tz"),
        ("tz=+02:07", "tz"), ("tz=+15:00", "tz"), ("from=2026-11-20&to=2026-11-19", "to"),
        ("from=2026-11-20T10:00:00Z&to=2026-11-20T10:00:00Z", "to"), ("goup=campaign", "goup"),
    ])
    func `a report that can't be made is refused`(query: String, field: String) throws {
        let bench = try Bench()
        let answer = try bench.call("GET", "/report?\(query)")
        #expect(answer.status == 422 && answer.fields == [field], "\(answer.json.encoded())")
    }

    @Test func `sums beyond 64 bits are exact to the last nano`() throws {
        let bench = try EntityTests.bench()
        for sequence in 0..<3 {
            let click = try bench.click(sequence: sequence, costNanos: .max)
            try bench.convert(click, payoutNanos: .max - 1)
        }
        let row = try Self.row(try bench.call("GET", "/report"), "summer")
        #expect(row["cost"] == Self.money("27670116110.564327421"))
        #expect(row["revenue"] == Self.money("27670116110.564327418"))
        #expect(row["profit"] == Self.money("-0.000000003"))
        #expect(row["roi"] == "0.000000")
    }

    /// Adds up amounts of one JSON member by their currencies.
    private static func add(_ money: JSONValue?, to sums: inout [String: Int128]) throws {
        guard let code = money?["currency"]?.stringValue, let text = money?["amount"]?.stringValue
        else { return }
        sums[code, default: 0] += Int128(try Amount.parse(text, format: .point))
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `what the report says is the sum of the rows behind it to the last nano`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed)
        let bench = try EntityTests.bench()
        var winter = EntityTests.campaign.objectValue ?? []
        winter[0].value = "winter"
        try bench.call("POST", "/campaigns", .object(winter))
        let currencies = ["USD", "EUR", "JPY", "KWD"]
        let largest = Int64(1) << Int64.random(in: 1...55, using: &random)
        let clicks = try (0..<12).map { sequence in
            try bench.click(
                sequence: sequence, campaign: Int64.random(in: 1...2, using: &random),
                costNanos: Int64.random(in: 0...largest, using: &random))
        }
        for number in 0..<40 {
            try bench.convert(
                clicks.randomElement(using: &random) ?? clicks[0],
                status: ConversionStatus.allCases.randomElement(using: &random) ?? .approved,
                payoutNanos: Int64.random(in: -largest...largest, using: &random),
                currency: currencies.randomElement(using: &random) ?? "USD",
                transactionID: "\(number)", isTest: number % 7 == 0)
        }

        var revenue: [String: [String: Int128]] = [:]
        var cost: [String: [String: Int128]] = [:]
        for item in try bench.call("GET", "/conversions?limit=1000").items
        where item["status"] == "approved" && item["test"] == false {
            for of in [item["campaign"]?.stringValue ?? "", "totals"] {
                try Self.add(item["payout"], to: &revenue[of, default: [:]])
            }
        }
        for click in clicks {
            let shown = try bench.call("GET", "/clicks/\(bench.text(click))")
            for of in [shown["campaign"]?.stringValue ?? "", "totals"] {
                try Self.add(shown["cost"], to: &cost[of, default: [:]])
            }
        }
        let report = try bench.call("GET", "/report?group=campaign")
        var parts = (report["rows"]?.arrayValue ?? []).map {
            (of: $0["campaign"]?.stringValue ?? "", numbers: $0)
        }
        parts.append(("totals", try #require(report["totals"])))
        #expect(Set(parts.map(\.of)) == Set(cost.keys))
        for (of, numbers) in parts {
            let amounts = numbers["amounts"]?.arrayValue ?? []
            let told = Set(amounts.compactMap { $0["currency"]?.stringValue })
            let known = Set((revenue[of] ?? [:]).keys).union((cost[of] ?? [:]).keys)
            #expect(known.isSubset(of: told), "\(of)")
            for amount in amounts {
                let code = amount["currency"]?.stringValue ?? ""
                let (earned, spent) = (revenue[of]?[code] ?? 0, cost[of]?[code] ?? 0)
                for (name, nanos) in [
                    ("revenue", earned), ("cost", spent), ("profit", earned - spent),
                ] {
                    #expect(
                        amount[name] == Self.money(Amount.format(nanos), code), "\(of) \(name)")
                }
            }
        }
    }

    @Test(arguments: 1...50) func `totals are the sum of the rows`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let currencies = try ["USD", "EUR"].map { try #require(Currency($0)) }
        var cost: [Currency: Int128] = [:]
        var revenue: [Currency: Int128] = [:]
        var clicks: [ClickTotal] = []
        var conversions: [ConversionTotal] = []
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            let campaign = CampaignID(Int64.random(in: 1...4, using: &random))
            let currency = currencies[Int.random(in: 0...1, using: &random)]
            let nanos = Int128(Int64.random(in: .min ... .max, using: &random)) * 1_000_000
            if Bool.random(using: &random) {
                clicks.append(
                    ClickTotal(
                        campaignID: campaign, currency: currency, clicks: 3, costNanos: nanos))
                cost[currency, default: 0] += nanos
            } else {
                let status = ConversionStatus.allCases.randomElement(using: &random) ?? .pending
                conversions.append(
                    ConversionTotal(
                        campaignID: campaign, status: status, currency: currency, conversions: 2,
                        payoutNanos: nanos))
                if status == .approved { revenue[currency, default: 0] += nanos }
            }
        }
        let report = CampaignReport(clicks: clicks, conversions: conversions)
        #expect(
            report
                == CampaignReport(
                    clicks: clicks.reversed(), conversions: conversions.shuffled(using: &random)))
        #expect(report.totals.clicks == Int128(3 * clicks.count))
        #expect(report.totals.conversions == Int128(2 * conversions.count))
        #expect(report.rows.map(\.numbers.clicks).reduce(0, +) == report.totals.clicks)
        for currency in currencies {
            let parts = report.rows.flatMap { $0.numbers.amounts }
                .filter { $0.currency == currency }.map(\.amounts)
            #expect(parts.map(\.costNanos).reduce(0, +) == cost[currency] ?? 0)
            #expect(parts.map(\.revenueNanos).reduce(0, +) == revenue[currency] ?? 0)
            let total = report.totals.amounts.first { $0.currency == currency }?.amounts
            #expect(total?.costNanos ?? 0 == cost[currency] ?? 0)
            #expect(total?.profitNanos ?? 0 == (revenue[currency] ?? 0) - (cost[currency] ?? 0))
        }
    }
}
