public import Domain

/// A conversion's money as one call found or left it.
public struct ConversionState: Sendable, Equatable {
    public let status: ConversionStatus
    public let payout: Money

    public init(status: ConversionStatus, payout: Money) {
        self.status = status
        self.payout = payout
    }
}

/// What came of one call.
public struct PostbackOutcome: Sendable, Equatable {
    public let verdict: PostbackVerdict
    public let message: String
    /// Nil when the call was not kept.
    public let postbackID: PostbackID?
    public let conversionID: ConversionID?
    public let revision: Int?
    /// Nil when nothing changed.
    public let change: Change?
    /// Parked because a limit was passed: only people go on with it.
    public let isHeld: Bool

    public struct Change: Sendable, Equatable {
        /// Nil for a new conversion.
        public let before: ConversionState?
        public let after: ConversionState
        /// Those that are told of it.
        public let destinations: [String]

        public init(before: ConversionState?, after: ConversionState, destinations: [String]) {
            self.before = before
            self.after = after
            self.destinations = destinations
        }
    }

    public init(
        verdict: PostbackVerdict, message: String, postbackID: PostbackID? = nil,
        conversionID: ConversionID? = nil, revision: Int? = nil, change: Change? = nil,
        isHeld: Bool = false
    ) {
        self.verdict = verdict
        self.message = message
        self.postbackID = postbackID
        self.conversionID = conversionID
        self.revision = revision
        self.change = change
        self.isHeld = isHeld
    }
}

/// A call that was judged again.
public struct ReplayOutcome: Sendable {
    /// As it was kept then.
    public let original: StoredPostback
    public let now: PostbackOutcome

    public init(original: StoredPostback, now: PostbackOutcome) {
        self.original = original
        self.now = now
    }
}

/// The rules of received calls, for those who start them without being a network. It stands here as
/// a protocol because the administration API may import no rules.
public protocol PostbackRules: Sendable {
    /// Judges a kept call by today's rules and keeps the result as a call of its own. A call that
    /// was counted is never counted again, nor does it undo what came after it.
    ///
    /// - Throws: `.notFound`; `.conflict` when the call's text was forgotten.
    func replay(_ id: PostbackID, in tx: LedgerTransaction, now: Instant) throws(StoreError)
        -> ReplayOutcome

    /// Counts a parked call, because somebody decided so, and keeps the result as a call of its own.
    /// Like a replay it never counts a call twice.
    ///
    /// - Parameters:
    ///   - clickID: the click that it belongs to; nil: the one that it names.
    ///   - ignoresLimits: whether it is counted past limits.
    /// - Throws: `.notFound`; `.invalid` for a click that is none of ours; `.conflict` when the call
    ///   is not parked, its text was forgotten, or the click that it names is not stored.
    func assign(
        _ id: PostbackID, to clickID: ClickID?, ignoresLimits: Bool, in tx: LedgerTransaction,
        now: Instant
    ) throws(StoreError) -> ReplayOutcome

    /// The click ID that a kept call names, as its network writes it; nil when it names none.
    func clickID(of call: Postback, network: Network) -> ClickID?

    /// Renders a delivery by its destination as that is today, for the same revision, and makes it
    /// due at once.
    ///
    /// - Throws: `.notFound`; `.conflict` for one that was delivered, whose destination is gone, or
    ///   that can't be sent by today's template either.
    func renderAgain(_ id: DeliveryID, in tx: LedgerTransaction, now: Instant)
        throws(StoreError) -> Delivery

    /// What a destination would be told of a conversion that never was; nothing is kept.
    ///
    /// - Parameter destination: as `Delivery.destination`.
    /// - Throws: `.notFound` for a destination or a click's campaign that isn't there; `.conflict`
    ///   when the click is another source's, or what would be told can't be sent.
    func render(
        _ sample: SampleConversion, for destination: String, catalog: Catalog, now: Instant
    ) throws(StoreError) -> RenderedSample

    /// What the network of a click's offer would report of it, and what would come of that, by the
    /// rules of real calls; nothing is kept, so it is the click's first conversion.
    ///
    /// - Parameter click: not stored; it has an offer.
    /// - Throws: `.notFound` when its campaign, source, offer or network isn't there.
    func expect(
        _ report: SampleReport, of click: Click, _ clickID: ClickID, catalog: Catalog, now: Instant
    ) throws(StoreError) -> ExpectedReport

    /// Judges one row that somebody entered, an object of `ConversionEntry.names` and scalars, by
    /// the rules of its network's calls, and keeps it as a call of that network.
    ///
    /// - Parameters:
    ///   - network: of the row where it names none itself; nil: that of its click's offer.
    ///   - suppressesOutbound: nobody is told.
    func enter(
        _ row: JSONValue, network: EntityKey?, suppressesOutbound: Bool, in tx: LedgerTransaction,
        now: Instant
    ) throws(StoreError) -> PostbackOutcome
}
