import TestSupport
import Testing

/// What networks send, in their dialects, with statuses, repeats and faults, to the built binary:
/// each call's answer, how the ledger keeps it, and what became of the conversions.
@Suite struct PostbackTableTests {
    /// One tracker each.
    struct Group: Sendable, CustomStringConvertible {
        let description: String
        let cases: [PostbackCase]
    }

    private static let matrixHalf = PostbackCase.matrix.count / 2

    static let groups = [
        Group(description: "identities", cases: PostbackCase.identities),
        Group(description: "faults", cases: PostbackCase.faults),
        Group(description: "dialects", cases: PostbackCase.dialects),
        Group(
            description: "dialect by repeat and fault, first half",
            cases: Array(PostbackCase.matrix.prefix(matrixHalf))),
        Group(
            description: "dialect by repeat and fault, second half",
            cases: Array(PostbackCase.matrix.dropFirst(matrixHalf))),
    ]

    /// Well formed, and of no installation's key.
    private static let foreignID = "000007" + String(repeating: "0", count: 17) + "c1s"

    @Test func `the table is as long as it should be`() {
        let calls = Self.groups.flatMap { $0.cases.flatMap(\.calls) }
        #expect(calls.count >= 500)
        #expect(PostbackCase.matrix.flatMap(\.calls).count >= 380)
    }

    @Test(arguments: groups)
    func `calls get their verdicts, are kept, and make their conversions`(group: Group) throws {
        let source = try FakeTrafficSource()
        let tracker = try TrackerProcess.start(
            .init(environment: ["CLICKRELAY_TRUSTED_PROXIES": "127.0.0.1"]))
        try tracker.call(
            "POST", "/sources",
            [
                "key": "push", "external_id_param": "subid",
                "destinations": [
                    [
                        "key": "all", "allow_private": true,
                        "url": .string(
                            "\(source.url)/c?id={external_id}&v={payout}&c={currency}"
                                + "&s={status}&e={event}&t={txid}&r={revision}"),
                    ]
                ],
            ])
        let lost = try lostClick(tracker)
        for (number, test) in group.cases.enumerated() {
            try Run(tracker: tracker, test: test, key: "n\(number)", lost: lost).check()
        }
    }

    /// A click ID whose click is gone with its day's file.
    private func lostClick(_ tracker: TrackerProcess) throws -> String {
        let lost = try Run.visit(
            tracker, Run.make(tracker, "lost", PostbackCase.identities[0]).campaign, "subid=LOST")
        #expect(try tracker.terminate() == 0)
        for name in tracker.directory.entries(of: "data/clicks") {
            try tracker.directory.remove("data/clicks/\(name)")
        }
        try tracker.restart()
        return lost
    }

    /// One case with a network, an offer, a campaign and clicks of its own.
    private struct Run {
        let tracker: TrackerProcess
        let test: PostbackCase
        let key: String
        let lost: String

        static func make(_ tracker: TrackerProcess, _ key: String, _ test: PostbackCase) throws
            -> (campaign: String, postbackKey: String)
        {
            var network = JSON.object(test.network)
            network["key"] = .string(key)
            if let template = test.template { network["template"] = .string(template) }
            let made = try tracker.call("POST", "/networks", network)
            var offer = JSON.object(test.offer)
            offer["key"] = .string(key)
            offer["network"] = .string(key)
            offer["url"] = "https://offer.example/?mine={click_id}"
            try tracker.call("POST", "/offers", offer)
            try tracker.call(
                "POST", "/campaigns",
                [
                    "key": .string(key), "source": "push",
                    "flow": ["paths": [["offers": [["offer": .string(key)]]]]],
                ])
            guard let postbackKey = made["postback_key"].string else {
                throw TestFailure("no postback_key in \(made.text)")
            }
            return (key, postbackKey)
        }

        static func visit(_ tracker: TrackerProcess, _ campaign: String, _ query: String) throws
            -> String
        {
            try Chain.visit(tracker.get("/c/\(campaign)?\(query)"), "mine").clickID
        }

        func check() throws {
            let (campaign, postbackKey) = try Self.make(tracker, key, test)
            let visits = try ["subid=EXT", "subid=EXT2", ""].map {
                try Self.visit(tracker, campaign, $0)
            }
            let ids = [
                "CID": visits[0], "CID2": visits[1], "BARE": visits[2], "LOST": lost,
                "FOREIGN": foreignID,
            ]
            let pool = HTTPPool(port: tracker.port)
            var first: String?
            // A caller without an address comes over a unix socket, which networks do not.
            for (index, call) in test.calls.enumerated() where call.sender != nil {
                let (query, body) = call.filled(ids)
                let path = call.key.replacing("k1", with: postbackKey)
                    .replacing("K1", with: postbackKey.uppercased())
                let target = "/postback/\(path)\(query.isEmpty ? "" : "?")\(query)"
                var fields: HTTPFields = ["X-Forwarded-For": call.sender ?? ""]
                if let type = call.type { fields.all.append(("Content-Type", type)) }
                let response = try pool.request(
                    call.method, target, fields: fields,
                    body: body.isEmpty ? nil : Array(body.utf8))
                let what = "\(test), call \(index + 1), \(call.method) \(query) \(body)"
                #expect(response.status == call.status, "\(what): \(response.text)")

                let kept = try tracker.call("GET", "/postbacks?limit=1")["items"][0]
                #expect(kept["verdict"].string == call.verdict.rawValue, "\(what): \(kept.text)")
                let message = kept["message"].string ?? ""
                #expect(message.hasSuffix(".") == false && message.utf8.count > 10, "\(what)")
                #expect(kept["request"]["method"].string == call.method, "\(what)")
                #expect(kept["request"]["target"].string == target, "\(what)")
                #expect(kept["request"]["body"].string == body, "\(what)")
                #expect(kept["sender"].string == call.sender, "\(what)")
                #expect(
                    kept["network"].string == (call.verdict == .keyUnknown ? nil : key), "\(what)")
                first = first ?? kept["conversion"].string
                for words in call.says {
                    #expect(message.contains(words == "cv1" ? first ?? "?" : words), "\(what)")
                }
                if call.method != "HEAD" {
                    let answer = try PostbackAnswer(response)
                    #expect(answer.verdict == call.verdict.rawValue, "\(what)")
                    #expect(answer.message == message, "\(what)")
                    #expect(answer.postback == kept["id"].id, "\(what)")
                    #expect(answer.conversion == kept["conversion"].id, "\(what)")
                }
            }
            try checkOutcome(visits)
        }

        private func checkOutcome(_ visits: [String]) throws {
            let conversions = try tracker.list("/conversions?network=\(key)").reversed().map {
                try text(of: tracker.call("GET", "/conversions/\($0["id"].id ?? "")"))
            }
            #expect(conversions == test.conversions, "\(test)")
            guard let told = test.told else { return }
            let deliveries = try visits.flatMap {
                try tracker.call("GET", "/clicks/\($0)")["deliveries"].array
            }.sorted { ($0["id"].int ?? 0) < ($1["id"].int ?? 0) }
            #expect(
                deliveries.map { delivery in
                    let url = delivery["request"]["url"].string ?? ""
                    return String(url.split(separator: "?", maxSplits: 1).last ?? "")
                } == told, "\(test)")
        }

        private func text(of conversion: JSON) -> String {
            let revisions = conversion["revisions"].array
            #expect(revisions.map { $0["revision"].int } == Array(1...max(revisions.count, 1)))
            #expect(revisions.last?["status"] == conversion["status"])
            #expect(revisions.last?["payout"] == conversion["payout"])
            let states = revisions.map {
                "\($0["status"].string ?? "") \($0["payout"]["amount"].string ?? "") "
                    + "\($0["payout"]["currency"].string ?? "")"
            }
            let order = conversion["transaction_id"].string ?? ""
            return "\(conversion["event"].string ?? "")/\(order): "
                + states.joined(separator: " > ")
                + (conversion["test"] == true ? " (test)" : "")
        }
    }
}
