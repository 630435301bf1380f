/// A device's values under the names that tokens, conditions and answers have for them. Nil: not
/// known.
extension Device {
    public func value(of token: Token) -> String? {
        switch token {
        case .device: return kindName
        case .os: return Self.known(os)
        case .osVersion: return Self.known(osVersion)
        case .browser: return Self.known(browser)
        case .browserVersion: return Self.known(browserVersion)
        case .language: return Self.known(language)
        case .clickID, .externalID, .campaignID, .campaign, .offerID, .landerID, .sourceID,
            .networkID, .variable, .parameter, .cost, .country, .region, .city, .isp, .ip,
            .userAgent, .referrer, .timestamp, .timestampMilliseconds, .timestampMicroseconds,
            .timestampISO8601, .timestampGoogle, .clickTimestamp, .clickTimestampMilliseconds,
            .random, .payout, .payoutMinor, .currency, .status, .event, .transactionID,
            .conversionID, .revision, .extra:
            return nil
        }
    }

    public func value(of fact: Fact) -> String? {
        switch fact {
        case .device: return kindName
        case .brand: return Self.known(brand)
        case .model: return Self.known(model)
        case .os: return Self.known(os)
        case .osVersion: return Self.known(osVersion)
        case .browser: return Self.known(browser)
        case .browserVersion: return Self.known(browserVersion)
        case .inApp: return Self.known(inApp)
        case .language: return Self.known(language)
        case .country, .region, .city, .isp, .asn, .connectionType, .ip, .ipVersion, .referrer,
            .referrerDomain, .userAgent, .parameter, .variable, .header, .weekday, .hour, .unique,
            .bot, .visit, .clickNumber:
            return nil
        }
    }

    /// What is told of a device, in the order in which people read it.
    public static let facts: [Fact] = [
        .device, .brand, .model, .os, .osVersion, .browser, .browserVersion, .inApp, .language,
    ]

    private var kindName: String? { kind == .other ? nil : kind.rawValue }

    private static func known(_ text: String) -> String? { text.isEmpty ? nil : text }
}
