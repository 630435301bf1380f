import Domain
import TestSupport
import Testing

/// The API's documents: defaults, limits, and every problem at once by its field.
@Suite struct EntityTests {
    @Test func `what is wrong is told in few words, whatever was sent`() throws {
        let name = String(repeating: "<\u{e9}", count: 20_000)
        let many = JSONValue.object((0..<150).map { JSONMember(name: "\(name)\($0)", value: 1) })
        for document in [many, .object([JSONMember(name: "headers", value: many)])] {
            do throws(ValidationError) {
                _ = try DirectClick(document: document)
                Issue.record("it was taken")
            } catch {
                #expect((1...100).contains(error.errors.count))
                for error in error.errors {
                    #expect(error.field.utf8.count <= 206 && error.message.utf8.count <= 506)
                }
            }
        }
    }

    private func fields(_ make: () throws -> Void) -> [String] {
        do {
            try make()
            return []
        } catch let error as ValidationError {
            return error.errors.map(\.field)
        } catch {
            return ["\(error)"]
        }
    }

    private static let source: JSONValue = [
        "key": "propellerads", "name": "PropellerAds", "external_id_param": "subid",
        "cost_param": "cost", "currency": "USD", "params": ["zone": "var1", "creative": "var2"],
        "destinations": [
            [
                "key": "main", "method": "GET",
                "url": "https://source.example/conv?id={external_id}&value={payout}",
                "headers": ["X-A": "{payout}"], "body": nil, "statuses": ["approved"],
                "events": ["Sale"], "success": ["status": [200, 204], "body_contains": "OK"],
                "allow_private": true,
            ],
            [
                "key": "post", "method": "POST", "url": "http://127.0.0.1:9/",
                "body": ["a": ["{payout:number}"]],
            ],
        ],
    ]
    private static let network: JSONValue = [
        "key": "mylead", "name": "MyLead", "click_id_param": "s2", "payout_unit": "minor",
        "currency": "eur", "status_map": ["1": "approved", "HOLD": "pending"],
        "default_status": "pending", "default_event": "Lead", "ignore_statuses": ["Click"],
        "number_format": "comma", "allowed_ips": ["203.0.113.0/24", "2001:db8::1"],
        "repeat": "add", "always_200": true, "reply": "OK",
        "parameters": ["cid": ["aff_sub"], "payout": "comm"], "template": "my_lead",
    ]
    private static let offer: JSONValue = [
        "key": "fit", "name": "Fit", "network": "mylead",
        "url": "https://offer.example/land?s2={click_id}",
        "payout": ["amount": "9.99", "currency": "USD"],
    ]
    private static let campaign: JSONValue = [
        "key": "summer", "name": "Summer", "source": "propellerads", "redirect": "302",
        "cost": ["model": "cpc", "amount": "0.012"], "destinations": [],
        "flow": [
            "rules": [],
            "paths": [["weight": 100, "landers": [], "offers": [["offer": "fit", "weight": 1]]]],
        ],
    ]

    @Test func `a document read back is the same entity`() throws {
        let source = try Source(document: Self.source)
        #expect(try Source(document: source.document) == source)
        let network = try Network(document: Self.network)
        #expect(try Network(document: network.document) == network)
        let offer = try Offer(document: Self.offer)
        #expect(try Offer(document: offer.document) == offer)
        let campaign = try Campaign(document: Self.campaign)
        #expect(try Campaign(document: campaign.document) == campaign)
        // Through text, as they are stored.
        let text = source.document.encoded()
        #expect(try Source(document: JSONValue(parsing: text)) == source)
    }

    @Test func `what an answer adds may be sent back`() throws {
        guard case .object(var members) = try Network(document: Self.network).document else {
            Issue.record("no object")
            return
        }
        for name in [
            "id", "created_at", "updated_at", "archived_at", "postback_key", "postback_url",
            "postback_notes",
        ] {
            members.append(JSONMember(name: name, value: "x"))
        }
        _ = try Network(document: .object(members))
    }

    @Test func `defaults are written out`() throws {
        let network = try Network(document: ["key": "n"])
        #expect(network.document["repeat"] == "update" && network.document["name"] == "n")
        #expect(network.document["currency"] == "USD" && network.document["reply"]?.isNull == true)
        let source = try Source(
            document: ["key": "s", "destinations": [["key": "d", "url": "https://a.example"]]])
        #expect(source.destinations[0].method == .get && source.destinations[0].isEnabled)
        #expect(source.destinations[0].success == SuccessRule())
    }

    @Test func `all problems are reported at once by field`() {
        let problems = fields {
            _ = try Source(
                document: [
                    "key": "Bad Key", "currency": "XXQ",
                    "params": ["a": "var21", "b": "x", "": "var1"],
                    "destinations": [
                        ["key": "d", "url": "https://{external_id}/", "method": "PUT"],
                        [
                            "key": "d", "url": "https://a.example", "body": "x",
                            "statuses": ["paid"],
                        ],
                        [
                            "url": "https://a.example",
                            "headers": ["Host": "x", "A B": "x", "C": "\r\n"],
                        ],
                        [
                            "key": "e", "url": "https://a.example",
                            "success": ["status": [300, 200]],
                        ],
                    ],
                    "extenal_id_param": "x",
                ])
        }
        #expect(
            Set(problems) == [
                "key", "currency", "params.a", "params.b", "params.", "destinations[0].method",
                "destinations[0].url", "destinations[1].body",
                "destinations[1].statuses[0]", "destinations[2].key",
                "destinations[2].headers.Host", "destinations[2].headers.A B",
                "destinations[2].headers.C", "destinations[3].success.status", "extenal_id_param",
            ])
    }

    @Test func `two destinations of one key and an event without a name are refused`() {
        let problems = fields {
            _ = try Source(
                document: [
                    "key": "s",
                    "destinations": [
                        ["key": "d", "url": "https://a.example", "events": ["\u{0}"]],
                        ["key": "d", "url": "https://a.example"],
                    ],
                ])
        }
        #expect(problems == ["destinations[0].events[0]", "destinations[1].key"])
    }

    @Test func `a mistyped name is answered with the nearest`() {
        do {
            _ = try Network(document: [
                "key": "n", "parameters": ["cidd": ["x"]], "status_mapp": [:],
            ])
            Issue.record("accepted")
        } catch {
            let text = error.errors.map(\.message).joined(separator: "\n")
            #expect(text.contains("\"cid\"") && text.contains("\"status_map\""))
        }
    }

    @Test(
        arguments: [
            ("allowed_ips", .array(["nonsense"]), "allowed_ips[0]"),
            ("status_map", ["x": "paid"], "status_map.x"), ("status_map", ["x": 1], "status_map.x"),
            ("repeat", "never", "repeat"), ("number_format", "euro", "number_format"),
            ("always_200", "yes", "always_200"), ("parameters", ["cid": []], "parameters.cid"),
            ("parameters", ["cid": [""]], "parameters.cid"),
            ("ignore_statuses", [3], "ignore_statuses[0]"),
            ("default_status", "paid", "default_status"), ("reply", "a\u{1}", "reply"),
            ("currency", 7, "currency"),
        ] as [(String, JSONValue, String)])
    func `a network's bad setting is named`(name: String, value: JSONValue, field: String) {
        let members = [JSONMember(name: "key", value: "n"), JSONMember(name: name, value: value)]
        #expect(fields { _ = try Network(document: .object(members)) } == [field])
    }

    @Test func `an offer's URL has no tokens of a conversion`() {
        do {
            _ = try Offer(
                document: [
                    "key": "o", "network": "n", "url": "https://o.example/?p={payout_minor}",
                ])
            Issue.record("accepted")
        } catch {
            #expect(error.errors.map(\.field) == ["url"])
            #expect(error.errors[0].message.contains("{payout_minor}"))
        }
    }

    @Test func `an offer without a click ID takes the network's parameter`() throws {
        let offer = try Offer(
            document: ["key": "o", "network": "n", "url": "https://o.example/x#y"])
        let named = try Network(document: ["key": "n", "click_id_param": "a b"])
        #expect(
            try offer.landingURL(network: named).text == "https://o.example/x?a%20b={click_id}#y")
        let plain = try Network(document: ["key": "n"])
        #expect(throws: ValidationError.self) { try offer.landingURL(network: plain) }
        let complete = try Offer(document: Self.offer)
        #expect(try complete.landingURL(network: plain).text == complete.url.text)
    }

    @Test func `a campaign that can't send anybody anywhere is refused`() {
        for paths: JSONValue in [
            [], [["weight": 0, "offers": [["offer": "a"]]]], [["weight": 1, "offers": []]],
            [["weight": 1, "offers": [["offer": "a", "weight": 0]]]],
            [["weight": 1_000_001, "offers": [["offer": "a"]]]],
            [["weight": -1, "offers": [["offer": "a"]]]],
        ] {
            let document: JSONValue = ["key": "c", "source": "s", "flow": ["paths": paths]]
            #expect(!fields { _ = try Campaign(document: document) }.isEmpty, "\(paths)")
        }
    }

    @Test func `destinations are asked by status and event`() throws {
        let destination = try Source(document: Self.source).destinations[0]
        #expect(destination.wants(.approved, "sale"))
        #expect(!destination.wants(.pending, "sale"))
        #expect(!destination.wants(.approved, "lead"))
        #expect(destination.needsExternalID)
        let all = try Source(document: Self.source).destinations[1]
        #expect(all.wants(.trash, "x") && !all.needsExternalID)
        // Event names are cut and cleaned alike on both sides.
        let long = String(repeating: "E", count: 100)
        let cut = try Source(
            document: [
                "key": "s",
                "destinations": [
                    ["key": "d", "url": "https://a.example", "events": [.string(long)]]
                ],
            ])
        #expect(cut.destinations[0].wants(.approved, EventName.normalized(long)))
    }

    @Test func `success may ask for a status and a text`() {
        let rule = SuccessRule(statuses: 200...204, bodyContains: "OK")
        #expect(rule.accepts(status: 204, body: Array("xxOK".utf8)))
        #expect(!rule.accepts(status: 205, body: Array("OK".utf8)))
        #expect(!rule.accepts(status: 200, body: Array("O".utf8)))
        #expect(SuccessRule().accepts(status: 299, body: []))
        #expect(!SuccessRule().accepts(status: 300, body: []))
    }

    @Test func `keys are 1 to 64 of a few characters`() {
        #expect(EntityKey("a") != nil && EntityKey(String(repeating: "-", count: 64)) != nil)
        for text in ["", "A", "a b", "é", "a/b", String(repeating: "a", count: 65)] {
            #expect(EntityKey(text) == nil, "\(text)")
        }
    }

    /// Replaces one value somewhere in the document by something odd.
    private func mutated(_ value: JSONValue, _ random: inout SeededRandom) -> JSONValue {
        let odd: [JSONValue] = [
            nil, true, 0, -1, "", "{", "{payout}", "\u{0}", [], [[]], .object([]),
            .number("1e999"), .number("99999999999999999999"),
            .string(String(repeating: "x", count: 9000)),
        ]
        if Int.random(in: 0..<4, using: &random) == 0 {
            return odd.randomElement(using: &random) ?? nil
        }
        switch value {
        case .object(var members) where !members.isEmpty:
            let index = Int.random(in: 0..<members.count, using: &random)
            members[index].value = mutated(members[index].value, &random)
            return .object(members)
        case .array(var items) where !items.isEmpty:
            let index = Int.random(in: 0..<items.count, using: &random)
            items[index] = mutated(items[index], &random)
            return .array(items)
        case .null, .bool, .number, .string, .object, .array:
            return odd.randomElement(using: &random) ?? nil
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `no document makes the readers trap, and what they take reads back alike`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed)
        for _ in 0..<40 {
            if let source = try? Source(document: mutated(Self.source, &random)) {
                #expect(try Source(document: source.document) == source)
            }
            if let network = try? Network(document: mutated(Self.network, &random)) {
                #expect(try Network(document: network.document) == network)
            }
            if let offer = try? Offer(document: mutated(Self.offer, &random)) {
                #expect(try Offer(document: offer.document) == offer)
            }
            if let campaign = try? Campaign(document: mutated(Self.campaign, &random)) {
                #expect(try Campaign(document: campaign.document) == campaign)
            }
        }
    }
}
