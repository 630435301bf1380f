internal import Domain

/// `postback test`: calls a destination once and shows everything that came of it.
enum PostbackTestCommand {
    static let commands = [
        Command(
            words: ["postback", "test"],
            summary: "call a destination once, and show what comes of it",
            flags: [
                Flag("destination", "NAME", "such as propellerads/main, or campaign:summer/hook"),
                Flag("status", "STATUS", "of the sample (approved)"),
                Flag("event", "EVENT", "of the sample (conversion)"),
                Flag("payout", "AMOUNT", "of the sample, in the source's currency (1)"),
                Flag("click", "CLICK_ID", "tell this click's values, not invented ones"),
                Command.jsonFlag,
            ],
            scope: .api,
            details: """
                The call is made as deliveries are: rendered by the destination's templates, signed or
                with an access token where it has them, to addresses that pass the same check, and
                judged by its success rule. It's recorded nowhere, but the receiver can't tell it from
                a conversion unless a value says so. Invented values: external ID and transaction ID
                clickrelay-test, every parameter 1, cost 0.01, IP 192.0.2.1, a click ID of no click.
                Redirects are walked along to be shown, by GET, without the call's headers and body,
                and to public addresses or the destination's own host; deliveries follow none.
                Exit 0: the receiver took it. Exit 1: it didn't, or was not called.
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        guard let name = invocation.arguments.value("destination") else {
            throw .usage(
                "`postback test` needs --destination; `clickrelay deliveries destinations` lists "
                    + "them\nusage: \(HelpText.usage(of: invocation.command))")
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw .usage(
                "--destination must be SOURCE/KEY or campaign:CAMPAIGN/KEY, not "
                    + "\"\(Printable.text(name))\"")
        }
        var sample: [JSONMember] = []
        for (flag, member) in [
            ("status", "status"), ("event", "event"), ("payout", "payout"), ("click", "click_id"),
        ] {
            guard let value = invocation.arguments.value(flag) else { continue }
            sample.append(JSONMember(name: member, value: .string(value)))
        }
        let path = parts.map { API.encoded(String($0)) }.joined(separator: "/")
        let seen = try invocation.api().call(
            "POST", "/destinations/\(path)/test", body: .object(sample))
        if invocation.wantsJSON {
            Terminal.line(seen.encoded(pretty: true))
        } else {
            Terminal.out(CallText.text(of: seen))
        }
        return seen["accepted"] == true ? .done : .failed
    }
}

/// What was seen of a call, as lines for people: the call, the way to the receiver, the answer.
private enum CallText {
    static func text(of seen: JSONValue) -> String {
        var text = request(seen["request"])
        text += TextTable.columns(way(seen))
        text += response(seen["response"])
        let verdict =
            seen["accepted"] == true ? "accepted" : "not accepted: \(Show.text(seen["reason"]))"
        text += Printable.text(verdict) + "\n"
        if let reason = seen["not_told"]?.stringValue {
            text += Printable.text("no conversion like this is told there: \(reason)") + "\n"
        }
        return text
    }

    private static func request(_ request: JSONValue?) -> String {
        var text =
            Printable.text("\(Show.text(request?["method"])) \(Show.text(request?["url"]))") + "\n"
        text += headers(request?["headers"])
        text += body(request?["body"])
        return text + "\n"
    }

    private static func headers(_ headers: JSONValue?) -> String {
        (headers?.objectValue ?? [])
            .map { "  \(Printable.text("\($0.name): \($0.value.stringValue ?? "")"))\n" }.joined()
    }

    private static func body(_ body: JSONValue?) -> String {
        guard let text = body?.stringValue, !text.isEmpty else { return "" }
        return "\n"
            + text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "  \(Printable.text($0))\n" }.joined()
    }

    private static func way(_ seen: JSONValue) -> [[String]] {
        var rows: [[String]] = []
        for address in seen["addresses"]?.arrayValue ?? [] {
            let refusal = address["refused"]?.stringValue
            rows.append([
                rows.isEmpty ? "addresses" : "",
                Show.text(address["address"]) + (refusal.map { ", refused: \($0)" } ?? ""),
            ])
        }
        if let address = seen["connected_to"]?.stringValue { rows.append(["connected", address]) }
        if let tls = seen["tls"], tls != .null { rows += Self.tls(tls) }
        for redirect in seen["redirects"]?.arrayValue ?? [] {
            let end =
                redirect["error"]?.stringValue ?? "answered \(Show.text(redirect["answered"]))"
            rows.append([
                "redirect",
                "\(Show.text(redirect["status"])) to \(Show.text(redirect["location"])): \(end)",
            ])
        }
        let times = (seen["ms"]?.objectValue ?? []).filter { $0.value != .null }
            .map { "\($0.name) \(Show.text($0.value))" }
        if !times.isEmpty {
            rows.append(["times", times.joined(separator: ", ") + " (milliseconds)"])
        }
        return rows.map { $0.map(Printable.text) }
    }

    private static func tls(_ tls: JSONValue) -> [[String]] {
        let problem = tls["problem"]?.stringValue
        let agreed = [tls["version"]?.stringValue, tls["cipher"]?.stringValue].compactMap(\.self)
        var rows = [
            [
                "TLS",
                (agreed + [problem.map { "refused: \($0)" } ?? "verified"])
                    .joined(separator: ", "),
            ]
        ]
        guard let certificate = tls["certificate"], certificate != .null else { return rows }
        let names = (certificate["names"]?.arrayValue ?? []).map { Show.text($0) }
        rows.append([
            "certificate",
            "for \(names.isEmpty ? Show.text(certificate["subject"]) : names.joined(separator: ", "))",
        ])
        rows.append(["", "issued by \(Show.text(certificate["issuer"]))"])
        rows.append([
            "",
            "valid from \(Show.time(certificate["not_before"])) "
                + "to \(Show.time(certificate["not_after"]))",
        ])
        return rows
    }

    private static func response(_ response: JSONValue?) -> String {
        guard let response, response != .null else { return "\n" }
        var text =
            "\n"
            + Printable.text(
                "\(Show.text(response["status"])) \(response["reason"]?.stringValue ?? "")")
            + "\n"
        text += headers(response["headers"])
        text += body(response["body"])
        if response["truncated"] == true {
            text += "  … (\(Show.text(response["body_bytes"])) bytes were read)\n"
        }
        return text + "\n"
    }
}
