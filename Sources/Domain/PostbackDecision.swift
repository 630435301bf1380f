/// What a report means for a click that was found: pure, so that it can be tested and replayed.
public enum PostbackDecision: Equatable, Sendable {
    /// A new conversion; `ordinal` tells apart those without a transaction ID under `repeat: add`.
    case create(status: ConversionStatus, payout: Money, ordinal: Int)
    /// A new revision of the conversion.
    case revise(status: ConversionStatus, payout: Money)
    case duplicate

    /// - Parameters:
    ///   - existing: the newest conversion of the same identity.
    ///   - offerPayout: counts when the call has no amount and nothing is known yet.
    public static func decide(
        _ report: PostbackReport, existing: KnownConversion?, repeats: Network.Repeat,
        offerPayout: Money?
    ) -> PostbackDecision {
        let stated = report.amount.map { Money(nanos: $0, currency: report.currency) }
        let fallback = offerPayout ?? Money(nanos: 0, currency: report.currency)
        guard let existing else {
            return .create(status: report.status, payout: stated ?? fallback, ordinal: 0)
        }
        switch repeats {
        case .add where report.transactionID.isEmpty:
            return .create(
                status: report.status, payout: stated ?? fallback, ordinal: existing.ordinal + 1)
        case .ignore: return .duplicate
        case .update, .add:
            // A call that names no amount changes none.
            let payout = stated ?? existing.payout
            if existing.status == report.status, existing.payout == payout { return .duplicate }
            return .revise(status: report.status, payout: payout)
        }
    }
}

/// The part of a conversion that a repeat is compared with.
public struct KnownConversion: Equatable, Sendable {
    public let id: ConversionID
    public let status: ConversionStatus
    public let payout: Money
    public let revision: Int
    public let ordinal: Int

    public init(
        id: ConversionID, status: ConversionStatus, payout: Money, revision: Int, ordinal: Int
    ) {
        self.id = id
        self.status = status
        self.payout = payout
        self.revision = revision
        self.ordinal = ordinal
    }
}
