import Foundation
import TestSupport
import Testing

/// Where visitors come from, as rules, offers, destinations, journeys and reports tell it.
@Suite struct PlaceTests {
    private static func path(_ offer: String) -> JSON { ["offers": [["offer": .string(offer)]]] }

    private static func offer(_ key: String) -> JSON {
        [
            "key": .string(key), "network": "net",
            "url": .string(
                "https://\(key).example/?s2={click_id}&c={country}&r={region}&t={city}&i={isp}"),
        ]
    }

    /// A chain behind a proxy whose `X-Forwarded-For` says who visits.
    private static func start(
        rules: [JSON], _ change: (inout Chain.Setup) -> Void = { _ in }
    ) throws -> Chain {
        try Chain.start {
            $0.options.arguments = ["--trusted-proxies", "127.0.0.1"]
            $0.moreOffers = ["us", "eu", "rest"].map(offer)
            $0.campaign["flow"] = ["rules": .array(rules), "paths": [path("rest")]]
            change(&$0)
        }
    }

    private static func install(_ writers: MaxMindWriter..., to chain: Chain) throws {
        for writer in writers {
            let file = chain.tracker.directory.file("new.mmdb")
            try Data(writer.bytes()).write(to: URL(fileURLWithPath: file))
            let result = try chain.tracker.command("geo", "update", file)
            #expect(result.exitCode == 0, "\(result.error)")
        }
    }

    private static func visit(_ chain: Chain, from address: String) throws -> Chain.Visit {
        try Chain.visit(
            chain.tracker.get("/c/summer?subid=E", fields: ["X-Forwarded-For": address]))
    }

    private static func host(_ visit: Chain.Visit) -> String? {
        URL(string: visit.location)?.host.map { String($0.dropLast(".example".count)) }
    }

    @Test func `visitors are routed by country once a file is there, and by the next file at once`()
        throws
    {
        let chain = try Self.start(rules: [
            ["when": ["country": ["us", "CA"]], "paths": [Self.path("us")]],
            ["when": ["country": ["not_in": ["US"]]], "paths": [Self.path("eu")]],
        ])
        let (angeles, berlin, unknown) = ("198.51.100.9", "203.0.113.9", "192.0.2.200")
        // Without a file nobody is anywhere, nor is anybody not in the US.
        for address in [angeles, berlin, unknown] {
            #expect(Self.host(try Self.visit(chain, from: address)) == "rest")
        }
        try Self.install(.cities, to: chain)
        #expect(Self.host(try Self.visit(chain, from: angeles)) == "us")
        #expect(Self.host(try Self.visit(chain, from: berlin)) == "eu")
        #expect(Self.host(try Self.visit(chain, from: "2001:db8::7")) == "eu")
        #expect(Self.host(try Self.visit(chain, from: unknown)) == "rest")
        var moved = MaxMindWriter.cities
        moved.add("203.0.113.0/24", MaxMindWriter.city("US"))
        try Self.install(moved, to: chain)
        #expect(Self.host(try Self.visit(chain, from: berlin)) == "us")
        let file = chain.tracker.dataDirectory + "/geo/GeoLite2-City.mmdb"
        try FileManager.default.removeItem(atPath: file)
        chain.tracker.signal(SIGHUP)
        try eventually("nobody is anywhere") {
            Self.host(try Self.visit(chain, from: berlin)) == "rest"
        }
    }

    @Test func `every fact of a place can be asked for`() throws {
        let chain = try Self.start(rules: [
            [
                "when": [
                    "region": "BE", "city": ["starts_with": "ber"],
                    "asn": ["range": [64_000, 64_500]],
                    "isp": ["contains": "example"],
                ], "paths": [Self.path("eu")],
            ],
            ["when": ["country": ["exists": false]], "paths": [Self.path("us")]],
        ])
        try Self.install(.cities, .systems, to: chain)
        #expect(Self.host(try Self.visit(chain, from: "203.0.113.9")) == "eu")
        #expect(Self.host(try Self.visit(chain, from: "198.51.100.9")) == "rest")
        #expect(Self.host(try Self.visit(chain, from: "10.1.2.3")) == "us")
    }

    @Test func `a click keeps its place, and passes it on`() throws {
        let chain = try Self.start(rules: []) {
            $0.destinations = [
                $0.destination("main", "/conv?id={external_id}&geo={country}&isp={isp}&city={city}")
            ]
        }
        try Self.install(.cities, .systems, to: chain)
        let visit = try Self.visit(chain, from: "198.51.100.9")
        #expect(
            visit.location == "https://rest.example/?s2=\(visit.clickID)&c=US&r=CA"
                + "&t=Los%20Angeles&i=Documentation%20Broadband%2C%20Inc")
        // What the files say now is another matter.
        var moved = MaxMindWriter.cities
        moved.add("198.51.100.0/24", MaxMindWriter.city("FR"))
        try Self.install(moved, to: chain)
        let journey = try chain.journey(visit.clickID)
        #expect(journey["country"] == "US" && journey["city"] == "Los Angeles")
        #expect(journey["asn"] == 64_511 && journey["connection_type"].isNull)
        #expect(journey["location"].string == visit.location)
        let trace = try chain.tracker.command("trace", visit.clickID)
        #expect(
            trace.output.contains(
                "from Los Angeles, CA, US  Documentation Broadband, Inc (AS64511)"))
        #expect(try chain.network.call("cid=\(visit.clickID)&payout=5").verdict == "accepted")
        #expect(
            try chain.source.await(1)[0].target
                == "/conv?id=E&geo=US&isp=Documentation%20Broadband%2C%20Inc&city=Los%20Angeles")
        let nowhere = try Self.visit(chain, from: "10.1.2.3")
        #expect(nowhere.location.hasSuffix("&c=&r=&t=&i="))
        #expect(try chain.journey(nowhere.clickID)["country"].isNull)
    }

    @Test func `reports tell places apart`() throws {
        let chain = try Self.start(rules: [])
        try Self.install(.cities, .systems, to: chain)
        var clickID = ""
        for address in ["198.51.100.1", "198.51.100.2", "203.0.113.1", "192.0.2.1", "10.0.0.1"] {
            clickID = try Self.visit(chain, from: address).clickID
            if address == "203.0.113.1" {
                #expect(try chain.network.call("cid=\(clickID)&payout=5").verdict == "accepted")
            }
        }
        let report = try chain.tracker.call("GET", "/report?group=country,city")
        let rows = report["rows"].array.map {
            [$0["country"].string, $0["city"].string, $0["clicks"].text, $0["conversions"].text]
        }
        #expect(
            rows == [
                ["US", "Los Angeles", "2", "0"], ["DE", "Berlin", "1", "1"], [nil, nil, "1", "0"],
                ["JP", nil, "1", "0"],
            ])
        #expect(report["totals"]["clicks"] == 5 && report["totals"]["conversions"] == 1)
        let byNumber = try chain.tracker.command("report", "--group", "asn,device", "--json")
        #expect(byNumber.exitCode == 0, "\(byNumber.error)")
        #expect(try byNumber.json["rows"].array.count == 3)
        #expect(try chain.tracker.terminate() == 0)
        #expect(try chain.tracker.command("check").exitCode == 0)
    }

    @Test func `a rule that names no country is refused with the one that was meant`() throws {
        let chain = try Self.start(rules: [])
        for (value, message) in [
            ("UK" as JSON, "did you mean \"GB\""), ("Germany", "did you mean \"DE\""),
            ("XQ", "such as US"),
            (["in": ["US", "usa"]], "did you mean \"US\""),
        ] {
            let answer = try chain.tracker.api(
                "PATCH", "/campaigns/summer",
                [
                    "flow": [
                        "rules": [["when": ["country": value], "paths": [Self.path("us")]]],
                        "paths": [Self.path("rest")],
                    ]
                ])
            #expect(answer.status == 422, "\(answer.text)")
            let error = try answer.json["errors"][0]
            #expect(error["field"].string?.contains("rules[0].when.country") == true)
            #expect(error["message"].string?.contains("two-letter country code") == true)
            #expect(error["message"].string?.contains(message) == true, "\(answer.text)")
        }
    }
}
