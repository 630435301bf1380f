extension Amount {
    /// Nanos of an amount in units of its currency, rounded half to even beyond nine decimals.
    ///
    /// Read are a sign (`-`, `+` or U+2212), groups of three digits separated by commas, points,
    /// spaces (also no-break, narrow and thin ones) or apostrophes, and one decimal separator.
    /// Space around the number is skipped. Not read: currency signs, exponents, other scripts'
    /// digits, a separator at the end.
    ///
    /// Under `.auto` the separator that comes last is the decimal one, and one that comes twice
    /// separates groups. A single comma with three digits after and one to three before it is
    /// `ambiguous`; a single point is always decimal, because networks do send payouts of three
    /// decimals, and none was seen that groups with points and has no decimals.
    public static func parse(_ text: some StringProtocol, format: NumberFormat)
        throws(AmountError) -> Int64
    {
        try DecimalText(text, format: format).scaled(by: 0)
    }

    /// Nanos of an amount in the currency's smallest unit: `1250` is 12.5 USD, or 1250 JPY.
    ///
    /// Read as by `parse`; a part of the smallest unit (`1250.5`) is kept exactly.
    public static func parseMinor(
        _ text: some StringProtocol, currency: Currency, format: NumberFormat = .auto
    ) throws(AmountError) -> Int64 {
        try DecimalText(text, format: format).scaled(by: currency.minorDigits)
    }

    /// Parts of a nano that are kept where a number is still to be reckoned with before it is
    /// rounded: 10⁻¹⁸ of a unit each.
    static let finePerNano: Int128 = 1_000_000_000

    /// The number divided by 10 to the `minorDigits`, in 10⁻¹⁸ of a unit; read as by `parse`.
    static func parseFine(_ text: String, format: NumberFormat, minorDigits: Int)
        throws(AmountError) -> Int128
    {
        try DecimalText(text, format: format).scaled(
            by: minorDigits, fractionDigits: 2 * fractionDigits)
    }
}

/// A decimal number taken apart: its digits, and how many of them come before the decimal point.
private struct DecimalText {
    private var isNegative = false
    private var digits: [UInt8] = []
    private var integerDigits = 0

    /// Longer texts are no amounts; this only bounds the work.
    private static let bytesMax = 256

    private static let point = UInt8(ascii: ".")
    private static let comma = UInt8(ascii: ",")
    private static let space = UInt8(ascii: " ")
    private static let apostrophe = UInt8(ascii: "'")

    init(_ text: some StringProtocol, format: NumberFormat) throws(AmountError) {
        var symbols = try DecimalText.symbols(text)[...]
        if let first = symbols.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            symbols = symbols.dropFirst()
        }
        guard let last = symbols.last, ASCII.digit(last) != nil else { throw .notNumber }

        let decimal = try DecimalText.decimalSeparator(of: symbols, format)
        let split = symbols.firstIndex { $0 == decimal } ?? symbols.endIndex
        try readInteger(symbols[..<split])
        integerDigits = digits.count
        for byte in symbols[split...].dropFirst() {
            guard let digit = ASCII.digit(byte) else { throw .notNumber }
            digits.append(UInt8(digit))
        }
    }

    /// The text with its many spaces, apostrophes and minus signs made one of each, and the space
    /// around it removed. Anything else that can't be in a number is refused here.
    private static func symbols(_ text: some StringProtocol) throws(AmountError) -> [UInt8] {
        var symbols: [UInt8] = []
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += 1
            guard bytes <= bytesMax else { throw .notNumber }
            switch scalar {
            case "0"..."9", ".", ",", "+", "-": symbols.append(UInt8(scalar.value))
            case "\u{2212}": symbols.append(UInt8(ascii: "-"))
            case "'", "\u{2019}": symbols.append(apostrophe)
            case " ", "\t", "\r", "\n", "\u{A0}", "\u{2009}", "\u{202F}": symbols.append(space)
            default: throw .notNumber
            }
        }
        let start = symbols.firstIndex { $0 != space } ?? symbols.endIndex
        let end = symbols.lastIndex { $0 != space }.map { $0 + 1 } ?? symbols.endIndex
        return Array(symbols[start..<max(start, end)])
    }

    /// The byte that is this number's decimal separator, should one be there.
    private static func decimalSeparator(of symbols: ArraySlice<UInt8>, _ format: NumberFormat)
        throws(AmountError) -> UInt8
    {
        switch format {
        case .point: return point
        case .comma: return comma
        case .auto: break
        }
        let commas = symbols.indices.filter { symbols[$0] == comma }
        let points = symbols.indices.filter { symbols[$0] == point }
        guard let lastComma = commas.last else { return points.count > 1 ? comma : point }
        if let lastPoint = points.last { return lastPoint > lastComma ? point : comma }
        if commas.count > 1 { return point }

        let before = symbols[..<lastComma]
        let couldBeGroup =
            symbols.endIndex - lastComma == 4 && (1...3).contains(before.count)
            && before.first != UInt8(ascii: "0") && before.allSatisfy { ASCII.digit($0) != nil }
        if couldBeGroup { throw .ambiguous }
        return comma
    }

    /// Digits, or groups of three after a first one of one to three. Grouped numbers don't start
    /// with a zero, so `0,123` is never read as 123.
    private mutating func readInteger(_ symbols: ArraySlice<UInt8>) throws(AmountError) {
        var separator: UInt8?
        var groupLength = 0
        for byte in symbols {
            if let digit = ASCII.digit(byte) {
                digits.append(UInt8(digit))
                groupLength += 1
                continue
            }
            let isFirst = separator == nil
            guard byte != UInt8(ascii: "-"), byte != UInt8(ascii: "+"),
                isFirst ? (1...3).contains(groupLength) : byte == separator && groupLength == 3
            else { throw .notNumber }
            separator = byte
            groupLength = 0
        }
        if separator != nil, groupLength != 3 || digits.first == 0 { throw .notNumber }
    }

    /// The number times 10 to the `fractionDigits` and divided by 10 to the `minorDigits`.
    func scaled<Number: FixedWidthInteger & SignedInteger>(
        by minorDigits: Int, fractionDigits: Int = Amount.fractionDigits
    ) throws(AmountError) -> Number {
        let kept = integerDigits - minorDigits + fractionDigits
        var magnitude: Number.Magnitude = 0
        for index in 0..<max(0, kept) {
            let digit = index < digits.count ? Number.Magnitude(digits[index]) : 0
            let (product, tooLarge) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            if tooLarge || overflow { throw .outOfRange }
            magnitude = sum
        }
        if kept >= 0, kept < digits.count, roundsUp(from: kept, isOdd: magnitude % 2 == 1) {
            let (sum, overflow) = magnitude.addingReportingOverflow(1)
            if overflow { throw .outOfRange }
            magnitude = sum
        }
        if isNegative {
            guard magnitude <= Number.min.magnitude else { throw .outOfRange }
            return Number(truncatingIfNeeded: 0 &- magnitude)
        }
        guard let value = Number(exactly: magnitude) else { throw .outOfRange }
        return value
    }

    private func roundsUp(from index: Int, isOdd: Bool) -> Bool {
        if digits[index] != 5 { return digits[index] > 5 }
        return isOdd || digits[(index + 1)...].contains { $0 != 0 }
    }
}
