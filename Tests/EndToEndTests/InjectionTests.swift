import TestSupport
import Testing

/// Values that visitors and networks choose, in everything that a destination is told: they stay
/// values.
@Suite struct InjectionTests {
    private static let marks = [
        "\r\nX-Injected: 1\r\n", "\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", "\n", "\r",
        "\u{0}", "\"", "'", "\\", "\\\"", "\",\"admin\":true,\"", "}", "{payout}", "{{", "&a=b",
        "=", "?", "#", "%", "%0d%0aX-Injected: 1", "%00", "+", " ", "\t", "/../", "//evil.example/",
        "@evil.example", ":8080", ";", ",", "<b>", "</id>", "]]>", "--boundary", "\u{202e}",
        "\u{2066}", "\u{200f}", "\u{2028}", "\u{85}", "\u{feff}", "\u{7f}", "\u{1b}[31m",
        "\u{1f600}", "e\u{301}",
    ]

    private static func hostileText(_ random: inout SeededRandom) -> String {
        (0..<Int.random(in: 1...6, using: &random)).map { _ in
            Bool.random(using: &random)
                ? marks.randomElement(using: &random) ?? ""
                : "v\(Int.random(in: 0...9, using: &random))"
        }.joined()
    }

    /// Without what no header and no line can carry.
    private static func line(_ text: String) -> String {
        String(
            decoding: text.utf8.filter { $0 >= 32 && $0 != 127 }, as: UTF8.self)
    }

    private static let header = [
        "accept", "content-length", "content-type", "host", "idempotency-key", "user-agent", "x-id",
    ]

    private static func destinations(_ setup: Chain.Setup) -> [JSON] {
        func destination(_ key: String, _ type: String?, _ body: JSON) -> JSON {
            var headers: [String: JSON] = ["X-Id": "a {external_id} b"]
            if let type { headers["Content-Type"] = .string(type) }
            return [
                "key": .string(key), "method": "POST", "allow_private": true,
                "url": .string(
                    setup.sourceURL + "/\(key)/{external_id}/p?id={external_id}&tx={transaction_id}"
                ),
                "headers": .object(headers), "body": body,
            ]
        }
        return [
            destination("form", nil, "id={external_id}&tx={transaction_id}&end=1"),
            destination("json", nil, ["id": "{external_id}", "list": ["x{transaction_id}", 1]]),
            destination(
                "text-json", "application/json",
                #"{"id": "{external_id}", "bare": {transaction_id}, "end": 1}"#),
            destination("xml", "application/xml", "<i a=\"{external_id}\">{transaction_id}</i>"),
            destination("plain", "text/plain", "{external_id}\n{transaction_id}\n"),
            destination("csv", "text/csv", "{external_id},{transaction_id}\n"),
        ]
    }

    @Test func `no value gets out of the URL, the header or the body that it stands in`() throws {
        let seed = monotonicNanos()
        var random = SeededRandom(seed)
        let chain = try Chain.start { $0.destinations = Self.destinations($0) }
        var values: [(id: String, transaction: String)] = []
        for number in 0..<60 {
            // A number first, by which its calls are found.
            let id = "i\(number)." + Self.hostileText(&random)
            let transaction = "t\(number)." + Self.hostileText(&random)
            let visit = try chain.visit("subid=\(percentEncoded(id))")
            let answer = try chain.network.report([
                ("cid", visit.clickID), ("txid", transaction), ("payout", "1"),
            ])
            #expect(answer.verdict == "accepted", "seed \(seed): \(answer.json.text)")
            values.append((id, transaction))
        }
        let calls = try chain.source.await(values.count * 6, within: 60)
        #expect(calls.count == values.count * 6, "seed \(seed)")
        for call in calls {
            let id = call.query["id"] ?? ""
            let number = Int(id.dropFirst().prefix { $0 != "." }) ?? -1
            guard values.indices.contains(number) else {
                Issue.record("\(call.target), seed \(seed)")
                continue
            }
            check(call, values[number], seed)
        }
    }

    /// Shown to people or kept for them: what moves a cursor, hides or turns text is escaped.
    static func isShowable(_ text: String) -> Bool {
        !text.unicodeScalars.contains { scalar in
            switch scalar.value {
            case 0..<9, 11..<32, 127..<160, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
                true
            default: false
            }
        }
    }

    @Test func `no value turns, hides or moves what an operator reads`() throws {
        let chain = try Chain.start { $0.options.environment["CLICKRELAY_LOG_LEVEL"] = "debug" }
        let hostile =
            "=cmd|' /C calc'!A0<script>\u{1b}[2J\u{7}\u{9b}2J\r\nx: 1\u{202e}gpj.exe\u{2066}"
            + "\u{200f}\u{61c}\u{2028}\u{0}\u{85}\u{7f}end"
        let value = percentEncoded(hostile)
        // Headers can't hold all of it.
        let header = String(
            decoding: hostile.utf8.filter { $0 >= 32 && $0 != 127 }, as: UTF8.self)
        let answer = try chain.tracker.get(
            "/c/summer?subid=\(value)&zone=\(value)&\(value)=\(value)",
            fields: ["User-Agent": header, "Referer": header, "Accept-Language": header])
        #expect(answer.status == 302)
        for (_, value) in answer.fields.all { #expect(Self.isShowable(value), "\(value)") }
        let visit = try chain.visit("subid=\(value)&zone=\(value)")
        for status in ["approved", hostile] {
            let report = try chain.network.report([
                ("cid", visit.clickID), ("txid", hostile + status), ("status", status),
                ("event", hostile), ("param1", hostile), (hostile, hostile),
            ])
            #expect(report.verdict == "accepted")
            #expect(Self.isShowable(report.response.text), "\(report.response.text)")
        }
        _ = try chain.tracker.get("/postback/\(value)?cid=\(value)")
        _ = try chain.tracker.get("/\(value)", fields: ["Host": "a.test"])
        let lists = ["postbacks", "conversions", "deliveries"]
        for path in lists.map({ "/\($0)" }) + ["/clicks/\(visit.clickID)"] {
            let text = try chain.tracker.api("GET", path).text
            #expect(text.contains("end") && Self.isShowable(text), "\(path): \(text)")
            #expect(!text.contains("<script>"))
        }
        let commands = [["trace", visit.clickID]] + lists.map { [$0, "list"] }
        for command in commands + commands.map({ $0 + ["--json"] }) {
            let result = try TrackerProcess.run(
                command + ["--data-dir", chain.tracker.dataDirectory])
            #expect(result.exitCode == 0, "\(command): \(result.error)")
            #expect(Self.isShowable(result.output), "\(command): \(result.output)")
        }
        #expect(Self.isShowable(chain.tracker.errorText), "\(chain.tracker.errorText)")
    }

    private func check(
        _ call: RecordedRequest, _ value: (id: String, transaction: String), _ seed: UInt64
    ) {
        let (id, transaction) = (Array(value.id.utf8), Array(value.transaction.utf8))
        let key = String(call.path.dropFirst().prefix { $0 != "/" })
        // The target is what it was meant to be, byte by byte.
        #expect(
            call.target
                == "/\(key)/\(percentEncoded(value.id))/p?id=\(percentEncoded(value.id))"
                + "&tx=\(percentEncoded(value.transaction))", "seed \(seed)")
        #expect(call.method == "POST")
        let names = call.fields.all.map { $0.0.lowercased() }.sorted()
        #expect(names == Self.header, "\(names), seed \(seed)")
        #expect(Array((call.fields["x-id"] ?? "").utf8) == Array("a \(Self.line(value.id)) b".utf8))

        switch key {
        case "form":
            let form = URLQuery(ofTarget: "/?" + call.text)
            #expect(form.names == ["id", "tx", "end"], "\(call.text), seed \(seed)")
            #expect(percentDecodedBytes(form.rawValue("id") ?? "") == id, "seed \(seed)")
            #expect(percentDecodedBytes(form.rawValue("tx") ?? "") == transaction, "seed \(seed)")
        case "json":
            let expected: JSON = [
                "id": .string(value.id), "list": [.string("x" + value.transaction), 1],
            ]
            #expect((try? JSON(parsing: call.text)) == expected, "\(call.text), seed \(seed)")
        case "text-json":
            let expected: JSON = [
                "id": .string(value.id), "bare": .string(value.transaction), "end": 1,
            ]
            #expect((try? JSON(parsing: call.text)) == expected, "\(call.text), seed \(seed)")
        case "xml":
            let text = call.text
            #expect(text.hasPrefix("<i a=\"") && text.hasSuffix("</i>"), "\(text), seed \(seed)")
            #expect(text.filter { $0 == "<" }.count == 2, "\(text), seed \(seed)")
            #expect(text.filter { $0 == "\"" }.count == 2, "\(text), seed \(seed)")
        case "plain":
            #expect(
                call.body
                    == Array(
                        (Self.line(value.id) + "\n" + Self.line(value.transaction) + "\n").utf8),
                "seed \(seed)")
        case "csv":
            #expect(
                call.text == percentEncoded(value.id) + "," + percentEncoded(value.transaction)
                    + "\n",
                "seed \(seed)")
        default: Issue.record("\(call.target), seed \(seed)")
        }
    }
}
