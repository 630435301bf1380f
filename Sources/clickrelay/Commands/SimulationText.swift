internal import Domain

/// What the API tells of a simulated visit, as text for people. All of it may come from outside, so
/// each piece is made printable.
struct SimulationText {
    private let seen: JSONValue

    init(_ seen: JSONValue) { self.seen = seen }

    var text: String {
        [visit, rules, decision, caps, answer, postback, calls].filter { !$0.isEmpty }
            .joined(separator: "\n")
    }

    // MARK: The visit

    private var visit: String {
        let campaign = seen["campaign"]
        let visit = seen["visit"]
        func known(_ names: [String]) -> String {
            names.compactMap { name in
                let value = visit?[name]
                return value?.stringValue ?? value?.numberText
            }.joined(separator: ", ")
        }
        let shared = campaign?["flow"]?.stringValue.map { "flow \($0), " } ?? ""
        let parameters = (visit?["params"]?.arrayValue ?? []).map {
            "\(Show.text($0["name"]))=\($0["value"]?.stringValue ?? "")"
        }
        let recorded =
            visit?["recorded"] == true
            ? (visit?["counted"] == true ? "a click" : "recorded, but no click") : "not recorded"
        let number = visit?["click_number"]?.numberText.map { ", the visitor's click \($0)" } ?? ""
        let rows = [
            [
                "campaign",
                "\(Show.text(campaign?["key"]))"
                    + (campaign?["archived"] == true ? ", archived" : "")
                    + " (source \(Show.text(campaign?["source"])), \(shared)"
                    + "flow version \(Show.text(campaign?["flow_version"]))"
                    + (campaign?["flow_is_current"] == false ? ", not the newest)" : ")"),
            ],
            ["click ID", "\(Show.text(visit?["click_id"])) at \(Show.text(visit?["at"]))"],
            ["visit", "\(Show.text(visit?["visit"])): \(recorded)\(number)"],
            [
                "browser",
                known([
                    "device", "brand", "model", "os", "os_version", "browser", "browser_version",
                    "in_app", "language",
                ]),
            ],
            [
                "from",
                known(["ip", "country", "region", "city", "isp", "asn", "connection_type"]),
            ],
            ["referrer", known(["referrer"])],
            ["external ID", known(["external_id"])],
            ["cost", Show.money(visit?["cost"]) ?? ""],
            ["parameters", parameters.joined(separator: "  ")],
        ]
        return TextTable.columns(rows.filter { !$0[1].isEmpty }.map { $0.map(Printable.text) })
    }

    // MARK: Rules and paths

    private var rules: String {
        let taken = seen["decision"]?["rule"]
        var text = ""
        for rule in items(seen["rules"]) {
            let number = Show.text(rule["rule"])
            let name = rule["name"]?.stringValue.map { " \"\($0)\"" } ?? ""
            let result = Show.text(rule["result"]).split(separator: "_").joined(separator: " ")
            text += Printable.text("rule \(number)\(name): \(result)")
            let failed = items(rule["failed"])
            if failed.isEmpty {
                text += Printable.text(": \(Show.text(rule["why"]))") + "\n"
            } else {
                text += "\n"
                for failure in failed {
                    text += "  " + Printable.text(Self.failure(failure)) + "\n"
                }
            }
            if ["taken", "closed"].contains(rule["result"]) { text += paths(rule["paths"]) }
        }
        let isDefault = taken == nil || taken == .null || taken == .integer(Decision.fallbackRule)
        if isDefault, !items(seen["paths"]).isEmpty {
            text += "default paths\n" + paths(seen["paths"])
        }
        return text
    }

    private static func failure(_ failure: JSONValue) -> String {
        let condition = Show.text(failure["condition"])
        if let value = failure["value"]?.stringValue { return "\(condition)  (it is \(value))" }
        return failure["unknown"] == true
            ? "\(condition)  (the location files don't tell)" : condition
    }

    private func paths(_ paths: JSONValue?) -> String {
        var rows: [[String]] = []
        for path in items(paths) {
            let name = path["name"]?.stringValue.map { " \"\($0)\"" } ?? ""
            rows.append(["path \(Show.text(path["path"]))\(name)"] + Self.way(path))
            for kind in ["lander", "offer"] {
                for way in items(path["\(kind)s"]) {
                    rows.append(["  \(kind) \(Show.text(way[kind]))"] + Self.way(way))
                }
            }
        }
        return TextTable.columns(rows.map { $0.map(Printable.text) }, indent: "  ")
    }

    private static func way(_ way: JSONValue) -> [String] {
        [
            "weight \(Show.text(way["weight"]))", Show.text(way["state"]),
            way["state"] == "open" ? "share \(Show.text(way["share"]))" : "",
        ]
    }

    private var decision: String {
        let decision = seen["decision"]
        var text =
            Printable.text("→ \(Self.way(to: decision))") + "\n"
            + Printable.text("  \(Show.text(decision?["why"]))") + "\n"
        if let recorded = seen["recorded"], recorded != .null {
            let same = recorded["same"] == true ? "the same" : "not the same"
            text += Printable.text("  recorded then: \(Self.way(to: recorded)), \(same)") + "\n"
        }
        return text
    }

    private static func way(to decision: JSONValue?) -> String {
        if decision?["path"] == 0 {
            return decision?["fallback"]?.stringValue.map { "the \($0)'s fallback URL" }
                ?? "no path"
        }
        let rule = decision?["rule"] ?? .null
        var parts = [rule == .null ? "default paths" : "rule \(Show.text(rule))"]
        parts.append("path \(Show.text(decision?["path"]))")
        if let lander = decision?["lander"]?.stringValue { parts.append("lander \(lander)") }
        parts.append("offer \(Show.text(decision?["offer"]))")
        return parts.joined(separator: ", ")
    }

    private var caps: String {
        var rows: [[String]] = []
        for cap in items(seen["caps"]) {
            let limits = (cap["limits"]?.objectValue ?? []).compactMap { member -> String? in
                guard member.value != .null, let used = Self.used(member.name, cap) else {
                    return nil
                }
                return "\(member.name) \(used) of \(Show.text(member.value))"
            }
            rows.append([
                "cap of \(Show.text(cap["scope"])) \(Show.text(cap["name"]))",
                cap["open"] == true ? "open" : "full", limits.joined(separator: ", "),
            ])
        }
        return TextTable.columns(rows.map { $0.map(Printable.text) })
    }

    /// What is taken of a limit; nil for what is no limit.
    private static func used(_ limit: String, _ cap: JSONValue) -> String? {
        let used = cap["used"]?[limit.replacing("_per_day", with: "_today")]
        guard limit.hasSuffix("_per_day") || limit.hasSuffix("_total"), let used else { return nil }
        guard case .object(let sums) = used else { return Show.text(used) }
        let currency = cap["limits"]?["currency"]?.stringValue
        return Show.text(sums.first { $0.name == currency }?.value ?? "0")
    }

    // MARK: Where it leads

    private var answer: String {
        let answer = seen["answer"]
        var text = "answer \(Show.text(answer?["status"]))\n" + headers(answer?["headers"])
        text += body(answer?["body"])
        for url in items(seen["urls"]) {
            let key = url["key"]?.stringValue.map { " \($0)" } ?? ""
            text +=
                Printable.text("\(Show.text(url["to"]))\(key) → \(Show.text(url["url"]))") + "\n"
            if let link = url["link"]?.stringValue {
                text += Printable.text("  from the lander by \(link)") + "\n"
            }
            text += empty(url)
        }
        return text
    }

    private var postback: String {
        guard let postback = seen["postback"], postback != .null else {
            return "no postback is expected: there is no offer\n"
        }
        var text =
            Printable.text(
                "expected of network \(Show.text(postback["network"])): "
                    + "\(Show.text(postback["method"])) \(Show.text(postback["url"]))") + "\n"
        if let signature = postback["signature"]?.stringValue {
            text += "  " + Printable.text(signature) + "\n"
        }
        let senders = items(postback["allowed_ips"]).map { Show.text($0) }
        if !senders.isEmpty {
            text += Printable.text("  from \(senders.joined(separator: ", "))") + "\n"
        }
        text += Printable.text(
            "  \(Show.text(postback["verdict"])): \(Show.text(postback["message"]))")
        return text + "\n"
    }

    private var calls: String {
        guard seen["postback"] != .null else { return "" }
        let calls = items(seen["calls"])
        if calls.isEmpty { return "no destination is told\n" }
        var text = ""
        for call in calls {
            let name = Show.text(call["destination"])
            guard let request = call["request"], request != .null else {
                text += Printable.text("\(name): not called, \(Show.text(call["why"]))") + "\n"
                continue
            }
            text +=
                Printable.text(
                    "\(name): \(Show.text(request["method"])) \(Show.text(request["url"]))") + "\n"
            if call["sent"] != true {
                text += Printable.text("  never sent: \(Show.text(call["why"]))") + "\n"
            }
            if let pause = call["paused"], pause != .null { text += "  paused now\n" }
            if let delay = call["delay_seconds"], delay != 0 {
                text += Printable.text("  \(Show.text(delay)) s after the conversion") + "\n"
            }
            text += headers(request["headers"]) + body(request["body"]) + empty(call)
        }
        return text
    }

    private func empty(_ value: JSONValue) -> String {
        let tokens = items(value["empty_tokens"]).map { Show.text($0) }
        return tokens.isEmpty
            ? "" : Printable.text("  without a value: \(tokens.joined(separator: " "))") + "\n"
    }

    private func headers(_ headers: JSONValue?) -> String {
        (headers?.objectValue ?? [])
            .map { "  \(Printable.text("\($0.name): \($0.value.stringValue ?? "")"))\n" }.joined()
    }

    private func body(_ body: JSONValue?) -> String {
        guard let text = body?.stringValue, !text.isEmpty else { return "" }
        return text.split(separator: "\n").map { "  \(Printable.text($0))\n" }.joined()
    }

    private func items(_ value: JSONValue?) -> [JSONValue] { value?.arrayValue ?? [] }
}
