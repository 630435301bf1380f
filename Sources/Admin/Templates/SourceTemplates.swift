internal import Domain

/// The catalogue of traffic sources, `traffic-sources.json`, compiled into the binary.
///
/// To add a source: take its macros and address from its own help page or from the account's
/// tracking page, brackets and case included, name the page under `evidence`, and leave out what no
/// page confirms. An entry's members:
///
/// - `key`, `name`, `kind`; the entries stand in the order of their keys;
/// - `click_id`: `param`, ours to choose unless `token`, the source's macro, is null: then the
///   platform appends it;
/// - `cost`: `param`, `token`, the pricing `model`s that know it, `unit`: currency per what;
/// - `params`: further macros, each with its `meaning`;
/// - `postback`: null, or a destination (`method`, `url`, `headers`, `body`, `success`, `oauth`) with our
///   tokens in braces and account values as `<UPPER_CASE>`, which `needs` explains one by one;
///   `{payout:number}` and `<NAME:number>` where the platform wants a number; `hashing`: which
///   fields of a user must be hashed;
/// - `evidence`: pages; `confidence`: `high`, `medium`, `low`; `notes`: what else one has to know.
enum SourceTemplates {
    static let all: [SourceTemplate] = {
        do {
            return try load(PackageResources.traffic_sources_json)
        } catch {
            // A part of the binary, and a test loads it.
            preconditionFailure("traffic-sources.json: \(error)")
        }
    }()

    static func load(_ bytes: [UInt8]) throws -> [SourceTemplate] {
        var templates: [SourceTemplate] = []
        for (index, entry) in (try JSONValue(parsing: bytes).arrayValue ?? []).enumerated() {
            let template = try SourceTemplate(document: entry)
            if let last = templates.last, last.key >= template.key {
                throw ValidationError("[\(index)].key", "is not after \"\(last.key)\"")
            }
            templates.append(template)
        }
        return templates
    }

    static func named(_ key: String) -> SourceTemplate? { all.first { $0.key.text == key } }

    /// `"propelerads" is not known; did you mean "propellerads"?`
    static func unknown(_ key: String) -> String {
        let hint = NearestName.suggestion(for: key, among: all.map(\.key.text))
        return "\"\(key)\" is not known" + (hint.map { "; did you mean \"\($0)\"?" } ?? "")
    }
}
