/// The state of a conversion's money. Stored by raw value; the network's own word is kept beside
/// it, so a mapping loses nothing.
public enum ConversionStatus: String, CaseIterable, Sendable {
    case pending, approved, rejected, trash, chargeback

    /// What networks' words commonly mean; looked up in lower case after the call's own map and the network's.
    public static let commonWords: [String: ConversionStatus] = [
        "approved": .approved, "approve": .approved, "confirmed": .approved, "sale": .approved,
        "paid": .approved,
        "pending": .pending, "hold": .pending, "lead": .pending, "new": .pending,
        "waiting": .pending,
        "rejected": .rejected, "declined": .rejected, "cancelled": .rejected,
        "canceled": .rejected,
        "trash": .trash, "spam": .trash, "duplicate": .trash,
        "chargeback": .chargeback, "refund": .chargeback, "refunded": .chargeback,
    ]
}
