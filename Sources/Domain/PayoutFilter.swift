/// Which payouts a destination is told of: `{"min": "1", "max": "100"}`, both included.
///
/// Amounts are compared in the conversion's own currency, whatever that is.
public struct PayoutFilter: Hashable, Sendable {
    /// In nanos; nil: no bound.
    public let min: Int64?
    public let max: Int64?

    init(_ destination: inout DocumentReader) {
        guard var reader = destination.reader("payout") else {
            (min, max) = (nil, nil)
            return
        }
        min = reader.amount("min")
        max = reader.amount("max")
        reader.finish()
        if let min, let max, min > max { reader.fail("max", "must not be below \"min\"") }
    }

    func refusal(of payout: Money) -> String? {
        if let min, payout.nanos < min {
            return "it asks for a payout of at least \(Amount.format(min))"
        }
        if let max, payout.nanos > max {
            return "it asks for a payout of at most \(Amount.format(max))"
        }
        return nil
    }

    var document: JSONValue {
        if min == nil, max == nil { return .null }
        return [
            "min": min.map { .string(Amount.format($0)) } ?? .null,
            "max": max.map { .string(Amount.format($0)) } ?? .null,
        ]
    }
}
