public import Domain

/// What a network would report of a click, and what would come of it.
public struct ExpectedReport: Sendable {
    public let network: Stored<Network>
    /// Of the call, without a signature.
    public let query: [UInt8]
    public let verdict: PostbackVerdict
    public let message: String
    /// With the number 0; nil where the call makes none.
    public let conversion: Conversion?
    public let calls: [Call]
    public let notSent: [NotSent]

    /// What a destination would be told.
    public struct Call: Sendable {
        /// With the number 0; dead, with the reason, when it could never be sent.
        public let delivery: Delivery
        public let delaySeconds: Int
        /// The tokens that have no value: a query parameter with one is left out.
        public let emptyTokens: [String]

        public init(delivery: Delivery, delaySeconds: Int, emptyTokens: [String]) {
            self.delivery = delivery
            self.delaySeconds = delaySeconds
            self.emptyTokens = emptyTokens
        }
    }

    public init(
        network: Stored<Network>, query: [UInt8], verdict: PostbackVerdict, message: String,
        conversion: Conversion? = nil, calls: [Call] = [], notSent: [NotSent] = []
    ) {
        self.network = network
        self.query = query
        self.verdict = verdict
        self.message = message
        self.conversion = conversion
        self.calls = calls
        self.notSent = notSent
    }
}
