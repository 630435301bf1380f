internal import Domain

/// What is tracked, each with a list in the API and the same commands.
enum EntityKind: String, CaseIterable, Sendable {
    case source, network, offer, lander, flow, campaign, domain

    var path: String { "/\(rawValue)s" }

    /// For usage texts.
    var meaning: String {
        switch self {
        case .source: "traffic source"
        case .network: "affiliate network"
        case .offer: "offer"
        case .lander: "lander"
        case .flow: "shared flow"
        case .campaign: "campaign"
        case .domain: "tracking domain"
        }
    }

    /// The key of a document that has none.
    func defaultKey(_ entity: JSONValue) -> JSONValue? {
        switch self {
        case .source, .network: entity["template"]
        case .domain: TrackingDomain.defaultKey(entity).map { .string($0) }
        case .offer, .lander, .flow, .campaign: nil
        }
    }

    var heading: [String] {
        switch self {
        case .source: ["KEY", "NAME", "EXTERNAL ID", "CURRENCY", "DESTINATIONS"]
        case .network: ["KEY", "NAME", "CLICK ID", "CURRENCY", "POSTBACK URL"]
        case .offer: ["KEY", "NAME", "NETWORK", "PAYOUT", "URL"]
        case .lander: ["KEY", "NAME", "URL"]
        case .flow: ["KEY", "NAME", "RULES", "OFFERS"]
        case .campaign: ["KEY", "NAME", "SOURCE", "COST", "OFFERS", "URL"]
        case .domain: ["KEY", "NAME", "HOST", "CAMPAIGN", "FALLBACK URL"]
        }
    }

    func row(_ entity: JSONValue) -> [String] {
        let isArchived =
            entity["archived"]?.boolValue == true || entity["archived_at"]?.stringValue != nil
        let name = Show.text(entity["name"]) + (isArchived ? " (archived)" : "")
        let start = [Show.text(entity["key"]), name]
        switch self {
        case .source:
            let keys = (entity["destinations"]?.arrayValue ?? []).map { Show.text($0["key"]) }
            return start + [
                Show.text(entity["external_id_param"]), Show.text(entity["currency"]),
                keys.isEmpty ? "-" : keys.joined(separator: ", "),
            ]
        case .network:
            return start + [
                Show.text(entity["click_id_param"]), Show.text(entity["currency"]),
                Show.text(entity["postback_url"]),
            ]
        case .offer:
            return start + [
                Show.text(entity["network"]), Show.text(entity["payout"]),
                Show.text(entity["url"]),
            ]
        case .lander: return start + [Show.text(entity["url"])]
        case .domain:
            return start + [
                Show.text(entity["host"]), Show.text(entity["campaign"]),
                Show.text(entity["fallback_url"]),
            ]
        case .flow:
            return start + [String(entity["rules"]?.arrayValue?.count ?? 0), offers(of: entity)]
        case .campaign:
            return start + [
                Show.text(entity["source"]), cost(entity["cost"]), offers(of: entity["flow"]),
                Show.text(entity["url"]),
            ]
        }
    }

    private func cost(_ cost: JSONValue?) -> String {
        let model = Show.text(cost?["model"])
        if let percent = cost?["percent"]?.stringValue { return "\(model) \(percent) %" }
        let words = [cost?["amount"]?.stringValue, cost?["currency"]?.stringValue]
        return ([model] + words.compactMap { $0.map { Printable.text($0) } })
            .joined(separator: " ")
    }

    /// The offers of all paths; the key of a shared flow.
    private func offers(of flow: JSONValue?) -> String {
        if let key = flow?.stringValue { return "flow \(key)" }
        let rules = flow?["rules"]?.arrayValue ?? []
        let paths = ([flow] + rules.map { $0 }).flatMap { $0?["paths"]?.arrayValue ?? [] }
        var keys: [String] = []
        for item in paths.flatMap({ $0["offers"]?.arrayValue ?? [] }) {
            let key = Show.text(item["offer"])
            if !keys.contains(key) { keys.append(key) }
        }
        return keys.isEmpty ? "-" : keys.joined(separator: ", ")
    }
}
