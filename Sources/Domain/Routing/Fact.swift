/// What a condition may ask of a visit, and under which name.
public enum Fact: Hashable, Sendable {
    case country, region, city, isp, asn, connectionType
    case ip, ipVersion
    case device, brand, model, os, osVersion, browser, browserVersion, inApp
    /// The language that the visitor likes best: `pt-br`.
    case language
    case referrer, referrerDomain, userAgent
    /// A parameter of the campaign URL.
    case parameter(String)
    /// The campaign URL's parameter that the source maps to `varN`.
    case variable(Int)
    /// A header of the request, by its name in lower case.
    case header(String)
    /// By the clocks of the condition's own time zone.
    case weekday, hour
    /// First click of this visitor within its campaign's `Uniqueness`.
    case unique
    case bot
    /// `visitor`, `bot`, `prefetch` or `preview`.
    case visit
    /// How many clicks of this visitor there were within the window, this one included.
    case clickNumber

    /// How its values compare.
    enum Kind {
        case text
        /// Matches its subdomains too.
        case domain
        /// Matches its regional forms too.
        case language
        /// Numbers with dots.
        case version
        case number
        case address
        case flag
        /// Read from the clock, not from the sheet.
        case weekday, hour
    }

    var kind: Kind {
        switch self {
        case .country, .region, .city, .isp, .connectionType, .device, .brand, .model, .os,
            .browser, .inApp, .referrer, .userAgent, .parameter, .variable, .header, .visit:
            .text
        case .referrerDomain: .domain
        case .language: .language
        case .osVersion, .browserVersion: .version
        case .asn, .ipVersion, .clickNumber: .number
        case .ip: .address
        case .unique, .bot: .flag
        case .weekday: .weekday
        case .hour: .hour
        }
    }

    /// Known from the operator's location files only: where they don't tell, no condition on it
    /// holds, neither "is" nor "is not", because sending a visitor by a guess would be both.
    var isGeographic: Bool {
        switch self {
        case .country, .region, .city, .isp, .asn, .connectionType: true
        case .ip, .ipVersion, .device, .brand, .model, .os, .osVersion, .browser, .browserVersion,
            .inApp, .language, .referrer, .referrerDomain, .userAgent, .parameter, .variable,
            .header, .weekday, .hour, .unique, .bot, .visit, .clickNumber:
            false
        }
    }

    private static let names: [(name: String, fact: Fact)] = {
        var names: [(String, Fact)] = [
            ("country", .country), ("region", .region), ("city", .city), ("isp", .isp),
            ("asn", .asn), ("connection_type", .connectionType), ("ip", .ip),
            ("ip_version", .ipVersion), ("device", .device), ("brand", .brand), ("model", .model),
            ("os", .os), ("os_version", .osVersion), ("browser", .browser),
            ("browser_version", .browserVersion), ("in_app", .inApp), ("language", .language),
            ("referrer", .referrer), ("referrer_domain", .referrerDomain),
            ("user_agent", .userAgent), ("weekday", .weekday), ("hour", .hour),
            ("unique", .unique), ("bot", .bot), ("visit", .visit), ("click_number", .clickNumber),
        ]
        for number in 1...Token.variableMax { names.append(("var\(number)", .variable(number))) }
        return names
    }()

    private static let byName = Dictionary(uniqueKeysWithValues: names.map { ($0.name, $0.fact) })

    /// For suggestions.
    static let allNames = names.map(\.name) + ["param:NAME", "header:NAME"]

    /// Nil where nothing is called that.
    init?(name: String) {
        if let fact = Self.byName[name] {
            self = fact
        } else if name.hasPrefix("param:"), (7...134).contains(name.utf8.count) {
            self = .parameter(String(name.dropFirst(6)))
        } else if name.hasPrefix("header:"), (8...134).contains(name.utf8.count) {
            self = .header(name.dropFirst(7).lowercased())
        } else {
            return nil
        }
    }

    public var name: String {
        if case .parameter(let name) = self { return "param:\(name)" }
        if case .header(let name) = self { return "header:\(name)" }
        return Self.names.first { $0.fact == self }?.name ?? "\(self)"
    }
}
