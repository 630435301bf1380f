/// A test that kept a rule from holding.
public struct ConditionFailure: Hashable, Sendable {
    /// As the condition writes it: `country in US, CA`; `not (os is iOS)`.
    public let condition: String
    /// What the visit has instead; nil: nothing, or several facts are asked for.
    public let value: String?
    /// The location files don't tell: neither this nor its opposite holds.
    public let isUnknown: Bool

    static let textMax = 500
    static let valueMax = 200

    init(_ condition: String, value: String?, isUnknown: Bool) {
        self.condition = condition.prefix(utf8Count: Self.textMax)
        self.value = value?.prefix(utf8Count: Self.valueMax)
        self.isUnknown = isUnknown
    }
}

extension CompiledCondition {
    /// Why it doesn't hold: the first of those that all have to, each of those of which one has to.
    /// Empty when it holds. By `evaluate` alone, so that it says nothing else than what decided.
    func failures(_ sheet: FactSheet) -> [ConditionFailure] {
        let truth = evaluate(sheet)
        if truth == .yes { return [] }
        switch self {
        case .all(let conditions):
            return conditions.first { $0.evaluate(sheet) != .yes }?.failures(sheet) ?? []
        case .any(let conditions): return conditions.flatMap { $0.failures(sheet) }
        case .not(let condition):
            return [
                ConditionFailure(
                    text, value: condition.value(in: sheet), isUnknown: truth == .unknown)
            ]
        case .test(let test, _):
            return [
                ConditionFailure(
                    test.text, value: value(in: sheet), isUnknown: truth == .unknown)
            ]
        }
    }

    private var text: String {
        switch self {
        case .all(let conditions): return Self.joined(conditions, by: " and ")
        case .any(let conditions): return Self.joined(conditions, by: " or ")
        case .not(let condition): return "not (\(condition.text))"
        case .test(let test, _): return test.text
        }
    }

    /// No longer than a failure's text, whatever there is to join.
    private static func joined(_ conditions: [CompiledCondition], by word: String) -> String {
        var text = ""
        for (index, condition) in conditions.enumerated() {
            if index > 0 { text += word }
            if text.utf8.count > ConditionFailure.textMax { break }
            switch condition {
            case .test, .not: text += condition.text
            case .all, .any: text += "(\(condition.text))"
            }
        }
        return text
    }

    /// Of a single test.
    private func value(in sheet: FactSheet) -> String? {
        guard case .test(let test, let slot) = self else { return nil }
        return test.value(in: sheet, slot: slot)
    }
}

extension FactTest {
    /// What the visit has for the fact, as the test's own clock and the sheet tell it.
    func value(in sheet: FactSheet, slot: Int) -> String? {
        switch operation {
        case .weekdays(_, let zone):
            return Weekday.names[zone.localTime(at: sheet.instant).weekday]
        case .hours(_, let zone): return String(zone.localTime(at: sheet.instant).hour)
        case .isIn, .contains, .startsWith, .matches, .versions, .versionRange, .numbers,
            .numberRange, .networks, .flag, .exists:
            if fact == .ip { return sheet.ip?.text }
            return sheet.withText(slot) { bytes in
                bytes.map {
                    String(decoding: $0.prefix(ConditionFailure.valueMax), as: UTF8.self)
                }
            }
        }
    }
}
