public import Domain

/// A conversion that never was, to test a destination with.
public struct SampleConversion: Sendable {
    public var status = ConversionStatus.approved
    /// As `EventName` writes them.
    public var event = "conversion"
    /// Nil: one unit of the source's currency.
    public var payoutNanos: Int64?
    /// Whose values are told; nil: invented ones.
    public var click: Click?

    public init() {}
}

/// What a destination would be told of a sample.
public struct RenderedSample: Sendable {
    /// With the ID 0, which no delivery has.
    public let delivery: Delivery
    /// Why no conversion like this is told there, if that's so.
    public let refusal: String?

    public init(delivery: Delivery, refusal: String?) {
        self.delivery = delivery
        self.refusal = refusal
    }
}
