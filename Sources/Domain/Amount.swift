/// How a network writes numbers.
public enum NumberFormat: String, Sendable, CaseIterable {
    /// Either way, as far as a number says itself which one it is.
    case auto
    /// `1,234.50`: the point is decimal, commas separate groups.
    case point
    /// `1.234,50`: the comma is decimal, points separate groups.
    case comma
}

public enum AmountError: Error, Equatable, Sendable {
    case notNumber
    /// `1,234`: a thousand and more, or a little over one. Only the network's setting can tell.
    case ambiguous
    /// Its magnitude is 2⁶³ nanos (some 9.2 billion units) or more.
    case outOfRange
}

/// Decimal text to and from nanos, 10⁻⁹ of a currency's unit. Never through a `Double`.
public enum Amount {
    public static let fractionDigits = 9

    /// The shortest decimal text: `12.5`, `0`, `-3`, `0.000000001`. `parse` reads it back exactly.
    public static func format(_ nanos: Int64) -> String { format(Int128(nanos)) }

    /// As above, for sums.
    public static func format(_ nanos: Int128) -> String {
        let (units, fraction) = nanos.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text = nanos < 0 ? "-" : ""
        text += String(units)
        guard fraction != 0 else { return text }
        var significant = Int(fraction)
        var width = fractionDigits
        while significant % 10 == 0 {
            significant /= 10
            width -= 1
        }
        text += "."
        ASCII.append(significant, width: width, to: &text)
        return text
    }

    /// With exactly so many decimals, of 0 to 9, rounded half to even: `12.50` for 2.
    public static func format(_ nanos: Int64, decimals: Int) -> String {
        let decimals = min(max(decimals, 0), fractionDigits)
        var divisor: UInt64 = 1
        for _ in decimals..<fractionDigits { divisor *= 10 }
        var (quotient, rest) = nanos.magnitude.quotientAndRemainder(dividingBy: divisor)
        if rest > divisor - rest || (rest == divisor - rest && quotient % 2 != 0) { quotient += 1 }
        let units = quotient / (1_000_000_000 / divisor)
        let fraction = quotient % (1_000_000_000 / divisor)
        var text = nanos < 0 && quotient > 0 ? "-" : ""
        text += String(units)
        guard decimals > 0 else { return text }
        text += "."
        ASCII.append(Int(fraction), width: decimals, to: &text)
        return text
    }
}
