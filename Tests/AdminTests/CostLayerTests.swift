import Domain
import Foundation
import Reports
import Store
import TestSupport
import Testing

@Suite struct CostLayerTests {
    /// 2026-11-18, a Wednesday.
    static let day = Day(number: 20_775)

    private static func at(_ day: Int, _ hour: Int, _ minute: Int = 0) -> Instant {
        Self.day.advanced(by: day).start.advanced(by: .seconds(hour * 3600 + minute * 60))
    }

    private static func cost(_ bench: Bench, _ query: String = "") throws -> [String] {
        let target = "/report?from=\(day.text)&to=\(day.advanced(by: 9).text)" + query
        let amounts = try bench.call("GET", target)["totals"]?["amounts"]?.arrayValue
        return try #require(amounts).map {
            let cost = $0["cost"]
            return "\(cost?["amount"]?.stringValue ?? "-") \(cost?["currency"]?.stringValue ?? "-")"
        }
    }

    private static func layer(_ charge: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(
            [
                JSONMember(name: "campaign", value: "summer"),
                JSONMember(name: "from", value: .string(day.text)),
            ] + charge.map { JSONMember(name: $0.key, value: $0.value) })
    }

    private static func layer(changedBy change: JSONValue) -> JSONValue {
        let changes = change.objectValue ?? []
        let rest = (layer([:]).objectValue ?? []).filter { member in
            !changes.contains { $0.name == member.name }
        }
        return .object(rest + changes)
    }

    @Test func `each of several layers that come at once is about its own clicks`() throws {
        let bench = try EntityTests.bench()
        for sequence in 0..<3 {
            try bench.click(
                at: Self.at(0, 5), sequence: sequence,
                parameters: [("zone", Array("\(sequence % 2)".utf8))])
        }
        func zone(_ value: JSONValue) -> JSONValue {
            Self.layer(["cpc": "1", "where": ["param:zone": value]])
        }
        let drafts: JSONValue = [zone("0"), zone("1"), zone("2")]
        for target in ["/costs?dry_run=1", "/costs"] {
            let added = try bench.call("POST", target, drafts)
            #expect(
                added.json.arrayValue?.map { $0["clicks"] } == [
                    .integer(2), .integer(1), .integer(0),
                ], "\(target)")
        }
    }

    @Test func `a total replaces what the clicks cost until it is removed`() throws {
        let bench = try EntityTests.bench()
        for sequence in 0..<3 { try bench.click(at: Self.at(0, 5), sequence: sequence) }
        try bench.click(at: Self.at(0, 6), costNanos: nil)
        try bench.click(at: Self.at(1, 0))
        #expect(try Self.cost(bench) == ["0.048 USD"])
        let before = try bench.call("GET", "/report?from=\(Self.day.text)&to=\(Self.day.text)")

        let draft = Self.layer(["total": "10", "currency": "EUR", "note": "invoice"])
        let dry = try bench.call("POST", "/costs?dry_run=1", draft)
        #expect(dry.status == 200 && dry["clicks"] == 4 && dry["id"] == .null)
        #expect(try Self.cost(bench) == ["0.048 USD"])
        let made = try bench.call("POST", "/costs", draft)
        #expect(made.status == 201 && made["id"] == 1 && made["clicks"] == 4)
        #expect(made["total"] == "10" && made["time_zone"] == "UTC" && made["where"] == [:])
        #expect(made["to"] == .string(Self.day.text))
        #expect(made["range"]?["to"] == .string(Self.day.advanced(by: 1).start.rfc3339))
        #expect(try Self.cost(bench) == ["10 EUR", "0.012 USD"])
        let row = try ReportTests.row(
            try bench.call("GET", "/report?from=\(Self.day.text)&to=\(Self.day.text)"), "summer")
        #expect(row["clicks"] == 4 && row["clicks_without_cost"] == 0)
        #expect(row["cost"] == ReportTests.money("10", "EUR"))
        #expect(try bench.call("GET", "/costs/1")["clicks"] == 4)
        #expect(try bench.call("GET", "/costs").items.map { $0["id"] } == [1])

        let removed = try bench.call("DELETE", "/costs/1")
        #expect(removed.status == 200 && removed["removed_at"] != .null)
        let after = try bench.call("GET", "/report?from=\(Self.day.text)&to=\(Self.day.text)")
        #expect(after.json == before.json)
        #expect(try bench.call("GET", "/costs").items == [])
        #expect(try bench.call("GET", "/costs?removed=1&campaign=summer").items.count == 1)
        #expect(try bench.call("DELETE", "/costs/1").status == 409)
        #expect(try bench.call("POST", "/costs/1/restore").status == 200)
        #expect(try Self.cost(bench) == ["10 EUR", "0.012 USD"])
        #expect(try bench.call("POST", "/costs/1/restore").status == 409)
        #expect(try bench.call("DELETE", "/costs/2").status == 404)
    }

    @Test func `later clicks take their part of a total`() throws {
        let bench = try EntityTests.bench()
        try bench.click(at: Self.at(0, 5))
        try bench.call("POST", "/costs", Self.layer(["total": "1"]))
        #expect(try Self.cost(bench, "") == ["1 USD"])
        for sequence in 1..<3 { try bench.click(at: Self.at(0, 7), sequence: sequence) }
        #expect(try Self.cost(bench) == ["1 USD"])
        let hour = "/report?from=\(Self.at(0, 5).rfc3339)&to=\(Self.at(0, 6).rfc3339)"
        #expect(
            try bench.call("GET", hour)["totals"]?["cost"] == ReportTests.money("0.333333333"))
    }

    @Test func `a total without any click stands at the beginning of its range`() throws {
        let bench = try EntityTests.bench()
        try bench.call("PUT", "/settings", ["reporting_currency": "EUR"])
        try bench.call(
            "PUT", "/rates", [["currency": "USD", "date": .string(Self.day.text), "rate": "0.5"]])
        try bench.call("POST", "/costs", Self.layer(["total": "3", "to": "2026-11-20"]))
        #expect(try Self.cost(bench) == ["3 USD"])
        let first = "/report?from=\(Self.at(0, 0).rfc3339)&to=\(Self.at(0, 0, 15).rfc3339)"
        let totals = try bench.call("GET", first)["totals"]
        #expect(totals?["cost"] == ReportTests.money("3"))
        #expect(totals?["reporting"]?["cost"] == ReportTests.money("1.5", "EUR"))
        let later = "/report?from=\(Self.at(0, 0, 15).rfc3339)&to=\(Self.at(9, 0).rfc3339)"
        #expect(try bench.call("GET", later)["totals"]?["amounts"] == [])
        // A newer one tells of all clicks of that time.
        try bench.call("POST", "/costs", Self.layer(["cpc": "0.5"]))
        #expect(try bench.call("GET", first)["totals"]?["amounts"] == [])
        try bench.call("DELETE", "/costs/2")
        // Once a click comes, it is a part of what that costs.
        try bench.click(at: Self.at(2, 23, 59))
        let last = "/report?from=\(Self.at(2, 23).rfc3339)&to=\(Self.at(3, 0).rfc3339)"
        #expect(try bench.call("GET", last)["totals"]?["cost"] == ReportTests.money("3"))
        #expect(try Self.cost(bench) == ["3 USD"])
    }

    @Test func `the newest of the layers about a click counts, each dealt out as if alone`() throws
    {
        let bench = try EntityTests.bench()
        for (sequence, zone) in ["a", "a", "b", ""].enumerated() {
            let parameters = zone.isEmpty ? [] : [(name: "zone", value: Array(zone.utf8))]
            try bench.click(at: Self.at(0, 5), sequence: sequence, parameters: parameters)
        }
        let all = try bench.call("POST", "/costs", Self.layer(["total": "1"]))
        #expect(all["clicks"] == 4)
        let zone = try bench.call(
            "POST", "/costs", Self.layer(["cpc": "0.1", "where": ["var1": "a"]]))
        #expect(zone["clicks"] == 2 && zone["where"] == ["param:zone": "a"])
        #expect(try Self.cost(bench) == ["0.7 USD"])
        let none = try bench.call(
            "POST", "/costs", Self.layer(["cpm": "5", "where": ["param:zone": ["b", .null]]]))
        #expect(none["clicks"] == 2)
        #expect(try Self.cost(bench) == ["0.21 USD"])
        try bench.call("DELETE", "/costs/2")
        #expect(try Self.cost(bench) == ["0.51 USD"])
        try bench.call("POST", "/costs/2/restore")
        #expect(try Self.cost(bench) == ["0.21 USD"], "in its place again")
        let offer = try bench.call(
            "POST", "/costs", Self.layer(["total": "9", "where": ["offer": "fit"]]))
        #expect(offer["clicks"] == 4)
        #expect(try Self.cost(bench) == ["9 USD"])
        let nobody = try bench.call(
            "POST", "/costs", Self.layer(["cpc": "9", "where": ["offer": "other"]]))
        #expect(nobody["clicks"] == 0)
        #expect(try Self.cost(bench) == ["9 USD"])
    }

    @Test func `what conversions cost is a part of what a layer tells`() throws {
        let bench = try EntityTests.bench()
        let price = ConversionCost.fixed(
            Money(nanos: 3_000_000_000, currency: .usDollar), [.approved])
        for (sequence, zone) in ["a", "b"].enumerated() {
            let click = try bench.click(
                at: Self.at(0, 5), sequence: sequence, costNanos: 0,
                parameters: [(name: "zone", value: Array(zone.utf8))])
            try bench.convert(click, costRule: price)
        }
        #expect(try Self.cost(bench) == ["6 USD"])
        try bench.call("POST", "/costs", Self.layer(["cpc": "1", "where": ["var1": "a"]]))
        #expect(try Self.cost(bench) == ["4 USD"])
        try bench.call("POST", "/costs", Self.layer(["total": "0"]))
        #expect(try Self.cost(bench) == ["0 USD"])
        try bench.call("DELETE", "/costs/1")
        try bench.call("DELETE", "/costs/2")
        #expect(try Self.cost(bench) == ["6 USD"])
    }

    @Test func `days are those of the zone that is named`() throws {
        let bench = try EntityTests.bench()
        try bench.click(at: Self.at(-1, 22, 59))
        for (sequence, hour) in [23, 46].enumerated() {
            try bench.click(at: Self.at(-1, hour), sequence: sequence)
        }
        try bench.click(at: Self.at(0, 23))
        let made = try bench.call(
            "POST", "/costs", Self.layer(["total": "1", "time_zone": "+01:00"]))
        #expect(made["clicks"] == 2)
        #expect(made["range"]?["from"] == .string(Self.at(-1, 23).rfc3339))
        #expect(made["time_zone"] == "+01:00")
    }

    @Test func `a total is not dealt out anew over what retention leaves`() throws {
        let bench = try EntityTests.bench()
        for sequence in 0..<3 { try bench.click(at: Self.at(0, 5), sequence: sequence) }
        try bench.click(at: Self.at(1, 5))
        try bench.call("POST", "/costs", Self.layer(["total": "4", "to": "2026-11-20"]))
        // One that came late, from a disk that was full.
        try bench.click(at: Self.at(0, 6))
        #expect(try Self.cost(bench) == ["4 USD"])
        let unnoted = try bench.read { (reader) throws(StoreError) in
            try CampaignReport.unnotedClicks(reader, at: Self.at(2, 1))
        }
        #expect(unnoted == [1: [Self.day: 4]])
        try bench.write { (transaction) throws(StoreError) in
            for (id, clicks) in unnoted { try transaction.noteClicks(clicks, ofCostLayer: id) }
        }
        let again = try bench.read { (reader) throws(StoreError) in
            try CampaignReport.unnotedClicks(reader, at: Self.at(2, 1))
        }
        #expect(again.isEmpty)
        try FileManager.default.removeItem(atPath: bench.directory.clickFilePath(Self.day))
        #expect(try Self.cost(bench) == ["0.8 USD"])
    }

    @Test(
        arguments: [
            (["total": "1", "campaign": "winter"], "campaign"), (["total": "-1"], "total"),
            ([:], "total"), (["total": "1", "cpc": "1"], "total"), (["cpc": "x"], "cpc"),
            (["cpc": "1", "from": "2026-11-31"], "from"), (["cpc": "1", "from": .null], "from"),
            (["cpc": "1", "from": "2025-12-31"], "from"),
            (["cpc": "1", "from": "2026-11-18T00:01:00Z"], "from"),
            (["cpc": "1", "from": "2026-11-18T00:00:00Z"], "to"),
            (["cpc": "1", "to": "2026-11-17"], "to"), (["cpc": "1", "to": "2028-01-01"], "to"),
            (["cpc": "1", "time_zone": "+00:10"], "time_zone"),
            (["cpc": "1", "currency": "EURO"], "currency"),
            (["cpc": "1", "where": ["country": "US"]], "where.country"),
            (["cpc": "1", "where": ["var21": "1"]], "where.var21"),
            (["cpc": "1", "where": ["var1": []]], "where.var1"),
            (["cpc": "1", "where": ["var1": ["a": 1]]], "where.var1"),
            (["cpc": "1", "where": ["var1": "a", "param:zone": "b"]], "where.param:zone"),
            (["cpc": "1", "where": "var1=a"], "where"), (["cpc": "1", "notes": "a"], "notes"),
        ] as [(JSONValue, String)])
    func `a layer that means nothing is refused by its field`(change: JSONValue, field: String)
        throws
    {
        let bench = try EntityTests.bench()
        let answer = try bench.call("POST", "/costs", Self.layer(changedBy: change))
        #expect(answer.status == 422 && answer.fields == [field], "\(answer.json.encoded())")
        // Of several, none is kept when one is wrong.
        let both = try bench.call(
            "POST", "/costs", [Self.layer(["cpc": "1"]), Self.layer(changedBy: change)])
        #expect(both.status == 422 && both.fields == ["[1].\(field)"])
        #expect(try bench.call("GET", "/costs?removed=1").items == [])
    }

    @Test func `a layer that was read may be added again`() throws {
        let bench = try EntityTests.bench()
        let made = try bench.call(
            "POST", "/costs",
            Self.layer([
                "cpm": "1.5", "where": ["var2": ["1", "2"], "offer": "fit"], "note": "n",
                "to": "2026-11-19T12:00:00+01:00",
            ]))
        #expect(made.status == 201, "\(made.json.encoded())")
        let shown = try bench.call("GET", "/costs/1")
        #expect(shown.json == made.json)
        let again = try bench.call("POST", "/costs", [shown.json])
        #expect(again.status == 201)
        let second = try #require(again.json.arrayValue?.first)
        #expect(second["id"] == 2 && second["where"] == made["where"])
        #expect(second["range"] == made["range"])
    }

    /// One click of a random world, and what the layers should make of it.
    private struct Visit {
        let rowID: ClickRowID
        let zone: String
        let cost: Int64?
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `every breakdown of random layers adds up to what was entered`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let bench = try EntityTests.bench()
        let visits = try Self.visits(bench, using: &random)
        let before = try bench.call(
            "GET", "/report?from=\(Self.day.text)&to=\(Self.day.advanced(by: 3).text)")
        var layers: [CostLayer] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let document = Self.randomLayer(using: &random)
            let made = try bench.call("POST", "/costs", document)
            #expect(made.status == 201, "\(made.json.encoded())")
            layers.append(
                try CostLayer(document: document) { _ in
                    CostLayer.Defaults(currency: .usDollar, variables: [1: "zone"])
                })
            #expect(
                made["clicks"]
                    == .integer(visits.filter { Self.isAbout($0, layers.last) }.count))
            if Bool.random(using: &random) {
                let id = layers.count
                let report = "/report?from=\(Self.day.text)&to=\(Self.day.advanced(by: 3).text)"
                let with = try bench.call("GET", report)
                try bench.call("DELETE", "/costs/\(id)")
                try bench.call("POST", "/costs/\(id)/restore")
                #expect(try bench.call("GET", report).json == with.json)
            }
        }
        let costs = Self.costs(visits, layers)
        // Every part of a random partition, and all of it.
        var cuts = (0..<6).map { _ in Int.random(in: 1..<(4 * 96), using: &random) }
        cuts = [0] + Set(cuts).sorted() + [4 * 96]
        var sum: Int128 = 0
        for (start, end) in zip(cuts, cuts.dropFirst()) + [(0, 4 * 96)] {
            let from = Self.at(0, 0, start * 15)
            let to = Self.at(0, 0, end * 15)
            let report = try bench.call("GET", "/report?from=\(from.rfc3339)&to=\(to.rfc3339)")
            let amount = report["totals"]?["amounts"]?.arrayValue?.first?["cost"]?["amount"]
            let inside = zip(visits, costs).filter {
                from <= $0.0.rowID.instant && $0.0.rowID.instant < to
            }
            let expected =
                inside.reduce(Int128(0)) { $0 + $1.1 }
                + Self.withoutClicks(visits, layers, from: from, to: to)
            #expect((amount?.stringValue ?? "0") == Amount.format(expected), "\(from) to \(to)")
            if start != 0 || end != 4 * 96 { sum += expected }
        }
        let idle = Self.withoutClicks(visits, layers, from: Self.at(0, 0), to: Self.at(4, 0))
        #expect(sum == costs.reduce(0, +) + idle)
        // The newest is covered by nobody: all that was entered is there.
        if case .total(let nanos)? = layers.last?.charge {
            let about = zip(visits, costs).filter { Self.isAbout($0.0, layers.last) }
            #expect(about.isEmpty || about.reduce(Int128(0)) { $0 + $1.1 } == Int128(nanos))
        }
        for id in 1...layers.count { try bench.call("DELETE", "/costs/\(id)") }
        #expect(
            try bench.call(
                "GET", "/report?from=\(Self.day.text)&to=\(Self.day.advanced(by: 3).text)"
            ).json == before.json)
    }

    private static func visits(_ bench: Bench, using random: inout SeededRandom) throws -> [Visit] {
        var visits: [Visit] = []
        for sequence in 0..<40 {
            let instant = at(0, 0, Int.random(in: 0..<(4 * 24 * 60), using: &random))
            let zone = ["", "a", "b", "c"].randomElement(using: &random) ?? ""
            let cost = Int.random(in: 0..<4, using: &random) == 0 ? nil : 12_000_001 as Int64
            let identity = try bench.click(
                at: instant, sequence: sequence, costNanos: cost,
                parameters: zone.isEmpty ? [] : [(name: "zone", value: Array(zone.utf8))])
            visits.append(Visit(rowID: identity.rowID, zone: zone, cost: cost))
        }
        return visits.sorted { $0.rowID < $1.rowID }
    }

    private static func randomLayer(using random: inout SeededRandom) -> JSONValue {
        let start = Int.random(in: 0..<(3 * 96), using: &random)
        let end = Int.random(in: (start + 1)...(4 * 96), using: &random)
        let amount = JSONValue.string(
            Amount.format(Int64.random(in: 0...5_000_000_000, using: &random)))
        let zones: JSONValue =
            [[:], [:], ["var1": "a"], ["var1": ["b", "c"]], ["param:zone": .null]]
            .randomElement(using: &random) ?? [:]
        return [
            "campaign": "summer", "from": .string(at(0, 0, start * 15).rfc3339),
            "to": .string(at(0, 0, end * 15).rfc3339), "where": zones,
            ["total", "total", "cpc", "cpm"].randomElement(using: &random) ?? "total": amount,
        ]
    }

    private static func isAbout(_ visit: Visit, _ layer: CostLayer?) -> Bool {
        guard let layer, layer.from.start <= visit.rowID.instant,
            visit.rowID.instant < layer.to.start
        else { return false }
        return layer.filter.tests.allSatisfy { $0.values.contains(Array(visit.zone.utf8)) }
    }

    /// Totals of layers that are about no click, where no newer one tells of all clicks there.
    private static func withoutClicks(
        _ visits: [Visit], _ layers: [CostLayer], from: Instant, to: Instant
    ) -> Int128 {
        var sum: Int128 = 0
        for (place, layer) in layers.enumerated() {
            let isIdle = !visits.contains { isAbout($0, layer) }
            let isCovered = layers.dropFirst(place + 1).contains {
                ($0.filter.tests.isEmpty || $0.filter == layer.filter) && $0.from <= layer.from
                    && layer.from < $0.to
            }
            if isIdle, !isCovered, from <= layer.from.start, layer.from.start < to,
                case .total(let nanos) = layer.charge
            {
                sum += Int128(nanos)
            }
        }
        return sum
    }

    /// By the definition: each layer by itself, then the newest of those about a click.
    private static func costs(_ visits: [Visit], _ layers: [CostLayer]) -> [Int128] {
        var costs = visits.map { Int128($0.cost ?? 0) }
        for layer in layers {
            let about = visits.indices.filter { isAbout(visits[$0], layer) }
            let shares = layer.shares(ofClicks: Int64(about.count))
            for (order, index) in about.enumerated() {
                costs[index] = shares.sum(of: Int64(order)..<Int64(order + 1))
            }
        }
        return costs
    }
}
