/// One accepted request to a campaign URL, as it is kept.
public struct Click: Sendable, Equatable {
    public let rowID: ClickRowID
    public let campaignID: CampaignID
    /// The traffic source's own click ID, byte for byte.
    public let externalID: [UInt8]?
    /// In the source's currency at the time of the click.
    public let cost: Money?
    /// The campaign URL's other parameters, decoded, in their order.
    public let parameters: [Parameter]
    public let ip: IPAddress?
    public let userAgent: [UInt8]
    public let referrer: [UInt8]
    /// Which version of the campaign's flow decided; nil for a click older than these are kept.
    public let flowVersion: Int64?
    /// The rule that chose the path, as in `Decision`.
    public let rule: Int?
    /// The chosen path, from 1; 0: the campaign's fallback URL.
    public let path: Int
    /// Which wording of a lander's URL the visitor was sent to; nil: straight to the offer.
    public let landerVersion: Int64?
    /// Which wording of an offer's URL the visitor was sent to, or will be from the lander; see
    /// `OfferVersion`. 0: none.
    public private(set) var offerVersion: Int64
    public let visit: VisitKind
    /// Nil for a click older than these are kept.
    public let device: Device?
    /// By the location files of that time; nil: they told nothing, or there were none.
    public let place: Place?
    /// Who came, where the campaign knows its visitors.
    public let visitor: VisitorNumber?
    /// How many clicks of this visitor there were within the window, this one included; nil where
    /// they are not counted.
    public let visitNumber: Int64?

    public struct Parameter: Sendable, Equatable {
        public let name: String
        public let value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public init(
        rowID: ClickRowID, campaignID: CampaignID, externalID: [UInt8]?, cost: Money?,
        parameters: [Parameter], ip: IPAddress?, userAgent: [UInt8], referrer: [UInt8],
        flowVersion: Int64? = nil, rule: Int? = nil, path: Int, landerVersion: Int64? = nil,
        offerVersion: Int64, visit: VisitKind = .visitor, device: Device? = nil,
        place: Place? = nil, visitor: VisitorNumber? = nil, visitNumber: Int64? = nil
    ) {
        self.rowID = rowID
        self.campaignID = campaignID
        self.externalID = externalID
        self.cost = cost
        self.parameters = parameters
        self.ip = ip
        self.userAgent = userAgent
        self.referrer = referrer
        self.flowVersion = flowVersion
        self.rule = rule
        self.path = path
        self.landerVersion = landerVersion
        self.offerVersion = offerVersion
        self.visit = visit
        self.device = device
        self.place = place
        self.visitor = visitor
        self.visitNumber = visitNumber
    }
}

/// The wording of an offer's landing URL at some time. Clicks point at it, so that where a visitor
/// was sent can be told after the offer was changed.
public struct OfferVersion: Sendable, Hashable {
    public let id: Int64
    public let offerID: OfferID
    public let networkID: NetworkID
    public let url: String

    public init(id: Int64, offerID: OfferID, networkID: NetworkID, url: String) {
        self.id = id
        self.offerID = offerID
        self.networkID = networkID
        self.url = url
    }
}

/// What decided about a campaign's visitors at some time; clicks point at it.
public struct FlowVersion: Sendable, Equatable {
    public let id: Int64
    /// As `Campaign.decisionDocument` makes it.
    public let document: JSONValue

    public init(id: Int64, document: JSONValue) {
        self.id = id
        self.document = document
    }
}

extension FlowVersion {
    /// Nil for a document that can't be read any more.
    public var flow: Flow? {
        guard let value = document["flow"] else { return nil }
        let problems = DocumentProblems()
        var reader = DocumentReader(value, problems: problems)
        // Whatever it lacked, it was saved.
        let flow = Flow(&reader, mayHaveNoPath: true)
        return problems.errors.isEmpty ? flow : nil
    }
}

extension Click {
    /// The same for a visitor who went on to another offer than the one that was decided.
    public func leading(to offerVersion: Int64) -> Click {
        var click = self
        click.offerVersion = offerVersion
        return click
    }
}
