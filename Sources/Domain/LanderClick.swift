/// A visitor pressed a lander's button and went on to an offer.
public struct LanderClick: Hashable, Sendable {
    /// From the same counter as the clicks' row IDs: it tells when this was.
    public let id: ClickRowID
    public let clickRowID: ClickRowID
    public let campaignID: CampaignID
    /// What the link asked for.
    public let number: OfferNumber
    /// Which wording of which offer's URL the visitor was sent to; 0: the campaign's fallback URL.
    public let offerVersion: Int64

    public init(
        id: ClickRowID, clickRowID: ClickRowID, campaignID: CampaignID, number: OfferNumber,
        offerVersion: Int64
    ) {
        self.id = id
        self.clickRowID = clickRowID
        self.campaignID = campaignID
        self.number = number
        self.offerVersion = offerVersion
    }

    /// As many of one click are recorded; a visitor who presses on goes on, too, but whoever presses
    /// that often is a program, and its presses are no information.
    public static let perClickMax = 1000

    /// The one that a conversion comes from, of a click's lander clicks: the newest before it that
    /// led to an offer of the network that reports it, else the newest before it.
    ///
    /// - Parameter time: when the network reported it.
    public static func source(
        of conversionAt: Instant, among clicks: [LanderClick],
        isOfNetwork: (LanderClick) -> Bool
    ) -> LanderClick? {
        let clicks = clicks.filter { $0.offerVersion != 0 }.sorted { $0.id < $1.id }
        let before = clicks.filter { $0.id.instant <= conversionAt }
        // Clocks differ between a file entered by hand and ours: then the order can't be told.
        let candidates = before.isEmpty ? clicks : before
        return candidates.last(where: isOfNetwork) ?? candidates.last
    }
}

/// Which offer of its click's path a lander's link asks for.
public enum OfferNumber: Hashable, Sendable {
    /// From 1, in the order of the path's document.
    case nth(Int)
    /// The one that was chosen by weight when the click was decided.
    case any

    /// As many as a path can have.
    public static let max = Path.itemsMax

    /// What stands behind `/o` in a path: nothing or `/` (the first), `/3`, `/any`. Nil for anything
    /// else.
    public init?(pathSuffix suffix: some Collection<UInt8>) {
        guard let first = suffix.first else {
            self = .nth(1)
            return
        }
        guard first == UInt8(ascii: "/") else { return nil }
        let word = suffix.dropFirst()
        if word.isEmpty {
            self = .nth(1)
        } else if word.elementsEqual("any".utf8) {
            self = .any
        } else {
            var number = 0
            for byte in word {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                number = number * 10 + Int(byte - UInt8(ascii: "0"))
                if number > Self.max { return nil }
            }
            if number == 0 { return nil }
            self = .nth(number)
        }
    }

    /// As it is stored: 0 is any.
    public init(rawValue: Int64) {
        self = rawValue > 0 ? .nth(Int(clamping: rawValue)) : .any
    }

    public var rawValue: Int64 {
        switch self {
        case .nth(let number): Int64(number)
        case .any: 0
        }
    }

    /// What stands in links: `2`, `any`.
    public var text: String {
        switch self {
        case .nth(let number): "\(number)"
        case .any: "any"
        }
    }
}
