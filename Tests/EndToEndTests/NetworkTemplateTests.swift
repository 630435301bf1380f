import Foundation
import TestSupport
import Testing

/// Every network of the catalogue: made from its template, then heard in its own dialect.
@Suite struct NetworkTemplateTests {
    /// The catalogue that was compiled into the binary.
    private static func catalogue() throws -> [JSON] {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/Admin/Templates/affiliate-networks.json")
        return try JSON(parsing: String(decoding: Data(contentsOf: file), as: UTF8.self)).array
    }

    /// A network's engineer who fills in the tokens of the URL that the operator pasted, or sends
    /// the fields that this network always sends.
    private struct Engineer {
        let entry: JSON
        let postbackURL: String
        let network: FakeNetwork

        private var style: String { entry["token_style"].string ?? "" }

        /// - Parameter values: by the catalogue's meanings.
        func report(_ values: [String: String]) throws -> PostbackAnswer {
            var fields: [(String, String)] = []
            for (meaning, value) in values.sorted(by: { $0.key < $1.key }) {
                if let token = entry["tokens"][meaning].string { fields.append((token, value)) }
            }
            switch style {
            case "(query, fixed names)": return try network.report(fields)
            case "(form body)": return try network.report(fields, as: .form)
            case "(JSON body)":
                // The paths of the only such network have one dot each.
                var document: [String: [String: JSON]] = [:]
                for (path, value) in fields {
                    let parts = path.split(separator: ".").map(String.init)
                    document[parts[0], default: [:]][parts[1]] = .string(value)
                }
                return try PostbackAnswer(
                    network.tracker.post(
                        "/postback/\(network.key)", json: .object(document.mapValues(JSON.object))))
            case "none":
                let names = [
                    "click_id": "cid", "transaction_id": "txid", "payout": "payout",
                    "status": "status",
                ]
                return try network.report(values.map { (names[$0.key] ?? $0.key, $0.value) })
            default: return try network.call(try filledQuery(values))
            }
        }

        /// The URL's query with each token replaced; a word for which there is no token is written
        /// into the URL, as the advice says.
        private func filledQuery(_ values: [String: String]) throws -> String {
            guard let mark = postbackURL.firstIndex(of: "?") else {
                throw TestFailure("no tokens in \(postbackURL)")
            }
            var pairs: [String] = []
            for pair in postbackURL[postbackURL.index(after: mark)...].split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                let meaning = entry["tokens"].object.first { $0.value.string == parts[1] }?.key
                guard let meaning,
                    ["cid", "payout", "currency", "status", "txid", "event"]
                        .contains(parts[0])
                else { throw TestFailure("\(pair) is not of this network") }
                pairs.append("\(parts[0])=\(percentEncoded(values[meaning] ?? ""))")
            }
            if entry["tokens"]["status"].isNull, let word = values["status"] {
                pairs.append("status=\(percentEncoded(word))")
            }
            return pairs.joined(separator: "&")
        }
    }

    @Test func `each network of the catalogue is understood`() throws {
        let chain = try Chain.start()
        let catalogue = try Self.catalogue()
        #expect(catalogue.count >= 87)
        for entry in catalogue { try check(entry, chain) }
    }

    private func check(_ entry: JSON, _ chain: Chain) throws {
        let key = try #require(entry["key"].string)
        let made = try chain.tracker.call("POST", "/networks", ["template": .string(key)])
        #expect(made["key"].string == key && made["template"].string == key)
        if entry["confidence"] == "low" {
            #expect(made["postback_notes"][0].string?.contains("not all") == true, "\(key)")
        }

        // The click ID goes where the network wants it.
        let place = made["click_id_param"].string
        let url = "https://offer.example/land" + (place == nil ? "?s2={click_id}" : "?a=1")
        try chain.tracker.call(
            "POST", "/offers",
            [
                "key": .string(key), "name": "Offer", "network": .string(key), "url": .string(url),
                "payout": ["amount": "9.99", "currency": "USD"],
            ])
        try chain.tracker.call(
            "POST", "/campaigns",
            [
                "key": .string(key), "name": "Campaign", "source": "push",
                "flow": ["paths": [["offers": [["offer": .string(key)]]]]],
            ])
        let visit = try chain.visit(campaign: key, idParameter: place ?? "s2")

        let engineer = Engineer(
            entry: entry, postbackURL: made["postback_url"].string ?? "",
            network: FakeNetwork(
                tracker: chain.tracker, key: made["postback_key"].string ?? ""))
        // Where no token is known the operator writes what the account's page names.
        let has = { (meaning: String) in
            !entry["tokens"][meaning].isNull || entry["token_style"] == "none"
        }
        let words = entry["status_values"].object.sorted { $0.key < $1.key }
        var state = ""
        for (number, word) in ([nil] + words.map { $0 }).enumerated() {
            // Without a word first: a network may never send one.
            if number == 0, !words.isEmpty { continue }
            let amount = has("payout") ? "\(number + 1).25" : "9.99"
            var values = [
                "click_id": visit.clickID, "payout": amount, "currency": "EUR",
                "transaction_id": "T-1", "event": "sale",
            ]
            values["status"] = word?.key
            let answer = try engineer.report(values)
            let status = word?.value.string ?? "approved"
            let before = state
            state = "\(status) \(amount)"
            let expected = before.isEmpty ? "accepted" : before == state ? "duplicate" : "updated"
            #expect(answer.verdict == expected, "\(key) \(values): \(answer.json.text)")

            let conversions = try chain.journey(visit.clickID)["conversions"].array
            #expect(conversions.count == 1, "\(key)")
            let conversion = conversions.first ?? .null
            #expect(conversion["network"].string == key)
            #expect(conversion["status"].string == status, "\(key): \(conversion.text)")
            if before != state { #expect(conversion["network_status"].string == word?.key) }
            #expect(conversion["payout"]["amount"].string == amount, "\(key)")
            #expect(
                conversion["payout"]["currency"].string == (has("currency") ? "EUR" : "USD"),
                "\(key)")
            #expect(
                conversion["transaction_id"].string == (has("transaction_id") ? "T-1" : nil),
                "\(key)")
        }
        #expect(!state.isEmpty)
    }

    @Test func `tokens that the network does not replace are named, not counted`() throws {
        let chain = try Chain.start()
        let made = try chain.tracker.call("POST", "/networks", ["template": "mylead"])
        let network = FakeNetwork(
            tracker: chain.tracker, key: made["postback_key"].string ?? "")
        let query = try #require(made["postback_url"].string?.split(separator: "?").last)
        let answer = try network.call(String(query))
        #expect(answer.status == 400 && answer.verdict == "macro_not_replaced")
        #expect(try chain.tracker.list("/conversions").isEmpty)
    }

    @Test func `the command line prints the URL with the network's own tokens`() throws {
        let tracker = try TrackerProcess.start(
            .init(environment: ["CLICKRELAY_PUBLIC_URL": "https://t.example"]))
        let first = try tracker.command("network", "apply", "--template", "mylead")
        #expect(first.exitCode == 0, "\(first.error)")
        let key = try tracker.call("GET", "/networks/mylead")["postback_key"].string ?? ""
        let url =
            "https://t.example/postback/\(key)?cid=[ml_sub1]&payout=[payout_decimal]"
            + "&currency=[currency]&status=[status]&txid=[transaction_id]"
        #expect(first.output == "created mylead\n\(url)\n")
        #expect(first.error.contains("note: ") && first.error.contains("[payout_decimal]"))
        let again = try tracker.command("network", "apply", "--template", "mylead")
        #expect(again.exitCode == 0 && again.output == "unchanged mylead\n\(url)\n")
        #expect(try tracker.command("network", "show", "mylead").output.contains(url))

        let own = try tracker.command(
            "network", "apply", "--template", "imonetizeit", "--key", "imo", "--name", "Imo",
            "--json")
        #expect(own.exitCode == 0, "\(own.error)")
        let result = try own.json[0]
        #expect(result["key"] == "imo" && result["result"] == "created")
        #expect(result["postback_url"].string?.hasSuffix("?cid=<click_id>&payout=<payout>") == true)
        #expect(try tracker.call("GET", "/networks/imo")["name"] == "Imo")

        let doubtful = try tracker.command("network", "apply", "--template", "rakuten")
        #expect(doubtful.exitCode == 0 && doubtful.error.contains("not all of this template"))

        let file = try tracker.directory.write(
            #"[{"template": "cake", "key": "c1"}, {"template": "awin"}]"#, to: "networks.json")
        let applied = try tracker.command("network", "apply", file)
        #expect(applied.exitCode == 0 && applied.output == "created c1\ncreated awin\n")

        let list = try tracker.command("network", "templates")
        #expect(list.exitCode == 0 && list.output.contains("\nmylead "))
        #expect(try tracker.command("network", "templates", "jvzoo").output.contains("caffitid"))
    }

    @Test func `mistakes on the command line are named`() throws {
        let tracker = try TrackerProcess.start()
        let unknown = try tracker.command("network", "apply", "--template", "myled")
        #expect(unknown.exitCode == 4 && unknown.error.contains("\"mylead\""))
        #expect(unknown.output.isEmpty)
        #expect(try tracker.command("network", "templates", "myled").exitCode == 3)
        for arguments in [
            ["--template", "mylead", "file.json"], ["--key", "k", "file.json"], ["--name", "n"], [],
        ] {
            let result = try TrackerProcess.run(
                ["network", "apply", "--data-dir", tracker.dataDirectory] + arguments)
            #expect(result.exitCode == 2 && result.output.isEmpty, "\(arguments): \(result.error)")
        }
    }
}
