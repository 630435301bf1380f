import Domain
import Foundation
import TestSupport
import Testing

/// How a call's parameters are read in a network's dialect.
@Suite struct PostbackReportTests {
    private static let clickID = ClickID(block: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
    private static let cid = clickID.text

    private func network(_ members: [String: JSONValue] = [:]) throws -> Network {
        var document: [JSONMember] = [JSONMember(name: "key", value: "net")]
        document += members.map { JSONMember(name: $0.key, value: $0.value) }
        return try Network(document: .object(document))
    }

    private func fields(_ query: String, _ network: Network) -> PostbackFields {
        PostbackFields(QueryParameters(parsing: query).pairs, of: network)
    }

    private func report(_ query: String, _ members: [String: JSONValue] = [:]) throws
        -> PostbackReport
    {
        let network = try network(members)
        return try PostbackReport(fields(query, network), network: network)
    }

    private func refusal(_ query: String, _ members: [String: JSONValue] = [:]) throws
        -> PostbackVerdict?
    {
        do {
            _ = try report(query, members)
            return nil
        } catch let error as PostbackRefusal {
            #expect(!error.message.isEmpty && error.message.utf8.count < 400)
            return error.verdict
        }
    }

    @Test func `what a call does not say is the network's default`() throws {
        let report = try report("cid=\(Self.cid)")
        #expect(report.clickID == Self.clickID)
        #expect(report.amount == nil && report.currency.code == "USD")
        #expect(report.transactionID == "" && report.event == "conversion")
        #expect(report.status == .approved && report.networkStatus == nil)
        #expect(report.extras == Array(repeating: nil, count: 10))
        #expect(!report.isTest && !report.suppressesOutbound && !report.isIgnored)
        #expect(report.notes.isEmpty)

        let other = try self.report(
            "cid=\(Self.cid)",
            ["currency": "EUR", "default_status": "pending", "default_event": "Lead"])
        #expect(other.currency.code == "EUR" && other.status == .pending && other.event == "lead")
        #expect(try self.report("cid=\(Self.cid)", ["default_event": ""]).event == "conversion")
    }

    @Test(arguments: [
        ("cid", ["cid", "clickid", "click_id", "subid", "sub_id", "cnv_id", "hit"]),
        ("payout", ["payout", "revenue", "rev", "sum", "amount", "sale_amount"]),
        ("currency", ["currency", "cur", "cnv_currency"]),
        (
            "txid",
            ["txid", "tid", "tx", "transaction_id", "txn_id", "order_id", "action_id"]
        ),
        ("event", ["event", "et", "event_type", "type", "goal", "goal_id", "goal_value"]),
        ("status", ["status", "cnv_status", "conv_status"]),
    ])
    func `every alias is understood, in any case`(parameter: String, names: [String]) throws {
        let values = [
            "cid": Self.cid, "payout": "7.5", "currency": "eur", "txid": "T1", "event": "sale",
            "status": "hold",
        ]
        for name in names {
            for spelled in [
                name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst(),
            ] {
                let rest = values.filter { $0.key != parameter }
                let query =
                    rest.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
                    + "&\(spelled)=\(values[parameter] ?? "")"
                let report = try report(query)
                #expect(report.clickID == Self.clickID, "\(query)")
                #expect(report.amount == 7_500_000_000 && report.currency.code == "EUR", "\(query)")
                #expect(report.transactionID == "T1" && report.event == "sale", "\(query)")
                #expect(report.status == .pending && report.networkStatus == "hold", "\(query)")
            }
        }
    }

    @Test func `the canonical name comes before its aliases, and empty values count as none`()
        throws
    {
        #expect(try report("tid=2&cid=\(Self.cid)&txid=1").transactionID == "1")
        #expect(try report("txid=&tid=2&cid=\(Self.cid)").transactionID == "2")
        #expect(try report("txid=%20%09&tid=2&cid=\(Self.cid)").transactionID == "2")
        #expect(try report("txid=1&txid=2&cid=\(Self.cid)").transactionID == "1")
        #expect(try report("cid=&clickid=&subid=\(Self.cid)").clickID == Self.clickID)
    }

    @Test func `a network's own names win over the table`() throws {
        let own: [String: JSONValue] = [
            "parameters": ["cid": ["aff_sub", "transaction_id"], "payout": "Comm"]
        ]
        let report = try report("aff_sub=\(Self.cid)&cid=nonsense&COMM=3&payout=9", own)
        #expect(report.clickID == Self.clickID && report.amount == 3_000_000_000)
        // Without its own names the table still serves.
        #expect(try self.report("cid=\(Self.cid)&payout=9", own).amount == 9_000_000_000)
    }

    @Test func `a name that a network takes for the click ID is no order any more`() throws {
        let own: [String: JSONValue] = ["parameters": ["cid": ["transaction_id"]]]
        let report = try report("transaction_id=\(Self.cid)&payout=1", own)
        #expect(report.clickID == Self.clickID && report.transactionID == "")
        #expect(
            try self.report("transaction_id=\(Self.cid)&tid=5", own).transactionID == "5")
        // One name may also be given to two parameters.
        let both = try self.report(
            "x=\(Self.cid)", ["parameters": ["cid": ["x"], "txid": ["X"]]])
        #expect(both.clickID == Self.clickID && both.transactionID == Self.cid)
    }

    @Test func `transaction IDs and extras stay as they came, the rest is trimmed`() throws {
        let report = try report(
            "cid=%20\(Self.cid)%0A&payout=%201.5%20&currency=usd%20&txid=a%20&param1=%20x"
                + "&status=%20Hold&event=%20Sale%20")
        #expect(report.clickID == Self.clickID && report.amount == 1_500_000_000)
        #expect(report.transactionID == "a " && report.extras[0] == " x")
        #expect(report.status == .pending && report.event == "sale")
    }

    @Test(arguments: [
        ("payout=abc", PostbackVerdict.payoutNotNumber), ("payout=1%002", .payoutNotNumber),
        ("payout=1,234", .payoutAmbiguous), ("payout=1e5", .payoutNotNumber),
        ("payout=9223372037", .payoutOutOfRange), ("payout={payout}", .macroNotReplaced),
        ("payout_minor=[p]", .macroNotReplaced), ("payout_minor=x", .payoutNotNumber),
        ("currency=XXQ", .currencyUnknown), ("currency=US", .currencyUnknown),
        ("currency=%7Bcurrency%7D", .macroNotReplaced), ("status=%23status%23", .macroNotReplaced),
        ("cid=nope", .clickIDMalformed), ("cid=%5BCLICKID%5D", .macroNotReplaced),
        ("cid=REPLACE", .macroNotReplaced), ("cid=", .clickIDMissing),
    ])
    func `each thing that makes a call useless has its verdict`(
        query: String, verdict: PostbackVerdict
    ) throws {
        let full = query.hasPrefix("cid=") ? query : "cid=\(Self.cid)&\(query)"
        #expect(try refusal(full) == verdict)
    }

    @Test func `money is read in decimal or minor units`() throws {
        #expect(try report("cid=\(Self.cid)&payout=12.50").amount == 12_500_000_000)
        #expect(try report("cid=\(Self.cid)&payout_minor=1250").amount == 12_500_000_000)
        let minor: [String: JSONValue] = ["payout_unit": "minor"]
        #expect(try report("cid=\(Self.cid)&payout=1250", minor).amount == 12_500_000_000)
        #expect(
            try report("cid=\(Self.cid)&payout=1250&currency=JPY", minor).amount
                == 1_250_000_000_000)
        // Both: the decimal name is the one everybody knows.
        #expect(
            try report("cid=\(Self.cid)&payout_minor=1&payout=2").amount == 2_000_000_000)
        // The number format holds for minor units too.
        #expect(try refusal("cid=\(Self.cid)&payout_minor=1,250") == .payoutAmbiguous)
        #expect(
            try report("cid=\(Self.cid)&payout_minor=1,250", ["number_format": "point"]).amount
                == 12_500_000_000)
        #expect(
            try report("cid=\(Self.cid)&payout=1,250", ["number_format": "comma"]).amount
                == 1_250_000_000)
        #expect(
            try report("cid=\(Self.cid)&payout=9223372036.854775807").amount == Int64.max)
    }

    @Test func `a macro in a parameter that is not needed counts as absent and is named`() throws {
        let report = try report(
            "cid=\(Self.cid)&txid={transaction_id}&event=%5Bgoal%5D&param3=%23sub3%23&return={r}")
        #expect(report.transactionID == "" && report.event == "conversion")
        #expect(report.extras[2] == nil)
        #expect(report.notes.count == 3)
        #expect(report.notes[0].contains("txid") && report.notes[0].contains("{transaction_id}"))
    }

    @Test func `a status is looked up in the network's map, then the common words`() throws {
        let map: [String: JSONValue] = [
            "status_map": ["1": "approved", "Sale": "pending"], "ignore_statuses": ["Click", "9"],
        ]
        #expect(try report("cid=\(Self.cid)&status=1", map).status == .approved)
        #expect(try report("cid=\(Self.cid)&status=SALE", map).status == .pending)
        #expect(try report("cid=\(Self.cid)&status=Refunded", map).status == .chargeback)
        let unknown = try report("cid=\(Self.cid)&status=2", map)
        #expect(unknown.status == .pending && unknown.networkStatus == "2")
        #expect(unknown.notes.count == 1 && unknown.notes[0].contains("\"2\""))
        let ignored = try report("cid=\(Self.cid)&status=CLICK", map)
        #expect(ignored.isIgnored && ignored.notes.isEmpty)
        #expect(try report("cid=\(Self.cid)&status=9", map).isIgnored)
    }

    @Test func `Affise's numeric statuses map as the network says`() throws {
        let map: [String: JSONValue] = [
            "status_map": [
                "1": "approved", "2": "pending", "3": "rejected", "5": "pending",
            ]
        ]
        let statuses = try ["1", "2", "3", "5"].map {
            try report("cid=\(Self.cid)&status=\($0)", map).status
        }
        #expect(statuses == [.approved, .pending, .rejected, .pending])
    }

    @Test func `long values are cut to their limits and the message stays short`() throws {
        let long = String(repeating: "x", count: 200)
        #expect(try report("cid=\(Self.cid)&txid=\(long)").transactionID == long)
        #expect(try report("cid=\(Self.cid)&txid=\(long)").notes.isEmpty)
        let cut = try report("cid=\(Self.cid)&txid=\(long)y")
        #expect(cut.transactionID.utf8.count <= 200 && cut.notes.count == 1)
        #expect(cut.transactionID.hasPrefix(String(repeating: "x", count: 180)))
        // Two orders, though they differ in the last byte only.
        let other = try report("cid=\(Self.cid)&txid=\(long)z").transactionID
        #expect(other != cut.transactionID)
        #expect(
            try report("cid=\(Self.cid)&txid=\(long)y").transactionID == cut.transactionID)
        let huge = String(repeating: "w", count: 10_000)
        let report = try report("cid=\(Self.cid)&status=\(huge)&event=\(huge)&param1=\(huge)")
        #expect(report.event.utf8.count == EventName.lengthMax)
        #expect(report.extras[0]?.utf8.count == PostbackReport.extraMax)
        #expect(report.notes.allSatisfy { $0.utf8.count < 200 })
        for query in ["cid=\(huge)", "cid=\(Self.cid)&payout=\(huge)", "cid={\(huge)}"] {
            _ = try refusal(query)
        }
    }

    @Test(arguments: ["1", "true", "YES", "%201"])
    func `flags are on by their words only`(word: String) throws {
        let report = try report("cid=\(Self.cid)&test=\(word)&disable_postback=\(word)")
        #expect(report.isTest && report.suppressesOutbound)
        #expect(try !self.report("cid=\(Self.cid)&test=0&disable_postback=no").isTest)
        #expect(try !self.report("cid=\(Self.cid)&test=0&disable_postback=no").suppressesOutbound)
    }

    @Test func `the reply is the call's, else the network's, never a macro`() throws {
        let plain = try network()
        let own = try network(["reply": "OK"])
        #expect(PostbackReport.reply(fields("a=1", plain), network: plain) == nil)
        #expect(PostbackReport.reply(fields("return=1", plain), network: plain) == "1")
        #expect(PostbackReport.reply(fields("a=1", own), network: own) == "OK")
        #expect(PostbackReport.reply(fields("return=hi", own), network: own) == "hi")
        #expect(PostbackReport.reply(fields("return={r}", own), network: own) == "OK")
    }

    @Test(arguments: [
        "{payout}", "${payout}", "{{payout}}", "[payout]", "[[[payout]]]", "#payout#",
        "##payout##", "%payout%", "<payout>", "!!!payout!!!", "[=payout=]", "__PAYOUT__",
        "REPLACE", "replace", " {Payout} ", "{sub-id.1}", "{var:x}", "{url(sid)}", "#s2#",
        "{1x}",
    ])
    func `the bracket styles of the catalogue are macros`(text: String) {
        #expect(UnreplacedMacro.matches(text))
    }

    @Test(arguments: [
        "", "12.5", "{}", "#", "##", "%", "REPLACED", "{a b}", "<b>x</b>", "a{b}", "{b}a", "#1",
        "100%", "__", "____", "[]", "{", "}", "abc", "-3", "{\u{e9}}", "$5", cid, cid.uppercased(),
        "102a3f8c-5d1e-4d0e-8a51-2f6b1c9e7d40", "{3F2504E0-4F89-41D3-9A0C-0305E82C3301}",
        "someone@example.com", "<someone@example.com>", "a_b", "__proto", "_dup__", "proto__",
        "https://a.example/?x={y}", "50%off%now", "%5Bx", "#1234", "#1234#", "##7##", "<3", "<3>",
        "[1]", "[12]", "[1,2]", "[\"a\"]", "{\"a\": 1}", "{'a': b}", "[a, b]", "{1}", "{-}", "[.]",
        "%20%", "(x)", "{()}", "$1.50", "!!!", "!!!wow", "!x!", "Rolex", "replacement",
        "<a href=x>",
        "T-1 {x}", "{x} T-1", "{{x}", "#a#b#", "[=x]y", "1_000", "\u{20ac}5", "{x y}", "r", "R2D2",
    ])
    func `ordinary values are no macros`(text: String) {
        #expect(!UnreplacedMacro.matches(text))
    }

    /// The catalogue that is compiled into the binary.
    private static func catalogue() throws -> [JSONValue] {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Sources/Admin/Templates/affiliate-networks.json")
        return try JSONValue(parsing: Array(Data(contentsOf: file))).arrayValue ?? []
    }

    @Test func `every token of every network in the catalogue is a macro`() throws {
        // Networks of these styles send names of their own, which nothing replaces.
        let nameStyles = ["(query, fixed names)", "(form body)", "(JSON body)", "none"]
        let styles = [
            "{x}": "{payout}", "{{x}}": "{{payout}}", "[x]": "[payout]", "[[[x]]]": "[[[payout]]]",
            "#x#": "#payout#", "##x##": "##payout##", "<x>": "<payout>",
            "!!!x!!!": "!!!payout!!!", "[=x=]": "[=payout=]",
        ]
        var tokens = 0
        for entry in try Self.catalogue() {
            let style = try #require(entry["token_style"]?.stringValue)
            guard !nameStyles.contains(style) else { continue }
            #expect(UnreplacedMacro.matches(styles[style] ?? ""), "style \(style) is not known")
            for member in entry["tokens"]?.objectValue ?? [] {
                guard let token = member.value.stringValue else { continue }
                tokens += 1
                let what = "\(entry["key"]?.stringValue ?? ""): \(token)"
                #expect(UnreplacedMacro.matches(token), "\(what)")
                // It arrives so when the network encodes the URL that it was given.
                let encoded = token.utf8.map { "%" + String(256 + Int($0), radix: 16).dropFirst() }
                    .joined()
                for name in ["cid", "payout", "currency", "status"] {
                    let query = name == "cid" ? "" : "cid=\(Self.cid)&"
                    #expect(
                        try refusal("\(query)\(name)=\(encoded)") == .macroNotReplaced, "\(what)")
                }
                #expect(try report("cid=\(Self.cid)&txid=\(encoded)").transactionID == "")
            }
        }
        #expect(tokens > 300)
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `no bytes make the reader trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let network = try network(["number_format": "auto", "payout_unit": "minor"])
        let alphabet = Array("&=%+{}[]#<>!_-.,0123456789abcxyz".utf8) + [0, 10, 127, 128, 255]
        let names = PostbackParameter.allCases.map(\.rawValue)
        for _ in 0..<50 {
            var query: [UInt8] = Array("cid=\(Self.cid)".utf8)
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                query += Array("&\(names.randomElement(using: &random) ?? "")=".utf8)
                for _ in 0..<Int.random(in: 0...30, using: &random) {
                    query.append(alphabet.randomElement(using: &random) ?? 0)
                }
            }
            let pairs = query.withUnsafeBytes { QueryParameters(parsing: $0).pairs }
            let fields = PostbackFields(pairs, of: network)
            do {
                let report = try PostbackReport(fields, network: network)
                #expect(report.transactionID.utf8.count <= PostbackReport.transactionIDLengthMax)
            } catch {
                #expect((400...499).contains(error.verdict.httpStatus))
            }
        }
    }

    @Test(arguments: [
        ("status=1&approved_status=1,2", ConversionStatus.approved),
        ("status=2&approved_status=1;2", .approved), ("status=A&approved_STATUS=a", .approved),
        ("status=3&approved_status=1&rejected_status=%203%20,4", .rejected),
        ("status=5&chargeback_status=5", .chargeback), ("status=6&trash_status=,,6", .trash),
        ("status=7&pending_status=7&approved_status=8", .pending),
        // The call's map comes before the network's, that before the common words.
        ("status=9&trash_status=9", .trash), ("status=9", .approved),
        ("status=paid&rejected_status=paid", .rejected),
        ("status=paid&rejected_status=1", .approved),
        ("status=1&approved_status=1&trash_status=1", .approved),
    ])
    func `a call may bring its own status map`(query: String, status: ConversionStatus) throws {
        let report = try report(
            "cid=\(Self.cid)&\(query)", ["status_map": ["9": "approved", "1": "pending"]])
        #expect(report.status == status && report.notes.isEmpty)
    }

    @Test func `a status map that arrives as a macro counts as absent`() throws {
        let report = try report("cid=\(Self.cid)&status=1&approved_status={ok}")
        #expect(report.status == .pending && report.notes.count == 2)
        #expect(report.notes[0].contains("approved_status"))
    }

    @Test func `a strict network refuses words and events that it does not know`() throws {
        let strict: [String: JSONValue] = [
            "strict_statuses": true, "strict_events": true, "events": ["Sale", "lead"],
            "status_map": ["1": "approved"], "ignore_statuses": ["7"],
        ]
        func verdict(_ query: String) throws -> PostbackVerdict? {
            try refusal("cid=\(Self.cid)&\(query)", strict)
        }
        for query in [
            "", "status=1", "status=Paid", "status=7", "status=5&trash_status=5", "event=SALE",
            "event=conversion", "goal=lead",
        ] { #expect(try verdict(query) == nil, "\(query)") }
        #expect(try verdict("status=2") == .statusUnmapped)
        #expect(try verdict("event=sales") == .eventUnknown)
        #expect(try refusal("cid=\(Self.cid)&status=2&event=x") == nil)
        #expect(try refusal("cid=\(Self.cid)&event=x", ["events": ["y"]]) == nil)
    }

    @Test func `a repeat rule may differ by event`() throws {
        let one = try network(["repeat": "add"])
        #expect(one.repeats(of: "sale") == .add && one.document["repeat"] == "add")
        let many = try network([
            "repeat": ["default": "ignore", "Sale": "add", "lead": "ignore", "x": "update"]
        ])
        #expect(many.repeats(of: "sale") == .add && many.repeats(of: "x") == .update)
        #expect(many.repeats(of: "lead") == .ignore && many.repeats(of: "other") == .ignore)
        #expect(many.document["repeat"] == ["default": "ignore", "sale": "add", "x": "update"])
        #expect(try Network(document: many.document) == many)
        #expect(try network(["repeat": [:]]).repeats(of: "sale") == .update)
        for wrong: JSONValue in ["twice", 1, ["sale": "twice"], ["sale": 1]] {
            #expect(throws: ValidationError.self) { try network(["repeat": wrong]) }
        }
    }

    @Test func `a signature needs a secret and shows none`() throws {
        let network = try network(["signature": ["secret": "s3cret"]])
        let rule = try #require(network.signature)
        #expect(rule.parameter == "sig" && rule.timestampParameter == nil)
        #expect(rule.windowSeconds == 300)
        #expect(try Network(document: network.document) == network)
        #expect(!rule.shownDocument.encoded().contains("s3cret"))
        let shown: JSONValue = ["key": "net", "signature": rule.shownDocument]
        #expect(throws: ValidationError.self) { try Network(document: shown) }
        #expect(try Network(document: rule.restoringSecret(in: shown)) == network)
        for wrong: JSONValue in [
            [:], ["secret": ""], ["secret": "s", "window_seconds": 0],
            ["secret": "s", "window_seconds": 86_401], ["secret": "s", "x": 1],
            ["secret": "s", "parameter": "t", "timestamp_parameter": "T"],
        ] {
            #expect(throws: ValidationError.self) { try self.network(["signature": wrong]) }
        }
    }
}
