/// How the campaign URL's cost parameter is read: what its number means and how it is written.
public struct CostParameter: Hashable, Sendable {
    public enum Unit: String, CaseIterable, Sendable {
        /// Of the currency.
        case units
        /// The currency's smallest unit: `125` is 1.25 USD.
        case minor
        /// Millionths of the currency's unit.
        case micro
        /// Units of the currency for a thousand clicks.
        case cpm
    }

    public let format: NumberFormat
    public let unit: Unit

    init(_ cost: inout DocumentReader) {
        format = cost.choice("number_format", default: .auto)
        unit = cost.choice("unit", default: .units)
    }

    /// A click that costs more can only be a mistake: a million units, before what is lost.
    static let nanosMax: Int128 = 1_000_000_000_000_000

    /// Nanos that the click costs, rounded once, half to even. Nil for what is no cost: a text that
    /// can't be read or has two meanings, a negative number, one above a million units.
    public func nanos(_ text: String, currency: Currency, loss: ClickLoss) -> Int64? {
        // What was wrong with it does not matter: the click goes on without a cost.
        guard let fine = try? Amount.parseFine(text, format: format, minorDigits: digits(currency)),
            fine >= 0, fine <= Self.nanosMax * Amount.finePerNano
        else { return nil }
        return loss.cost(of: fine, over: Amount.finePerNano)
    }

    /// The same of a text as it stands in a URL, percent-encoded. Most are plain: those are read
    /// without a `String`.
    public func nanos(encoded text: UnsafeRawBufferPointer, currency: Currency, loss: ClickLoss)
        -> Int64?
    {
        if loss == .none, let nanos = plainNanos(text, digits(currency)) { return nanos }
        let decoded = PercentEncoding.decode(text, plusIsSpace: true)
        return nanos(String(decoding: decoded, as: UTF8.self), currency: currency, loss: loss)
    }

    /// Of digits with at most one point between them, which mean the same wherever the point is
    /// decimal, and of no more decimals than nanos have; nil for all else.
    private func plainNanos(_ text: UnsafeRawBufferPointer, _ minorDigits: Int) -> Int64? {
        guard format != .comma, (1...18).contains(text.count) else { return nil }
        var number: Int64 = 0
        var decimals = 0
        var hasPoint = false
        for byte in text {
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
                continue
            }
            guard let digit = ASCII.digit(byte) else { return nil }
            // 18 digits at most.
            number = number * 10 + Int64(digit)
            if hasPoint { decimals += 1 }
        }
        let zeros = Amount.fractionDigits - minorDigits - decimals
        guard zeros >= 0, hasPoint ? decimals > 0 && decimals < text.count - 1 : true else {
            return nil
        }
        for _ in 0..<zeros {
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            number = tenfold
        }
        return Int128(number) <= Self.nanosMax ? number : nil
    }

    /// By how many decimal places the number is larger than units of the currency a click.
    private func digits(_ currency: Currency) -> Int {
        switch unit {
        case .units: 0
        case .minor: currency.minorDigits
        case .micro: 6
        case .cpm: 3
        }
    }

    var members: [JSONMember] {
        [
            JSONMember(name: "number_format", value: .string(format.rawValue)),
            JSONMember(name: "unit", value: .string(unit.rawValue)),
        ]
    }
}
