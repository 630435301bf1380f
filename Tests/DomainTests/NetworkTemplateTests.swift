import Domain
import Testing

@Suite struct NetworkTemplateTests {
    /// An entry of the catalogue with other members in place of its own.
    private static func entry(_ own: [String: JSONValue] = [:], tokens: JSONValue? = nil)
        -> JSONValue
    {
        var members: [String: JSONValue] = [
            "key": "net", "name": "Net", "subid_param": "s2", "token_style": "[x]",
            "tokens": [
                "click_id": "[s2]", "payout": "[amount]", "currency": nil, "status": "[state]",
                "transaction_id": "[tid]", "event": nil, "payout_minor": "[cents]",
            ],
            "method": "GET", "status_values": ["OK": "approved", "no": "rejected"],
            "source_ips": [], "evidence": ["https://net.example/help"], "confidence": "high",
            "notes": nil,
        ]
        members.merge(own) { $1 }
        if let tokens { members["tokens"] = tokens }
        return .object(
            members.sorted { $0.key < $1.key }.map { JSONMember(name: $0.key, value: $0.value) })
    }

    private func template(_ own: [String: JSONValue] = [:], tokens: JSONValue? = nil) throws
        -> NetworkTemplate
    { try NetworkTemplate(document: Self.entry(own, tokens: tokens)) }

    private func network(_ template: NetworkTemplate, _ own: JSONValue = [:]) throws -> Network {
        try Network(document: template.filling(own))
    }

    @Test func `a template fills in what a document leaves out, and only that`() throws {
        let template = try template()
        let made = try network(template)
        #expect(made.key.text == "net" && made.name == "Net" && made.template?.text == "net")
        #expect(made.clickIDParameter == "s2" && made.payoutUnit == .decimal)
        #expect(made.statusMap == ["ok": .approved, "no": .rejected])
        #expect(made.parameters.isEmpty && made.allowedIPs.isEmpty)
        let own = try network(
            template,
            [
                "key": "mine", "name": "Mine", "click_id_param": nil, "status_map": ["x": "trash"],
                "currency": "EUR",
            ])
        #expect(own.key.text == "mine" && own.name == "Mine" && own.clickIDParameter == nil)
        #expect(own.statusMap == ["x": .trash] && own.currency.code == "EUR")
        #expect(try Network(document: own.document) == own)
        #expect(template.filling("text") == "text", "what is no object is refused later")
    }

    @Test func `the URL has our names and the network's tokens, one amount among them`() throws {
        let template = try template()
        #expect(
            template.postbackQuery(for: try network(template))
                == "cid=[s2]&payout=[amount]&status=[state]&txid=[tid]")
        #expect(
            template.postbackQuery(for: try network(template, ["payout_unit": "minor"]))
                == "cid=[s2]&payout=[cents]&status=[state]&txid=[tid]")
    }

    @Test func `an amount in minor units alone makes that the unit`() throws {
        let template = try template(tokens: ["click_id": "[s2]", "payout_minor": "[cents]"])
        let made = try network(template)
        #expect(made.payoutUnit == .minor)
        #expect(template.postbackQuery(for: made) == "cid=[s2]&payout=[cents]")
        let other = try network(template, ["payout_unit": "decimal"])
        #expect(template.postbackQuery(for: other) == "cid=[s2]&payout_minor=[cents]")
    }

    @Test func `the URL keeps clear of names that the network uses for something else`() throws {
        let template = try template()
        let made = try network(template, ["parameters": ["cid": ["txid"]]])
        #expect(
            template.postbackQuery(for: made)
                == "cid=[s2]&payout=[amount]&status=[state]&tid=[tid]")
        let swapped = try network(template, ["parameters": ["cid": ["txid"], "txid": ["cid"]]])
        #expect(template.postbackQuery(for: swapped)?.hasPrefix("txid=[s2]&") == true)
        #expect(template.postbackQuery(for: swapped)?.hasSuffix("&cid=[tid]") == true)
    }

    @Test(arguments: [
        ("{x}", "{a}"), ("{{x}}", "{{a.b}}"), ("[x]", "[A]"), ("[[[x]]]", "[[[a]]]"),
        ("#x#", "#a#"), ("##x##", "##A##"), ("%x%", "%a%"), ("<x>", "<a>"),
        ("!!!x!!!", "!!!a!!!"), ("[=x=]", "[=_a=]"), ("xxx...xx", "xx...xx"),
    ])
    func `tokens stand in the URL as the network writes them`(style: String, token: String) throws {
        let entry: [String: JSONValue] = ["token_style": .string(style)]
        guard style.first != "x" else {
            #expect(throws: ValidationError.self) {
                try self.template(entry, tokens: ["click_id": .string(token)])
            }
            return
        }
        let template = try template(entry, tokens: ["click_id": .string(token)])
        #expect(template.postbackQuery(for: try network(template)) == "cid=\(token)")
    }

    @Test(arguments: [
        ("(query, fixed names)", "adds its own parameters"),
        ("(form body)", "POSTs a form"), ("(JSON body)", "POSTs a JSON document"),
    ])
    func `names of its own become parameters, and the URL stays bare`(
        style: String, says: String
    ) throws {
        let template = try template(
            ["token_style": .string(style), "method": "POST"],
            tokens: [
                "click_id": "a.tid", "payout": "sum", "payout_minor": "cents", "event": "kind",
                "offer_id": "offer", "password": "pw",
            ])
        let made = try network(template)
        #expect(
            made.parameters == [
                "cid": ["a.tid"], "payout": ["sum"], "payout_minor": ["cents"], "event": ["kind"],
            ])
        #expect(template.postbackQuery(for: made) == nil)
        let advice = template.advice.joined(separator: "\n")
        #expect(advice.contains(says) && advice.contains("a.tid") && advice.contains("pw"))
    }

    @Test func `the advice says what is missing and what is doubtful`() throws {
        #expect(try template().advice.isEmpty)
        let doubtful = try template(
            [
                "confidence": "low", "notes": "One page.", "source_ips": ["203.0.113.9"],
                "subid_param": "(last path segment)",
            ], tokens: ["click_id": "[s2]"])
        #expect(doubtful.clickIDParameter == nil)
        let expected = [
            "not all of this", "last path segment", "payout=", "status=OK", "203.0.113.9",
            "One page.",
        ]
        #expect(doubtful.advice.count == expected.count)
        for (sentence, part) in zip(doubtful.advice, expected) {
            #expect(sentence.contains(part), "\(sentence)")
        }
        let unknown = try template(["token_style": "none"], tokens: ["click_id": nil])
        #expect(unknown.postbackQuery(for: try network(unknown)) == nil)
        #expect(unknown.advice.count == 1 && unknown.advice[0].contains("not known"))
    }

    @Test(
        arguments: [
            ("key", "Bad Key", "key"), ("name", nil, "name"), ("method", "PUT", "method"),
            ("confidence", "sure", "confidence"), ("confidence", nil, "confidence"),
            ("confidence", "low", "notes"),
            ("evidence", [], "evidence"), ("status_values", ["1": "paid"], "status_values.1"),
            ("source_ips", ["home"], "source_ips"), ("subid_param", "", "subid_param"),
            ("tokens", ["payout": 1], "tokens.payout"),
            ("tokens", ["payout": "{a}"], "tokens.payout"),
            ("tokens", ["payout": "[]"], "tokens.payout"),
            ("tokens", ["payout": "[a&b]"], "tokens.payout"),
            ("tokens", ["payout": "[a b]"], "tokens.payout"), ("token_style", "none", "tokens"),
            ("tokenstyle", "x", "tokenstyle"),
        ] as [(String, JSONValue, String)])
    func `a wrong entry is refused by its member`(name: String, value: JSONValue, field: String) {
        do {
            _ = try NetworkTemplate(document: Self.entry([name: value]))
            Issue.record("accepted")
        } catch {
            #expect(error.errors.allSatisfy { $0.field.hasPrefix(field) }, "\(error)")
        }
    }
}
