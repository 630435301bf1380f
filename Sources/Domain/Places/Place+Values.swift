/// A place's values under the names that tokens, conditions and answers have for them. Nil: not
/// known.
extension Place {
    public func value(of token: Token) -> String? {
        switch token {
        case .country: return Self.known(country)
        case .region: return Self.known(region)
        case .city: return Self.known(city)
        case .isp: return Self.known(isp)
        case .clickID, .externalID, .campaignID, .campaign, .offerID, .landerID, .sourceID,
            .networkID, .variable, .parameter, .cost, .language, .device, .os, .osVersion, .browser,
            .browserVersion, .ip, .userAgent, .referrer, .timestamp, .timestampMilliseconds,
            .timestampMicroseconds, .timestampISO8601, .timestampGoogle, .clickTimestamp,
            .clickTimestampMilliseconds, .random, .payout, .payoutMinor, .currency, .status, .event,
            .transactionID, .conversionID, .revision, .extra:
            return nil
        }
    }

    public func value(of fact: Fact) -> String? {
        switch fact {
        case .country: return Self.known(country)
        case .region: return Self.known(region)
        case .city: return Self.known(city)
        case .isp: return Self.known(isp)
        case .asn: return asn == 0 ? nil : String(asn)
        case .connectionType: return Self.known(connectionType)
        case .device, .brand, .model, .os, .osVersion, .browser, .browserVersion, .inApp, .language,
            .ip, .ipVersion, .referrer, .referrerDomain, .userAgent, .parameter, .variable, .header,
            .weekday, .hour, .unique, .bot, .visit, .clickNumber:
            return nil
        }
    }

    /// What is told of a place, in the order in which people read it.
    public static let facts: [Fact] = [.country, .region, .city, .isp, .asn, .connectionType]

    private static func known(_ text: String) -> String? { text.isEmpty ? nil : text }
}
