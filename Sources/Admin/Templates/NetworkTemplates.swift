internal import Domain

/// The catalogue of affiliate networks, `affiliate-networks.json`, compiled into the binary.
///
/// To add a network: take its tokens from its own help page or from the account's postback page,
/// brackets and case included, name the page under `evidence`, and leave out what no page confirms.
/// An entry's members:
///
/// - `key`, `name`; the entries stand in the order of their keys;
/// - `subid_param`: the offer URL's parameter that takes our click ID; a text in brackets instead
///   of a name says where the ID goes otherwise;
/// - `token_style`: how the tokens look, an `x` for the name (`{x}`, `[[[x]]]`, `#x#`), or
///   `(query, fixed names)`, `(form body)`, `(JSON body)` where `tokens` holds the network's own
///   names, or `none`;
/// - `tokens`: `click_id`, `payout`, `payout_minor`, `currency`, `status`, `transaction_id`,
///   `event`, `offer_id` and further ones by any name; null: not offered, or not known;
/// - `method`: how the network calls; `status_values`: its words with our statuses;
/// - `source_ips`: where its calls come from, if it says so;
/// - `evidence`: pages; `confidence`: `high`, `medium`, `low` (`NetworkTemplate.Confidence`);
///   `notes`: what else one has to know.
enum NetworkTemplates {
    static let all: [NetworkTemplate] = {
        do {
            return try load(PackageResources.affiliate_networks_json)
        } catch {
            // A part of the binary, and a test loads it.
            preconditionFailure("affiliate-networks.json: \(error)")
        }
    }()

    static func load(_ bytes: [UInt8]) throws -> [NetworkTemplate] {
        var templates: [NetworkTemplate] = []
        for (index, entry) in (try JSONValue(parsing: bytes).arrayValue ?? []).enumerated() {
            let template = try NetworkTemplate(document: entry)
            if let last = templates.last, last.key >= template.key {
                throw ValidationError("[\(index)].key", "is not after \"\(last.key)\"")
            }
            templates.append(template)
        }
        return templates
    }

    static func named(_ key: String) -> NetworkTemplate? { all.first { $0.key.text == key } }

    /// `"myled" is not known; did you mean "mylead"?`
    static func unknown(_ key: String) -> String {
        let hint = NearestName.suggestion(for: key, among: all.map(\.key.text))
        return "\"\(key)\" is not known" + (hint.map { "; did you mean \"\($0)\"?" } ?? "")
    }
}
