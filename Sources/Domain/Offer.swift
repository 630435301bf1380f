/// The advertiser's page that pays, reached through an affiliate network.
public struct Offer: Entity, Hashable {
    public static let kind = "offer"

    public let key: EntityKey
    public let name: String
    public let network: EntityKey
    public let url: URLTemplate
    /// Used when a postback has no amount.
    public let payout: Money?
    public let limits: ConversionLimits
    /// How many visitors it takes; nil: as many as come.
    public let trafficCaps: TrafficCaps?
    /// Takes the visitors that this one's caps leave out.
    public let overflowOffer: EntityKey?

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        network = reader.requiredKey("network")
        payout = Self.payout(&reader)
        limits = ConversionLimits(&reader, currency: payout?.currency)
        trafficCaps = TrafficCaps(&reader, currency: payout?.currency)
        overflowOffer = reader.key("overflow_offer")
        if let overflowOffer, overflowOffer == key {
            reader.fail("overflow_offer", "must be another offer")
        }
        let url = reader.visitorURL("url", isRequired: true)
        reader.finish()
        try problems.throwIfAny()
        guard let url else { throw ValidationError("url", "is required") }
        self.url = url
    }

    private static func payout(_ offer: inout DocumentReader) -> Money? {
        guard var reader = offer.reader("payout") else { return nil }
        let amount = reader.amount("amount")
        let currency = reader.currency("currency", default: .usDollar)
        reader.finish()
        return amount.map { Money(nanos: $0, currency: currency) }
    }

    /// Where a visitor is sent: the URL, with the network's click ID parameter appended when the
    /// URL itself carries no click ID.
    public func landingURL(network: Network) throws(ValidationError) -> URLTemplate {
        if url.tokens.contains(where: { $0.token == .clickID }) { return url }
        guard let parameter = network.clickIDParameter else {
            throw ValidationError(
                "url",
                "carries no {click_id}, and network \(network.key) has no click_id_param to append")
        }
        var name: [UInt8] = []
        PercentEncoding.append(Array(parameter.utf8), to: &name)
        do {
            return try url.appending(
                parameter: String(decoding: name, as: UTF8.self) + "={click_id}")
        } catch {
            throw ValidationError("url", error.message)
        }
    }

    public var document: JSONValue {
        .object(
            [
                JSONMember(name: "key", value: .string(key.text)),
                JSONMember(name: "name", value: .string(name)),
                JSONMember(name: "network", value: .string(network.text)),
                JSONMember(name: "url", value: .string(url.text)),
                JSONMember(name: "payout", value: payout?.document ?? .null),
            ] + limits.members + [
                TrafficCaps.member(trafficCaps),
                JSONMember(name: "overflow_offer", value: .string(orNull: overflowOffer?.text)),
            ])
    }
}

extension Money {
    /// `{"amount": "12.5", "currency": "USD"}`
    public var document: JSONValue {
        ["amount": .string(amountText), "currency": .string(currency.code)]
    }
}
