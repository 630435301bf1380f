import Foundation
import TestSupport
import Testing

/// Every traffic source of the catalogue: made from its template, then told of a conversion.
@Suite struct SourceTemplateTests {
    /// Stands in for the platforms' token endpoints.
    private let tokens: FakeTrafficSource

    init() throws {
        tokens = try FakeTrafficSource { _, _ in
            .init(200, body: #"{"access_token":"acc3ss","expires_in":3600}"#)
        }
    }

    private static func catalogue() throws -> [JSON] {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/Admin/Templates/traffic-sources.json")
        return try JSON(parsing: String(decoding: Data(contentsOf: file), as: UTF8.self)).array
    }

    /// Makes the source with all account values, and points its call at the fake receiver.
    private func makeSource(_ entry: JSON, _ chain: Chain) throws {
        let key = entry["key"].string ?? ""
        var account: [String: JSON] = [:]
        for name in entry["postback"]["needs"].object.keys {
            account[name] = name.hasSuffix("_ID") ? "4711" : .string("v&\(name)")
        }
        let made = try chain.tracker.call(
            "POST", "/sources",
            ["template": .string(key), "account": .object(account), "key": .string("s_" + key)])
        #expect(made["account_needs"].object.isEmpty, "\(key)")
        var destinations: [JSON] = []
        for var destination in made["destinations"].array {
            #expect(destination["enabled"] == true, "\(key)")
            let url = destination["url"].string ?? ""
            let path = url.split(separator: "/", maxSplits: 2)[1...].last ?? ""
            destination["url"] = .string("\(chain.source.url)/\(key)/\(path)")
            destination["allow_private"] = true
            if !destination["oauth"].isNull {
                var oauth = destination["oauth"]
                oauth["token_url"] = .string(tokens.url + "/token")
                // Those that are kept are sent to Google only.
                oauth["client_secret"] = "s"
                oauth["refresh_token"] = "r"
                destination["oauth"] = oauth
            }
            destinations.append(destination)
        }
        try chain.tracker.call(
            "PATCH", "/sources/s_\(key)",
            ["destinations": .array(destinations), "external_id_param": "ext"])
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": .string("c_" + key), "source": .string("s_" + key),
                "flow": ["paths": [["offers": [["offer": "fit"]]]]],
            ])
    }

    @Test func `every template's call arrives complete`() throws {
        let chain = try Chain.start()
        let entries = try Self.catalogue()
        let callable = entries.filter { !$0["postback"].isNull }
        #expect(entries.count >= 67 && callable.count >= 62)
        for entry in callable { try makeSource(entry, chain) }
        for entry in callable {
            let key = entry["key"].string ?? ""
            let visit = try chain.visit("ext=E-\(key)", campaign: "c_" + key)
            _ = try chain.network.call("cid=\(visit.clickID)&payout=12.50&txid=T-\(key)")
        }
        try chain.source.await(callable.count)
        for call in chain.source.received {
            let key = String(call.target.split(separator: "/")[0])
            let entry = try #require(callable.first { $0["key"].string == key })
            #expect(call.method == entry["postback"]["method"].string)
            let whole = call.target + call.text
            #expect(whole.contains("E-\(key)"), "\(key): \(whole)")
            for mark in ["<", ">"] {
                #expect(!call.target.contains(mark) && !call.text.contains(mark), "\(key)")
            }
            // Our own tokens: what is left of braces is the JSON's.
            #expect(!call.target.contains("{"), "\(key): \(call.target)")
            #expect(!call.text.contains("\"{") && !call.text.contains("}\""), "\(key)")
            if entry["postback"]["body"].isNull {
                #expect(call.text.isEmpty)
            } else if key != "yandex_direct" {
                let body = try JSON(parsing: call.text)
                Self.checkNumbers(entry["postback"]["body"], body, key)
            }
        }
    }

    /// Wherever the template says `{…:number}` the body has a number.
    private static func checkNumbers(_ template: JSON, _ sent: JSON, _ key: String) {
        for (name, value) in template.object { checkNumbers(value, sent[name], key) }
        for (index, value) in template.array.enumerated() {
            checkNumbers(value, sent[index], key)
        }
        if let text = template.string, text.hasSuffix(":number}") || text.hasSuffix(":number>") {
            #expect(sent.text.first?.isNumber == true, "\(key): \(text) was sent as \(sent)")
        }
    }

    @Test func `the calls of well-known platforms are these`() throws {
        let chain = try Chain.start()
        let entries = try Self.catalogue()
        func call(_ key: String) throws -> RecordedRequest {
            try makeSource(try #require(entries.first { $0["key"].string == key }), chain)
            let visit = try chain.visit("ext=abc", campaign: "c_" + key)
            let count = chain.source.count
            _ = try chain.network.call(
                "cid=\(visit.clickID)&payout=12.50&currency=EUR&txid=T1&event=sale")
            return try chain.source.await(count + 1)[count]
        }
        #expect(
            try call("propellerads").target
                == "/propellerads/conversion.php?aid=v%26AID&pid=&tid=v%26TID"
                + "&visitor_id=abc&payout=12.5")
        #expect(
            try call("taboola").target
                == "/taboola/actions-handler/log/3/s2s-action?click-id=abc"
                + "&name=v%26EVENT_NAME&revenue=12.5&currency=EUR&orderid=T1")
        #expect(
            try call("outbrain").target
                == "/outbrain/unifiedPixel?ob_click_id=abc&name=v%26EVENT_NAME"
                + "&orderValue=12.5&currency=EUR&orderId=T1")

        let meta = try call("meta")
        #expect(
            meta.target
                == "/meta/v24.0/4711/events?access_token=v%26ACCESS_TOKEN")
        let event = try JSON(parsing: meta.text)["data"][0]
        #expect(event["event_time"].int ?? 0 > 1_700_000_000)
        #expect(event["custom_data"]["value"] == .double(12.5))
        #expect(event["user_data"]["fbc"].string?.hasPrefix("fb.1.") == true)
        #expect(event["user_data"]["fbc"].string?.hasSuffix(".abc") == true)
        #expect(event["user_data"]["external_id"][0].string?.utf8.count == 64)

        let tiktok = try call("tiktok")
        #expect(tiktok.fields["access-token"] == "v&ACCESS_TOKEN")
        let data = try JSON(parsing: tiktok.text)["data"][0]
        #expect(data["user"]["ttclid"] == "abc" && data["properties"]["order_id"] == "T1")
        #expect(data["properties"]["value"] == .double(12.5))

        let google = try call("google_ads")
        #expect(google.target.hasSuffix("/v22/customers/4711:uploadClickConversions"))
        #expect(google.fields["authorization"] == "Bearer acc3ss")
        let upload = try JSON(parsing: google.text)["conversions"][0]
        #expect(upload["gclid"] == "abc" && upload["conversionValue"] == .double(12.5))
        #expect(upload["conversionAction"] == "customers/4711/conversionActions/4711")
        #expect(upload["conversionDateTime"].string?.hasSuffix("+00:00") == true)

        // Sent, but not shown.
        let shown = try chain.tracker.call("GET", "/deliveries").text
        #expect(shown.contains("?access_token=<ACCESS_TOKEN>"))
        #expect(shown.contains(#""Access-Token":"<ACCESS_TOKEN>""#))
        #expect(!shown.contains("v&ACCESS_TOKEN") && !shown.contains("v%26ACCESS_TOKEN"))
        #expect(!shown.contains("v&DEVELOPER_TOKEN"))

        let microsoft = try JSON(parsing: try call("microsoft_ads").text)["data"][0]
        #expect(microsoft["userData"]["msclkid"] == "abc")
        #expect(microsoft["eventTime"].int != nil)

        let pinterest = try JSON(parsing: try call("pinterest").text)["data"][0]
        #expect(pinterest["custom_data"]["value"] == "12.5")

        let x = try JSON(parsing: try call("x").text)["conversions"][0]
        #expect(x["value"] == "12.50" && x["identifiers"][0]["twclid"] == "abc")

        let yandex = try call("yandex_direct")
        let type = yandex.fields["content-type"] ?? ""
        let boundary = try #require(type.split(separator: "=").last.map(String.init))
        let lines = yandex.text.components(separatedBy: "\r\n")
        #expect(type.hasPrefix("multipart/form-data; boundary="))
        #expect(lines.first == "--\(boundary)" && lines.contains("--\(boundary)--"))
        #expect(yandex.text.contains("Yclid,Target,DateTime,Price,Currency\nabc,4711,1"))
        #expect(yandex.text.contains(",12.5,EUR\n"))
    }

    /// Platforms that answer 200 to a call that they refuse.
    @Test(arguments: [
        ("tiktok", #"{"code":40002,"message":"Invalid"}"#, #"{"code":0,"message":"OK"}"#),
        ("bigo_ads", #"{"code":0}"#, #"{"code":1}"#),
        ("evadav", #"{"status":"error","message":"x"}"#, "OK"),
        (
            "google_ads", #"{"partialFailureError":{"code":3,"message":"Too old"},"results":[{}]}"#,
            #"{"results":[{"gclid":"abc"}]}"#
        ),
    ])
    func `a refusal with status 200 is told from a success`(
        key: String, refusal: String, success: String
    ) throws {
        let chain = try Chain.start(answer: { _, before in
            .init(200, body: before == 0 ? refusal : success)
        })
        let entry = try #require(try Self.catalogue().first { $0["key"].string == key })
        try makeSource(entry, chain)
        let visit = try chain.visit("ext=abc", campaign: "c_" + key)
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1&txid=1")
        let refused = try chain.delivery(of: visit.clickID, "was tried") {
            Chain.attempts(of: $0) == 1
        }
        #expect(refused["state"] == "waiting" && refused["attempts"][0]["status"] == 200)
        #expect(refused["attempts"][0]["error"].string?.hasPrefix("answered 200 with") == true)
        try chain.tracker.call("POST", "/deliveries/\(refused["id"].int ?? 0)/retry")
        _ = try chain.delivery(of: visit.clickID, "is delivered") { $0["state"] == "delivered" }
    }

    @Test func `a visitor's value adds no line to an uploaded table`() throws {
        let chain = try Chain.start()
        let entry = try #require(
            try Self.catalogue().first { $0["key"].string == "yandex_direct" })
        try makeSource(entry, chain)
        let visit = try chain.visit("ext=a%2Cb%0D%0Ac", campaign: "c_yandex_direct")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let text = try chain.source.await(1)[0].text
        #expect(text.contains("\na%2Cb") && !text.contains("a,b") && !text.contains("\nc,"))
    }

    @Test func `the command line says what is missing, then enables the call`() throws {
        let tracker = try TrackerProcess.start(
            .init(environment: ["CLICKRELAY_PUBLIC_URL": "https://t.example"]))
        let query =
            "?visitor_id=${SUBID}&cost={cost}&zoneid={zoneid}&campaignid={campaignid}"
            + "&bannerid={bannerid}\n"
        let first = try tracker.command(
            "source", "apply", "--template", "propellerads", "--set", "AID=17", "--name", "Prop")
        #expect(first.exitCode == 0, "\(first.error)")
        #expect(first.output == "created propellerads\n" + query)
        #expect(first.error.contains("needs: TID: tracker id in the same URL"))
        #expect(!first.error.contains("needs: AID") && first.error.contains("is disabled until"))
        let waiting = try tracker.call("GET", "/sources/propellerads")
        #expect(waiting["destinations"][0]["enabled"] == false)
        #expect(
            waiting["destinations"][0]["url"].string?.contains("aid=17&pid=&tid=<TID>") == true)

        let second = try tracker.command(
            "source", "apply", "--template", "propellerads", "--set", "TID=a b")
        #expect(second.exitCode == 0, "\(second.error)")
        #expect(second.output == "updated propellerads\n" + query)
        #expect(!second.error.contains("needs: "))
        let ready = try tracker.call("GET", "/sources/propellerads")
        #expect(ready["name"] == "Prop" && ready["destinations"][0]["enabled"] == true)
        #expect(ready["destinations"][0]["url"].string?.contains("aid=17&pid=&tid=a%20b") == true)
        let again = try tracker.command("source", "apply", "--template", "propellerads")
        #expect(again.output == "unchanged propellerads\n" + query)

        let wrong = try tracker.command(
            "source", "apply", "--template", "propellerads", "--set", "ADI=1")
        #expect(wrong.exitCode == 4 && wrong.error.contains("did you mean \"AID\"?"))
        let unknown = try tracker.command("source", "apply", "--template", "propelerads")
        #expect(unknown.exitCode == 4 && unknown.error.contains("\"propellerads\""))
        let malformed = try tracker.command(
            "source", "apply", "--template", "meta", "--set", "PIXEL_ID")
        #expect(malformed.exitCode == 2)
        let doubtful = try tracker.command("source", "apply", "--template", "zeropark")
        #expect(doubtful.exitCode == 0 && doubtful.error.contains("not all of this template"))
        let list = try tracker.command("source", "templates")
        #expect(list.exitCode == 0 && list.output.contains("\npropellerads "))
        #expect(try tracker.command("source", "templates", "meta").output.contains("fbclid"))
    }
}
