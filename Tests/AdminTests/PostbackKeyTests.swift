import Domain
import Store
import Testing

@Suite struct PostbackKeyTests {
    @Test func `a key is exchanged, with both valid in between`() throws {
        let bench = try EntityTests.bench()
        let old = try #require(bench.call("GET", "/networks/net")["postback_key"]?.stringValue)
        #expect(try bench.call("DELETE", "/networks/net/postback-keys/\(old)").status == 409)
        let made = try bench.call("POST", "/networks/net/postback-keys")
        let new = try #require(made["key"]?.stringValue)
        #expect(made.status == 201 && new != old)
        #expect(made["url"] == .string("https://t.example/postback/\(new)"))
        #expect(try bench.call("POST", "/networks/net/postback-keys").status == 409)

        let network = try bench.call("GET", "/networks/net")
        #expect(network["postback_key"] == .string(new))
        #expect(network["postback_url"] == made["url"])
        let keys = network["postback_keys"]?.arrayValue ?? []
        #expect(keys.compactMap { $0["key"]?.stringValue } == [old, new])
        #expect(Set(bench.ledger.catalog.networkByPostbackKey.keys) == [old, new])

        #expect(try bench.call("DELETE", "/networks/net/postback-keys/\(old)").status == 200)
        #expect(Set(bench.ledger.catalog.networkByPostbackKey.keys) == [new])
        #expect(try bench.call("DELETE", "/networks/net/postback-keys/\(old)").status == 404)
        #expect(try bench.call("DELETE", "/networks/net/postback-keys/\(new)").status == 409)
        #expect(try bench.call("POST", "/networks/other/postback-keys").status == 404)
        #expect(try bench.call("POST", "/networks/net/postback-keys").status == 201)
    }

    @Test func `a signature's secret is never shown, and stays when it is not named`() throws {
        let bench = try EntityTests.bench()
        let signed = try bench.call(
            "PATCH", "/networks/net", ["signature": ["secret": "s3cret", "parameter": "h"]])
        #expect(signed.status == 200)
        let shown = try bench.call("GET", "/networks/net")
        for answer in [signed, shown, try bench.call("GET", "/networks")] {
            #expect(!answer.json.encoded().contains("s3cret"))
        }
        #expect(
            shown["signature"]?["secret_set"] == true && shown["signature"]?["parameter"] == "h")
        func secret() -> String? {
            bench.ledger.catalog.networks.all.first?.value.signature?.secret
        }
        #expect(try bench.call("PUT", "/networks/net", shown.json).json == shown.json)
        #expect(secret() == "s3cret")
        try bench.call("PATCH", "/networks/net", ["signature": ["window_seconds": 60]])
        #expect(secret() == "s3cret")
        try bench.call("PATCH", "/networks/net", ["signature": ["secret": "other"]])
        #expect(secret() == "other")
        try bench.call("PATCH", "/networks/net", ["signature": .null])
        #expect(secret() == nil)
        let nothing = try bench.call("PUT", "/networks/net", shown.json)
        #expect(nothing.fields == ["signature.secret"])
    }

    @Test func `a conversion is shown as it was known at a time`() throws {
        let bench = try EntityTests.bench()
        let click = try bench.click()
        let start = bench.clock.now
        try bench.convert(click, status: .pending, payoutNanos: 0, transactionID: "t")
        bench.clock.now = start.advanced(by: .seconds(10))
        try bench.revise(click, "t", to: .approved)
        bench.clock.now = start.advanced(by: .seconds(20))
        try bench.revise(click, "t", to: .chargeback)

        func known(_ seconds: Int64) throws -> Bench.Answer {
            let at = start.advanced(by: .seconds(seconds)).rfc3339
            return try bench.call("GET", "/conversions/cv1?at=\(at)")
        }
        for (seconds, status, count) in [
            (0, "pending", 1), (9, "pending", 1), (10, "approved", 2), (19, "approved", 2),
            (20, "chargeback", 3), (99, "chargeback", 3),
        ] as [(Int64, String, Int)] {
            let answer = try known(seconds)
            #expect(answer["status"]?.stringValue == status, "\(seconds)")
            #expect(answer["revision"] == .integer(count))
            #expect(answer["revisions"]?.arrayValue?.count == count)
        }
        #expect(try known(-1).status == 404)
        #expect(try bench.call("GET", "/conversions/cv1?at=today").fields == ["at"])
    }
}
