/// A quotient as decimal text, exact to its last digit: never through a `Double`.
public enum DecimalRatio {
    /// Digits after the point.
    public static let digits = 6
    private static let scale: Int128 = 1_000_000

    /// `0.200000`, rounded half to even; nil for a division by zero, and where 128 bits don't reach.
    public static func text(_ numerator: Int128, over denominator: Int128) -> String? {
        let (scaled, overflow) = numerator.multipliedReportingOverflow(by: scale)
        guard denominator != 0, !overflow else { return nil }
        var (quotient, rest) = scaled.magnitude.quotientAndRemainder(
            dividingBy: denominator.magnitude)
        // Compared this way round, nothing can overflow.
        let missing = denominator.magnitude - rest
        if rest > missing || (rest == missing && quotient % 2 == 1) { quotient += 1 }
        let (whole, fraction) = quotient.quotientAndRemainder(dividingBy: scale.magnitude)
        let isNegative = quotient != 0 && (numerator < 0) != (denominator < 0)
        let fractionText = String(fraction)
        return (isNegative ? "-" : "") + "\(whole)."
            + String(repeating: "0", count: digits - fractionText.utf8.count) + fractionText
    }
}
