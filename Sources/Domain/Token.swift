/// A name in braces that a template replaces by a value (`clickrelay help tokens`).
public enum Token: Hashable, Sendable {
    case clickID, externalID
    case campaignID, campaign, offerID, landerID, sourceID, networkID
    /// `{var1}` … `{var20}`: the campaign URL's parameter that the source maps to that number.
    case variable(Int)
    /// `{var:NAME}`: the campaign URL's parameter of that name.
    case parameter(String)
    case cost, country, region, city, isp, language
    case device, os, osVersion, browser, browserVersion
    case ip, userAgent, referrer
    case timestamp, timestampMilliseconds, timestampMicroseconds, timestampISO8601
    case timestampGoogle
    case clickTimestamp, clickTimestampMilliseconds
    case random
    case payout, payoutMinor, currency, status, event, transactionID, conversionID, revision
    /// `{param1}` … `{param10}`: extras of the network's postback.
    case extra(Int)

    public static let variableMax = 20
    public static let extraMax = 10

    /// Every spelling but `{var:NAME}`, the one to suggest first.
    static let spellings: [(name: String, token: Token)] = {
        var table: [(String, Token)] = [
            ("click_id", .clickID), ("clickid", .clickID), ("subid", .clickID), ("cid", .clickID),
            ("external_id", .externalID), ("externalid", .externalID),
            ("campaign_id", .campaignID), ("campaign", .campaign), ("offer_id", .offerID),
            ("lander_id", .landerID), ("source_id", .sourceID), ("network_id", .networkID),
            ("cost", .cost), ("country", .country), ("region", .region), ("city", .city),
            ("isp", .isp), ("language", .language), ("device", .device), ("os", .os),
            ("os_version", .osVersion), ("browser", .browser),
            ("browser_version", .browserVersion), ("ip", .ip), ("user_agent", .userAgent),
            ("referrer", .referrer), ("timestamp", .timestamp),
            ("timestamp_ms", .timestampMilliseconds), ("timestamp_us", .timestampMicroseconds),
            ("timestamp_iso8601", .timestampISO8601), ("timestamp_google", .timestampGoogle),
            ("click_timestamp", .clickTimestamp),
            ("click_timestamp_ms", .clickTimestampMilliseconds), ("random", .random),
            ("payout", .payout), ("payout_minor", .payoutMinor), ("currency", .currency),
            ("status", .status), ("event", .event), ("transaction_id", .transactionID),
            ("txid", .transactionID), ("conversion_id", .conversionID), ("revision", .revision),
        ]
        for number in 1...variableMax { table.append(("var\(number)", .variable(number))) }
        for number in 1...extraMax { table.append(("param\(number)", .extra(number))) }
        return table
    }()

    private static let bySpelling = Dictionary(
        uniqueKeysWithValues: spellings.map { ($0.name, $0.token) })

    /// How to write it, without braces.
    public var spelling: String {
        if case .parameter(let name) = self { return "var:\(name)" }
        return Self.spellings.first { $0.token == self }?.name ?? "\(self)"
    }

    /// Nil when no token is spelled like that.
    init?(spelling: String) {
        guard let token = Self.bySpelling[spelling] else { return nil }
        self = token
    }

    /// Whether a value exists only once a network has reported a conversion.
    public var needsConversion: Bool {
        switch self {
        case .payout, .payoutMinor, .currency, .status, .event, .transactionID, .conversionID,
            .revision, .extra:
            true
        case .clickID, .externalID, .campaignID, .campaign, .offerID, .landerID, .sourceID,
            .networkID, .variable, .parameter, .cost, .country, .region, .city, .isp, .language,
            .device, .os, .osVersion, .browser, .browserVersion, .ip, .userAgent, .referrer,
            .timestamp, .timestampMilliseconds, .timestampMicroseconds, .timestampISO8601,
            .timestampGoogle, .clickTimestamp, .clickTimestampMilliseconds, .random:
            false
        }
    }

    /// Whether the value is money, so that `{payout:2}` makes sense.
    var isAmount: Bool { self == .payout || self == .cost }

    /// Whether the value is a number, so that `{payout:number}` makes sense.
    var isNumeric: Bool {
        switch self {
        case .campaignID, .offerID, .landerID, .sourceID, .networkID, .cost, .timestamp,
            .timestampMilliseconds, .timestampMicroseconds, .clickTimestamp,
            .clickTimestampMilliseconds, .payout, .payoutMinor, .revision, .variable, .parameter,
            .extra:
            true
        case .clickID, .externalID, .campaign, .country, .region, .city, .isp, .language, .device,
            .os, .osVersion, .browser, .browserVersion, .ip, .userAgent, .referrer,
            .timestampISO8601, .timestampGoogle, .random, .currency, .status, .event,
            .transactionID, .conversionID:
            false
        }
    }
}

/// A token as a template uses it: `{payout:number}`, `{payout:2}`, `{sha256:click_id}`,
/// `{status:approved=1}`. A class: to fill a template each click takes its tokens out, and copying
/// their parts would count references to all of them.
public final class TokenUse: Hashable, Sendable {
    public let token: Token
    /// `{name:raw}`: the value's own reserved characters stay; what no URL may contain is encoded.
    public let isRaw: Bool
    /// `{name:number}`: a JSON body takes the value as a number.
    public let isNumber: Bool
    /// `{payout:2}`: an amount with exactly so many decimals.
    public let decimals: Int?
    /// `{sha256:name}`: the value's SHA-256 in lower-case hex.
    public let isHashed: Bool
    /// `{status:approved=1 pending=2}`: another word for a value; values not listed have none.
    public let renames: [String: String]

    /// The token in braces, hashed or not: `{sha256:external_id}`.
    public var text: String { isHashed ? "{sha256:\(token.spelling)}" : "{\(token.spelling)}" }

    public static func == (left: TokenUse, right: TokenUse) -> Bool {
        left.token == right.token && left.isRaw == right.isRaw && left.isNumber == right.isNumber
            && left.decimals == right.decimals && left.isHashed == right.isHashed
            && left.renames == right.renames
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(token)
        hasher.combine(isHashed)
    }

    /// Reads what stands between the braces.
    /// - Throws: a sentence that says what to mend.
    init(spelling: String) throws(TemplateError) {
        let parts = spelling.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let argument = parts.count == 2 ? String(parts[1]) : nil
        var isRaw = false
        var isNumber = false
        var decimals: Int?
        var isHashed = false
        var renames: [String: String] = [:]
        switch (name, argument) {
        case (_, nil): token = try Self.token(named: name)
        case ("var", let argument?):
            // A trailing :raw belongs to us, the rest is the parameter's name.
            isRaw = argument.hasSuffix(":raw")
            token = try Self.parameter(isRaw ? String(argument.dropLast(4)) : argument)
        case ("sha256", let argument?):
            token =
                argument.hasPrefix("var:")
                ? try Self.parameter(String(argument.dropFirst(4)))
                : try Self.token(named: argument)
            isHashed = true
        case (_, let argument?):
            let token = try Self.token(named: name)
            if argument == "raw" {
                isRaw = true
            } else if argument == "number" {
                guard token.isNumeric else {
                    throw TemplateError("{\(name)} is not a number, so it can't be {\(spelling)}")
                }
                isNumber = true
            } else if let number = Int(argument), argument.utf8.count == 1, token.isAmount {
                decimals = number
            } else if token == .status || token == .event {
                renames = try Self.renames(argument, of: token, in: spelling)
            } else {
                throw TemplateError(
                    "{\(spelling)}: after \"\(name):\" only \"raw\" or \"number\" can stand"
                        + (token.isAmount ? ", or 0 to 9 decimals" : ""))
            }
            self.token = token
        }
        self.isRaw = isRaw
        self.isNumber = isNumber
        self.decimals = decimals
        self.isHashed = isHashed
        self.renames = renames
    }

    private static func parameter(_ name: String) throws(TemplateError) -> Token {
        guard !name.isEmpty else {
            throw TemplateError("{var:} needs the name of a parameter of the campaign URL")
        }
        return .parameter(name)
    }

    private static func token(named name: String) throws(TemplateError) -> Token {
        if let token = Token(spelling: name) { return token }
        let hint = NearestName.suggestion(for: name, among: Token.spellings.map(\.name))
        throw TemplateError(
            "unknown token {\(name)}" + (hint.map { "; did you mean {\($0)}?" } ?? ""))
    }

    private static func renames(_ text: String, of token: Token, in spelling: String)
        throws(TemplateError) -> [String: String]
    {
        var renames: [String: String] = [:]
        for pair in text.split(separator: " ") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
                throw TemplateError("{\(spelling)}: write pairs such as approved=1, by spaces")
            }
            if token == .status, ConversionStatus(rawValue: String(sides[0])) == nil {
                let statuses = ConversionStatus.allCases.map(\.rawValue)
                throw TemplateError(
                    "{\(spelling)}: \"\(sides[0])\" is not one of "
                        + statuses.joined(separator: ", "))
            }
            renames[String(sides[0])] = String(sides[1])
        }
        return renames
    }
}

/// A template that can't be used, in a sentence that says what to mend.
public struct TemplateError: Error, Equatable, Sendable {
    public let message: String

    init(_ message: String) { self.message = message }
}
