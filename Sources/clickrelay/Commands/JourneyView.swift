internal import Domain

/// A click's whole journey as a tree: what happened in the order it happened, and below each what
/// came of it.
struct JourneyView {
    private let journey: JSONValue

    init(_ journey: JSONValue) { self.journey = journey }

    var text: String {
        var children = clickDetails
        children += items("lander_clicks").map(node(landerClick:))
        var shown: Set<String> = []
        for postback in items("postbacks").sorted(by: { at($0) < at($1) }) {
            children.append(node(postback: postback, &shown))
        }
        // Conversions entered by hand came by no call, and replays may have lost theirs.
        for conversion in items("conversions") {
            for revision in conversion["revisions"]?.arrayValue ?? []
            where !shown.contains(revisionKey(conversion, revision)) {
                children.append(node(conversion: conversion, revision: revision))
            }
        }
        if items("postbacks").isEmpty, items("conversions").isEmpty {
            children.append(Tree("no conversion reported yet"))
        }
        let head = "click \(value(journey["click_id"]))  \(value(journey["at"]))"
        return Tree(head, children).lines.joined(separator: "\n") + "\n"
    }

    // MARK: Nodes

    private var clickDetails: [Tree] {
        var names = "campaign \(value(journey["campaign"])), source \(value(journey["source"]))"
        if let path = Show.id(journey["path"]) { names += ", path \(path)" }
        if let lander = journey["lander"]?.stringValue { names += ", lander \(lander)" }
        if let offer = journey["offer"]?.stringValue { names += ", offer \(offer)" }
        var nodes = [Tree(Printable.text(names))]
        nodes.append(Tree("external ID \(value(journey["external_id"]))"))
        if let cost = journey["cost"], !cost.isNull { nodes.append(Tree("cost \(value(cost))")) }
        let variables = journey["vars"]?.objectValue ?? []
        if !variables.isEmpty {
            let pairs = variables.map { "\($0.name)=\(Show.text($0.value))" }
            nodes.append(Tree(Printable.text(pairs.joined(separator: "  "))))
        }
        let visitor = ["ip", "user_agent", "referrer"].compactMap { journey[$0]?.stringValue }
            .filter { !$0.isEmpty }
        if !visitor.isEmpty {
            nodes.append(Tree("visitor " + Printable.text(visitor.joined(separator: "  "))))
        }
        let place = place
        if !place.isEmpty { nodes.append(Tree(Printable.text("from " + place))) }
        let device = device
        if !device.isEmpty { nodes.append(Tree(Printable.text(device))) }
        if let visit = journey["visit"]?.stringValue, visit != "visitor" {
            nodes.append(Tree("no click: a \(Printable.text(visit)), counted in no report"))
        }
        nodes.append(Tree("\(time(journey["at"]))  redirected → \(value(journey["location"]))"))
        return nodes
    }

    /// `Berlin, BE, DE  Example Net (AS64496)  Cellular`
    private var place: String {
        let names = ["city", "region", "country"].compactMap { journey[$0]?.stringValue }
        let system = Show.id(journey["asn"]).map { "AS\($0)" }
        let provider = (journey["isp"]?.stringValue).map { isp in
            isp + (system.map { " (\($0))" } ?? "")
        }
        return [
            names.isEmpty ? nil : names.joined(separator: ", "), provider ?? system,
            journey["connection_type"]?.stringValue,
        ].compactMap(\.self).joined(separator: "  ")
    }

    /// `mobile  Apple iPhone  iOS 17.4  Safari 17.4  in Facebook  de-de`
    private var device: String {
        func words(_ names: String...) -> String? {
            let words = names.compactMap { journey[$0]?.stringValue }
            return words.isEmpty ? nil : words.joined(separator: " ")
        }
        return [
            words("device"), words("brand", "model"), words("os", "os_version"),
            words("browser", "browser_version"), words("in_app").map { "in \($0)" },
            words("language"),
        ].compactMap(\.self).joined(separator: "  ")
    }

    private func node(landerClick: JSONValue) -> Tree {
        let number = Show.id(landerClick["number"]) ?? value(landerClick["number"])
        return Tree(
            "\(time(landerClick["at"]))  lander click \(number), offer "
                + "\(value(landerClick["offer"])) → \(value(landerClick["location"]))")
    }

    private func node(postback: JSONValue, _ shown: inout Set<String>) -> Tree {
        let id = Show.id(postback["id"]) ?? "-"
        var head = "\(time(postback["received_at"]))  postback \(Printable.text(id))"
        head += " from \(value(postback["network"])): \(value(postback["verdict"]))"
        var children = [
            Tree(
                "\(value(postback["request"]?["method"])) \(value(postback["request"]?["target"]))")
        ]
        if let message = postback["message"]?.stringValue, !message.isEmpty {
            children.append(Tree(Printable.text(message)))
        }
        for conversion in items("conversions") {
            for revision in conversion["revisions"]?.arrayValue ?? []
            where Show.id(revision["postback"]) == id {
                shown.insert(revisionKey(conversion, revision))
                children.append(node(conversion: conversion, revision: revision))
            }
        }
        return Tree(head, children)
    }

    private func node(conversion: JSONValue, revision: JSONValue) -> Tree {
        let id = Show.id(conversion["id"]) ?? "-"
        let number = Show.id(revision["revision"]) ?? "-"
        var head = "\(time(revision["at"]))  conversion \(id), revision \(number): "
        head += "\(Show.text(conversion["event"])) \(Show.text(revision["status"])) "
        head += Show.text(revision["payout"])
        if let order = conversion["transaction_id"]?.stringValue, !order.isEmpty {
            head += ", transaction \(order)"
        }
        let deliveries = items("deliveries").filter {
            Show.id($0["conversion"]) == id && Show.id($0["revision"]) == number
        }
        var children = deliveries.map { node(delivery: $0) }
        for item in revision["not_sent"]?.arrayValue ?? [] {
            children.append(
                Tree("not sent to \(value(item["destination"])): \(value(item["reason"]))"))
        }
        if children.isEmpty { children.append(Tree("no outbound postback")) }
        return Tree(Printable.text(head), children)
    }

    private func node(delivery: JSONValue) -> Tree {
        let state = delivery["state"]?.stringValue ?? "-"
        var head =
            "delivery \(value(delivery["id"])) to \(value(delivery["destination"])): \(state)"
        if state == "waiting" { head += ", due \(value(delivery["due_at"]))" }
        if let reason = delivery["reason"]?.stringValue { head += " (\(Printable.text(reason)))" }
        let request = delivery["request"]
        var children = [Tree("\(value(request?["method"])) \(value(request?["url"]))")]
        for attempt in delivery["attempts"]?.arrayValue ?? [] {
            var line = "\(time(attempt["at"]))  "
            line += attempt["status"]?.numberText ?? attempt["error"]?.stringValue ?? "no answer"
            line += " in \(Show.text(attempt["ms"])) ms"
            if let excerpt = attempt["excerpt"]?.stringValue, !excerpt.isEmpty {
                line += "  \(excerpt.prefix(120))"
            }
            children.append(Tree(Printable.text(line)))
        }
        return Tree(head, children)
    }

    // MARK: Values

    private func items(_ name: String) -> [JSONValue] { journey[name]?.arrayValue ?? [] }
    private func value(_ value: JSONValue?) -> String { Printable.text(Show.text(value)) }
    private func at(_ postback: JSONValue) -> String { postback["received_at"]?.stringValue ?? "" }

    private func revisionKey(_ conversion: JSONValue, _ revision: JSONValue) -> String {
        "\(Show.id(conversion["id"]) ?? "") \(Show.id(revision["revision"]) ?? "")"
    }

    /// The time of day where it is the click's day, else with the day.
    private func time(_ value: JSONValue?) -> String {
        guard let text = value?.stringValue, let instant = Instant(rfc3339: text) else {
            return "-"
        }
        // In milliseconds, always with their three digits so that times stand below each other.
        let milliseconds = instant.micros / 1_000 % 1_000
        let fraction = "\(milliseconds + 1_000)".dropFirst()
        let second = Instant(micros: instant.micros - instant.micros % 1_000_000).rfc3339.dropLast()
        let isSameDay = journey["at"]?.stringValue.map { $0.prefix(10) == text.prefix(10) } ?? false
        return isSameDay ? "\(second.dropFirst(11)).\(fraction)" : "\(second).\(fraction)Z"
    }
}
