import Domain
import Foundation
import TestSupport
import Testing

@Suite struct NetworkTemplateTests {
    /// The catalogue as its file has it.
    private static let entries: [JSON] = {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/Admin/Templates/affiliate-networks.json")
        // Without it `every entry loads` fails.
        return (try? JSON(parsing: String(decoding: Data(contentsOf: file), as: UTF8.self)).array)
            ?? []
    }()

    @Test func `every entry loads`() throws {
        let bench = try Bench()
        let list = try bench.call("GET", "/templates/networks?limit=1000")
        #expect(Self.entries.count >= 87 && list.items.count == Self.entries.count)
        #expect(list["next_cursor"] == .null)
        for (item, entry) in zip(list.items, Self.entries) {
            #expect(item["key"]?.stringValue == entry["key"].string)
            let tokens = entry["tokens"].object.filter { !$0.value.isNull }
            #expect(item["tokens"]?.objectValue?.count == tokens.count)
            for (meaning, token) in tokens {
                #expect(item["tokens"]?[meaning]?.stringValue == token.string)
            }
            #expect(item["status_map"]?.objectValue?.count == entry["status_values"].object.count)
            if let notes = entry["notes"].string {
                #expect(item["postback_notes"]?.arrayValue?.last?.stringValue == notes)
            }
        }
    }

    @Test func `the list has pages, and each entry its own address`() throws {
        let bench = try Bench()
        var keys: [String] = []
        var target: String? = "/templates/networks?limit=40"
        while let next = target {
            let page = try bench.call("GET", next)
            keys += page.items.compactMap { $0["key"]?.stringValue }
            target = page["next_cursor"]?.stringValue.map {
                "/templates/networks?limit=40&cursor=\($0)"
            }
        }
        #expect(keys == Self.entries.compactMap { $0["key"].string })
        let one = try bench.call("GET", "/templates/networks/mylead")
        #expect(one.status == 200 && one["click_id_param"] == "ml_sub1")
        let missing = try bench.call("GET", "/templates/networks/myled")
        #expect(missing.status == 404)
        #expect(missing["detail"]?.stringValue?.contains("\"mylead\"") == true)
        #expect(try bench.call("POST", "/templates/networks", [:]).status == 405)
        #expect(try bench.call("GET", "/templates/networks?cursor=99999").items.isEmpty)
    }

    @Test func `a network from a template has its settings and its tokens`() throws {
        let bench = try Bench()
        let made = try bench.call("POST", "/networks", ["template": "mylead"])
        #expect(made.status == 201 && made["key"] == "mylead" && made["name"] == "MyLead")
        #expect(made["template"] == "mylead" && made["click_id_param"] == "ml_sub1")
        #expect(made["status_map"]?["pre_approved"] == "pending")
        let key = try #require(made["postback_key"]?.stringValue)
        #expect(
            made["postback_url"]?.stringValue
                == "https://t.example/postback/\(key)?cid=[ml_sub1]&payout=[payout_decimal]"
                + "&currency=[currency]&status=[status]&txid=[transaction_id]")
        #expect(made["postback_notes"]?.arrayValue?.count == 1)
        let shown = try bench.call("GET", "/networks/mylead")
        #expect(shown.json == made.json)
        // What was read back replaces, and changes nothing.
        let put = try bench.call("PUT", "/networks/mylead", shown.json)
        #expect(put.status == 200 && put.json == made.json)
    }

    @Test func `what the document says itself wins, null included`() throws {
        let bench = try Bench()
        let made = try bench.call(
            "PUT", "/networks/mine",
            [
                "template": "affise", "name": "Mine", "click_id_param": nil,
                "status_map": ["1": "pending"], "currency": "EUR",
            ])
        #expect(made.status == 201 && made["key"] == "mine" && made["name"] == "Mine")
        #expect(made["click_id_param"] == .null && made["currency"] == "EUR")
        #expect(made["status_map"] == ["1": "pending"] && made["template"] == "affise")
        // A second PUT is the whole document: what it leaves out is the template's again.
        let again = try bench.call("PUT", "/networks/mine", ["template": "affise"])
        #expect(again.status == 200 && again["click_id_param"] == "sub1")
        #expect(again["status_map"]?.objectValue?.count == 4 && again["currency"] == "USD")
        #expect(again["postback_key"] == made["postback_key"])
    }

    @Test func `a patch leaves a template's network alone unless it names another`() throws {
        let bench = try Bench()
        try bench.call(
            "POST", "/networks", ["template": "affise", "key": "n", "reply": "OK"])
        let edited = try bench.call(
            "PATCH", "/networks/n", ["template": "affise", "status_map": ["5": nil]])
        #expect(edited["status_map"]?.objectValue?.count == 3)
        let moved = try bench.call(
            "PATCH", "/networks/n", ["template": "jvzoo", "status_map": ["bill": "approved"]])
        #expect(moved["name"] == "Affise (any network on the platform)" && moved["reply"] == "OK")
        #expect(moved["parameters"]?["cid"] == ["caffitid"])
        #expect(
            moved["status_map"]
                == ["bill": "approved", "rfnd": "chargeback", "sale": "approved"])
        let key = try #require(moved["postback_key"]?.stringValue)
        #expect(moved["postback_url"] == .string("https://t.example/postback/\(key)"))
        let plain = try bench.call("PATCH", "/networks/n", ["template": nil])
        #expect(plain["template"] == .null && plain["parameters"]?["cid"] == ["caffitid"])
        #expect(plain["postback_notes"] == [])
    }

    @Test func `an unknown template is refused with the nearest name`() throws {
        let bench = try Bench()
        try bench.call("POST", "/networks", ["key": "there"])
        for (method, path, body) in [
            ("POST", "/networks", ["key": "n", "template": "myled"]),
            ("PUT", "/networks/n", ["template": "myled"]),
            ("PATCH", "/networks/there", ["template": "myled"]),
        ] as [(String, String, JSONValue)] {
            let answer = try bench.call(method, path, body)
            #expect(answer.status == 422 && answer.fields == ["template"])
            #expect(answer["detail"]?.stringValue?.contains("\"mylead\"") == true)
        }
        let both = try bench.call("POST", "/networks", ["template": "myled", "currency": "XXQ"])
        #expect(Set(both.fields) == ["key", "currency", "template"])
        let number = try bench.call("POST", "/networks", ["key": "n", "template": 7])
        #expect(number.status == 422 && number.fields == ["template"])
    }
}
