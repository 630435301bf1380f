/// The number of a conversion. People and URLs see it as `cv` and the number, which can't be
/// mistaken for a network's order number.
public struct ConversionID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int64

    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// Nil for anything that `description` would not print.
    public init?(_ text: some StringProtocol) {
        guard text.hasPrefix("cv"), let number = Int64(text.dropFirst(2)), number > 0 else {
            return nil
        }
        self.init(number)
        guard description == text else { return nil }
    }

    public var description: String { "cv\(rawValue)" }
}

/// What a network reported for a click, in its current state.
///
/// It copies what it needs of its click, so that it outlives the click.
public struct Conversion: Sendable, Equatable {
    public let id: ConversionID
    public let click: Click
    public let sourceID: SourceID
    public let networkID: NetworkID
    public let offerID: OfferID
    public let event: String
    public let transactionID: String
    public let ordinal: Int
    public let status: ConversionStatus
    public let networkStatus: String?
    public let payout: Money
    public let extras: [String?]
    public let convertedAt: Instant
    public let isTest: Bool
    /// The number of the newest revision, from 1.
    public let revision: Int
    /// The payout in the reporting currency, as it was converted when it was recorded.
    public let reporting: ReportingAmount?
    /// Nil: its click has a cost, or nothing is charged.
    public let costRule: ConversionCost?

    public init(
        id: ConversionID, click: Click, sourceID: SourceID, networkID: NetworkID, offerID: OfferID,
        event: String, transactionID: String, ordinal: Int, status: ConversionStatus,
        networkStatus: String?, payout: Money, extras: [String?], convertedAt: Instant,
        isTest: Bool, revision: Int, reporting: ReportingAmount? = nil,
        costRule: ConversionCost? = nil
    ) {
        self.id = id
        self.click = click
        self.sourceID = sourceID
        self.networkID = networkID
        self.offerID = offerID
        self.event = event
        self.transactionID = transactionID
        self.ordinal = ordinal
        self.status = status
        self.networkStatus = networkStatus
        self.payout = payout
        self.extras = extras
        self.convertedAt = convertedAt
        self.isTest = isTest
        self.revision = revision
        self.reporting = reporting
        self.costRule = costRule
    }

    /// What it costs by itself, beside its click.
    public var cost: Money? { costRule?.cost(of: status, payout: payout) }

    /// The same under the number that it was given.
    public func with(id: ConversionID) -> Conversion { copy(id: id, reporting: reporting) }

    /// The same with its payout converted, or known to be not.
    public func with(reporting: ReportingAmount?) -> Conversion {
        copy(id: id, reporting: reporting)
    }

    private func copy(id: ConversionID, reporting: ReportingAmount?) -> Conversion {
        Conversion(
            id: id, click: click, sourceID: sourceID, networkID: networkID, offerID: offerID,
            event: event, transactionID: transactionID, ordinal: ordinal, status: status,
            networkStatus: networkStatus, payout: payout, extras: extras,
            convertedAt: convertedAt, isTest: isTest, revision: revision, reporting: reporting,
            costRule: costRule)
    }
}

extension Conversion {
    /// Its state once a revision of it was known. Extras have no history.
    public func asOf(_ revision: ConversionRevision) -> Conversion {
        Conversion(
            id: id, click: click, sourceID: sourceID, networkID: networkID, offerID: offerID,
            event: event, transactionID: transactionID, ordinal: ordinal, status: revision.status,
            networkStatus: revision.networkStatus, payout: revision.payout, extras: extras,
            convertedAt: convertedAt, isTest: isTest, revision: revision.number,
            reporting: revision.reporting, costRule: costRule)
    }
}

/// One accepted change of a conversion's status or amount, from 1 on.
public struct ConversionRevision: Sendable, Equatable {
    public let number: Int
    public let status: ConversionStatus
    public let networkStatus: String?
    public let payout: Money
    public let at: Instant
    public let postbackID: PostbackID
    /// The payout in the reporting currency, as it was converted when it was recorded.
    public let reporting: ReportingAmount?
    /// The destinations that were not told of it.
    public let notSent: [NotSent]

    public init(
        number: Int, status: ConversionStatus, networkStatus: String?, payout: Money, at: Instant,
        postbackID: PostbackID, reporting: ReportingAmount? = nil, notSent: [NotSent] = []
    ) {
        self.number = number
        self.status = status
        self.networkStatus = networkStatus
        self.payout = payout
        self.at = at
        self.postbackID = postbackID
        self.reporting = reporting
        self.notSent = notSent
    }
}

/// A destination that was not told of a revision, and why.
public struct NotSent: Sendable, Equatable {
    /// As `Delivery.destination`.
    public let destination: String
    /// A sentence's second half: `it asks for status approved`.
    public let reason: String

    public init(destination: String, reason: String) {
        self.destination = destination
        self.reason = reason
    }
}
