/// The one named outcome of a received postback.
public enum PostbackVerdict: String, CaseIterable, Sendable {
    case accepted, updated, duplicate, ignored, parked, test
    case clickIDMissing = "click_id_missing"
    case clickIDMalformed = "click_id_malformed"
    case macroNotReplaced = "macro_not_replaced"
    case payoutNotNumber = "payout_not_number"
    case payoutAmbiguous = "payout_ambiguous"
    case payoutOutOfRange = "payout_out_of_range"
    case currencyUnknown = "currency_unknown"
    case transactionIDRequired = "transaction_id_required"
    case statusUnmapped = "status_unmapped"
    case eventUnknown = "event_unknown"
    case tooLarge = "too_large"
    case ipNotAllowed = "ip_not_allowed"
    case signatureWrong = "signature_wrong"
    case keyUnknown = "key_unknown"
    case networkUnknown = "network_unknown"
    case timeMalformed = "time_malformed"
    case clickForeign = "click_foreign"
    case methodNotAllowed = "method_not_allowed"
    case rateLimited = "rate_limited"
    case storageUnavailable = "storage_unavailable"

    /// Whether the call has found its place: it was understood, and waits for nothing.
    public var isSettled: Bool { httpStatus == 200 && self != .parked }

    /// The answer's status code.
    public var httpStatus: Int {
        switch self {
        case .accepted, .updated, .duplicate, .ignored, .parked, .test: 200
        case .clickIDMissing, .clickIDMalformed, .macroNotReplaced, .payoutNotNumber,
            .payoutAmbiguous, .payoutOutOfRange, .currencyUnknown, .timeMalformed, .tooLarge,
            .transactionIDRequired:
            400
        case .ipNotAllowed, .signatureWrong: 403
        case .keyUnknown, .clickForeign, .networkUnknown: 404
        case .methodNotAllowed: 405
        case .statusUnmapped, .eventUnknown: 422
        case .rateLimited: 429
        case .storageUnavailable: 503
        }
    }
}

/// A postback that is not recorded as a conversion, and the sentence that says what to fix.
public struct PostbackRefusal: Error, Equatable, Sendable {
    public let verdict: PostbackVerdict
    public let message: String

    public init(_ verdict: PostbackVerdict, _ message: String) {
        self.verdict = verdict
        self.message = message
    }
}
