/// One comparison of a fact with what a condition names. A class: rules are walked through for each
/// click, and a copy of this would count references to all that it holds.
final class FactTest: Hashable, Sendable {
    let fact: Fact
    let operation: Operation
    /// `is_not`, `not_in`, `not_contains`, `not_matches`.
    let isNegated: Bool
    /// As the condition writes it, for explanations: `country in US, CA`.
    let text: String

    init(fact: Fact, operation: Operation, isNegated: Bool, text: String) {
        self.fact = fact
        self.operation = operation
        self.isNegated = isNegated
        self.text = text
    }

    static func == (left: FactTest, right: FactTest) -> Bool {
        left === right
            || left.fact == right.fact && left.operation == right.operation
                && left.isNegated == right.isNegated && left.text == right.text
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(fact)
        hasher.combine(operation)
        hasher.combine(isNegated)
    }

    enum Operation: Hashable, Sendable {
        case isIn(TextList)
        case contains(TextList)
        case startsWith(TextList)
        case matches(Pattern)
        case versions([VersionNumber])
        case versionRange(VersionNumber?, VersionNumber?)
        case numbers([Int64])
        /// In 10⁻⁹, so that a parameter's decimals compare too.
        case numberRange(Int64?, Int64?)
        case networks([IPNetwork])
        case flag(Bool)
        /// 0 is Sunday.
        case weekdays(Set<Int>, TimeZoneRules)
        /// Whole hours of the day.
        case hours([ClosedRange<Int>], TimeZoneRules)
        case exists(Bool)
    }

    /// - Parameter slot: the fact's place in the sheet.
    func evaluate(_ sheet: FactSheet, slot: Int) -> Truth {
        switch operation {
        case .networks(let networks):
            guard let ip = sheet.ip else { return isNegated ? .yes : .no }
            return Truth(networks.contains { $0.contains(ip) } != isNegated)
        case .exists(let wanted) where fact == .ip: return Truth((sheet.ip != nil) == wanted)
        case .weekdays(let days, let zone):
            return Truth(days.contains(zone.localTime(at: sheet.instant).weekday) != isNegated)
        case .hours(let ranges, let zone):
            let hour = zone.localTime(at: sheet.instant).hour
            return Truth(ranges.contains { $0.contains(hour) } != isNegated)
        case .isIn, .contains, .startsWith, .matches, .versions, .versionRange, .numbers,
            .numberRange, .flag, .exists:
            return sheet.withText(slot, evaluate)
        }
    }

    /// - Parameter value: the fact's; nil where it isn't known.
    func evaluate(_ value: UnsafeRawBufferPointer?) -> Truth {
        if case .exists(let wanted) = operation { return Truth((value != nil) == wanted) }
        guard let value else {
            if fact.isGeographic { return .unknown }
            return isNegated ? .yes : .no
        }
        return Truth(holds(value) != isNegated)
    }

    private func holds(_ value: UnsafeRawBufferPointer) -> Bool {
        switch operation {
        case .isIn(let list):
            switch fact.kind {
            case .domain: list.containsSuffix(of: value, after: UInt8(ascii: "."))
            case .language: list.containsPrefix(of: value, before: UInt8(ascii: "-"))
            case .text, .version, .number, .address, .flag, .weekday, .hour: list.contains(value)
            }
        case .contains(let list): list.occurs(in: value)
        case .startsWith(let list): list.begins(value)
        case .matches(let pattern): pattern.matches(value)
        case .versions(let versions): versions.contains { $0.order(of: value) == 0 }
        case .versionRange(let from, let to): Self.isWithin(value, from, to)
        case .numbers(let numbers):
            DecimalBytes.nanos(value).map { nanos in
                numbers.contains {
                    $0.multipliedReportingOverflow(by: 1_000_000_000) == (nanos, false)
                }
            } ?? false
        case .numberRange(let from, let to):
            DecimalBytes.nanos(value).map { $0 >= from ?? .min && $0 <= to ?? .max } ?? false
        case .flag(let wanted): value.elementsEqual("true".utf8) == wanted
        case .networks, .weekdays, .hours, .exists: false
        }
    }

    private static func isWithin(
        _ value: UnsafeRawBufferPointer, _ from: VersionNumber?, _ to: VersionNumber?
    ) -> Bool {
        if let from {
            guard let order = from.order(of: value), order >= 0 else { return false }
        }
        if let to {
            guard let order = to.order(of: value), order <= 0 else { return false }
        }
        return true
    }
}

/// Whether a condition holds (Kleene's logic): what isn't known makes no rule match, not by its
/// opposite either.
enum Truth {
    case no, unknown, yes

    init(_ value: Bool) { self = value ? .yes : .no }

    var opposite: Truth {
        switch self {
        case .no: .yes
        case .unknown: .unknown
        case .yes: .no
        }
    }
}

/// A plain decimal number, as parameters of URLs hold them.
enum DecimalBytes {
    /// In 10⁻⁹; nil for what is none, for more than nine decimals and for what is out of range.
    static func nanos(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var index = 0
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { index = 1 }
        var value: Int64 = 0
        var decimals: Int?
        var digits = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "."), decimals == nil {
                decimals = 0
            } else if let digit = ASCII.digit(bytes[index]) {
                let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflows) = product.addingReportingOverflow(Int64(digit))
                if isTooLarge || overflows { return nil }
                value = sum
                digits += 1
                decimals = decimals.map { $0 + 1 }
            } else {
                return nil
            }
            index += 1
        }
        guard digits > 0, (decimals ?? 0) <= 9 else { return nil }
        for _ in (decimals ?? 0)..<9 {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            if overflows { return nil }
            value = product
        }
        return isNegative ? -value : value
    }
}
