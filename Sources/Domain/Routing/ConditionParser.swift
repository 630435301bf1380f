/// Reads conditions from their JSON and says what is wrong with each.
struct ConditionParser {
    static let depthMax = 8
    static let testsMax = 500
    static let valuesMax = 2000
    static let textMax = 200

    let problems: DocumentProblems
    private var testCount = 0

    init(problems: DocumentProblems) { self.problems = problems }

    mutating func node(_ document: JSONValue, field: String, depth: Int) -> Condition.Node {
        guard let members = document.objectValue else {
            problems.add(field, "must be a JSON object such as {\"country\": [\"US\"]}")
            return .all([])
        }
        guard depth < Self.depthMax else {
            problems.add(field, "conditions lie in one another more than \(Self.depthMax) deep")
            return .all([])
        }
        var nodes: [Condition.Node] = []
        for member in members {
            let name = "\(field).\(member.name)"
            switch member.name {
            case "all": nodes.append(.all(list(member.value, field: name, depth: depth)))
            case "any":
                if member.value.arrayValue?.isEmpty == true {
                    problems.add(name, "must name at least one condition")
                }
                nodes.append(.any(list(member.value, field: name, depth: depth)))
            case "not": nodes.append(.not(node(member.value, field: name, depth: depth + 1)))
            default:
                guard let fact = Fact(name: member.name) else {
                    let hint = NearestName.suggestion(for: member.name, among: Fact.allNames)
                    problems.add(
                        name,
                        "is nothing to decide by" + (hint.map { "; did you mean \"\($0)\"?" } ?? "")
                    )
                    continue
                }
                nodes += tests(fact, member.value, field: name)
            }
        }
        return nodes.count == 1 ? nodes[0] : .all(nodes)
    }

    private mutating func list(_ value: JSONValue, field: String, depth: Int) -> [Condition.Node] {
        guard let items = value.arrayValue else {
            problems.add(field, "must be an array of conditions")
            return []
        }
        guard items.count <= Self.testsMax else {
            problems.add(field, "must have at most \(Self.testsMax) conditions")
            return []
        }
        var nodes: [Condition.Node] = []
        for (index, item) in items.enumerated() {
            nodes.append(node(item, field: "\(field)[\(index)]", depth: depth + 1))
        }
        return nodes
    }

    private mutating func tests(_ fact: Fact, _ value: JSONValue, field: String) -> [Condition.Node]
    {
        testCount += 1
        if testCount == Self.testsMax + 1 {
            problems.add(field, "a rule can have at most \(Self.testsMax) conditions")
        }
        guard testCount <= Self.testsMax else { return [] }
        guard case .object(var members) = value else {
            let isList = value.arrayValue != nil
            return test(fact, isList ? .isIn : .equals, value, zone: .utc, field: field).map {
                [.test($0)]
            } ?? []
        }
        var zone = TimeZoneRules.utc
        if let index = members.firstIndex(where: { $0.name == "time_zone" }) {
            zone = timeZone(members.remove(at: index).value, fact, field: "\(field).time_zone")
        }
        if members.isEmpty { problems.add(field, "must name a comparison such as \"is\"") }
        return members.compactMap { member -> Condition.Node? in
            let name = "\(field).\(member.name)"
            guard let word = Word(rawValue: member.name) else {
                let words = Word.allCases.map(\.rawValue)
                let hint = NearestName.suggestion(for: member.name, among: words)
                problems.add(
                    name,
                    "is no comparison"
                        + (hint.map { "; did you mean \"\($0)\"?" }
                            ?? "; use one of \(words.joined(separator: ", "))"))
                return nil
            }
            return test(fact, word, member.value, zone: zone, field: name).map { .test($0) }
        }
    }

    /// The comparisons that documents write.
    private enum Word: String, CaseIterable {
        case equals = "is", isNot = "is_not", isIn = "in", notIn = "not_in", range
        case contains, notContains = "not_contains", startsWith = "starts_with"
        case matches, notMatches = "not_matches", exists

        var isNegated: Bool {
            switch self {
            case .isNot, .notIn, .notContains, .notMatches: true
            case .equals, .isIn, .range, .contains, .startsWith, .matches, .exists: false
            }
        }
    }

    private func timeZone(_ value: JSONValue, _ fact: Fact, field: String) -> TimeZoneRules {
        guard fact == .weekday || fact == .hour else {
            problems.add(field, "belongs to weekday and hour only")
            return .utc
        }
        return problems.timeZone(value, field: field)
    }

    private func test(
        _ fact: Fact, _ word: Word, _ value: JSONValue, zone: TimeZoneRules, field: String
    ) -> FactTest? {
        let operation: FactTest.Operation?
        switch word {
        case .equals, .isNot:
            operation = equality(fact, [value], zone: zone, isList: false, field: field)
        case .isIn, .notIn:
            guard let items = value.arrayValue, !items.isEmpty, items.count <= Self.valuesMax else {
                problems.add(field, "must be an array of 1 to \(Self.valuesMax) values")
                return nil
            }
            operation = equality(fact, items, zone: zone, isList: true, field: field)
        case .range: operation = range(fact, value, zone: zone, field: field)
        case .contains, .notContains:
            operation = texts(fact, value, word, field: field).map { .contains($0) }
        case .startsWith: operation = texts(fact, value, word, field: field).map { .startsWith($0) }
        case .matches, .notMatches: operation = pattern(fact, value, word, field: field)
        case .exists:
            guard fact != .weekday, fact != .hour else {
                problems.add(field, "there always is one: compare it with a value")
                return nil
            }
            guard let wanted = value.boolValue else {
                problems.add(field, "must be true or false")
                return nil
            }
            operation = .exists(wanted)
        }
        guard let operation else { return nil }
        return FactTest(
            fact: fact, operation: operation, isNegated: word.isNegated,
            text: "\(fact.name) \(word.rawValue) \(Self.shown(value))"
                + (zone == .utc ? "" : " (\(zone.name))"))
    }

    /// Short enough for one line of an explanation.
    private static func shown(_ value: JSONValue) -> String {
        let items = (value.arrayValue ?? [value]).map { $0.stringValue ?? $0.encoded() }
        let more = items.count > 8 ? " and \(items.count - 8) more" : ""
        return items.prefix(8).joined(separator: ", ") + more
    }

    // MARK: Values

    private func equality(
        _ fact: Fact, _ values: [JSONValue], zone: TimeZoneRules, isList: Bool, field: String
    ) -> FactTest.Operation? {
        func place(_ index: Int) -> String { isList ? "\(field)[\(index)]" : field }
        switch fact.kind {
        case .text, .domain, .language:
            let texts = values.enumerated().compactMap { index, value in
                text(fact, value, field: place(index))
            }
            return texts.count == values.count ? .isIn(TextList(texts)) : nil
        case .version:
            let versions = values.enumerated().compactMap { version($1, field: place($0)) }
            return versions.count == values.count ? .versions(versions) : nil
        case .number:
            let numbers = values.enumerated().compactMap { number(fact, $1, field: place($0)) }
            guard numbers.count == values.count else { return nil }
            return .numbers(numbers)
        case .hour:
            let hours = values.enumerated().compactMap { hour($1, field: place($0)) }
            return hours.count == values.count ? .hours(hours.map { $0...$0 }, zone) : nil
        case .weekday:
            let days = values.enumerated().compactMap { index, value in
                problems.weekday(value, field: place(index))
            }
            return days.count == values.count ? .weekdays(Set(days), zone) : nil
        case .address:
            let networks = values.enumerated().compactMap { index, value -> IPNetwork? in
                let network = value.stringValue.flatMap { IPNetwork($0) }
                if network == nil {
                    problems.add(place(index), "must be an address or a block such as 192.0.2.0/24")
                }
                return network
            }
            return networks.count == values.count ? .networks(networks) : nil
        case .flag:
            guard !isList, let wanted = values.first?.boolValue else {
                problems.add(field, "must be true or false")
                return nil
            }
            return .flag(wanted)
        }
    }

    private func range(_ fact: Fact, _ value: JSONValue, zone: TimeZoneRules, field: String)
        -> FactTest.Operation?
    {
        guard let bounds = value.arrayValue, bounds.count == 2, bounds != [.null, .null] else {
            problems.add(field, "must be [from, to]; either may be null")
            return nil
        }
        let given = bounds.enumerated().filter { !$1.isNull }
        switch fact.kind {
        case .version:
            let versions = given.compactMap { version($1, field: "\(field)[\($0)]") }
            guard versions.count == given.count else { return nil }
            let from = bounds[0].isNull ? nil : versions.first
            return .versionRange(from, bounds[1].isNull ? nil : versions.last)
        case .number, .text:
            let numbers = given.compactMap { index, value -> Int64? in
                let nanos = value.amountNanos
                if nanos == nil { problems.add("\(field)[\(index)]", "must be a number") }
                return nanos
            }
            guard numbers.count == given.count else { return nil }
            let from = bounds[0].isNull ? nil : numbers.first
            let to = bounds[1].isNull ? nil : numbers.last
            if let from, let to, from > to {
                problems.add(field, "must go from the lesser to the greater number")
                return nil
            }
            return .numberRange(from, to)
        case .hour:
            guard given.count == 2 else {
                problems.add(field, "must be two hours such as [9, 17]")
                return nil
            }
            guard let from = hour(bounds[0], field: "\(field)[0]"),
                let to = hour(bounds[1], field: "\(field)[1]")
            else { return nil }
            // From the greater to the lesser goes over midnight.
            return .hours(from <= to ? [from...to] : [from...23, 0...to], zone)
        case .domain, .language, .address, .flag, .weekday:
            problems.add(field, "\(fact.name) has no range: use \"in\"")
            return nil
        }
    }

    private func texts(_ fact: Fact, _ value: JSONValue, _ word: Word, field: String) -> TextList? {
        guard isTextual(fact, word, field: field) else { return nil }
        let values = value.arrayValue ?? [value]
        guard !values.isEmpty, values.count <= Self.valuesMax else {
            problems.add(field, "must be a text, or 1 to \(Self.valuesMax) of them")
            return nil
        }
        let texts = values.compactMap(plainText)
        guard texts.count == values.count else {
            problems.add(field, "must be texts of 1 to \(Self.textMax) bytes")
            return nil
        }
        return TextList(texts)
    }

    private func pattern(_ fact: Fact, _ value: JSONValue, _ word: Word, field: String)
        -> FactTest.Operation?
    {
        guard isTextual(fact, word, field: field) else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            problems.add(field, "must be a regular expression")
            return nil
        }
        do throws(PatternError) {
            return .matches(try Pattern(text))
        } catch {
            problems.add(field, error.message)
            return nil
        }
    }

    private func isTextual(_ fact: Fact, _ word: Word, field: String) -> Bool {
        switch fact.kind {
        case .text, .domain, .language, .version: return true
        case .number, .address, .flag, .weekday, .hour:
            problems.add(field, "\(fact.name) can't be compared by \"\(word.rawValue)\"")
            return false
        }
    }

    private func plainText(_ value: JSONValue) -> String? {
        let text = value.stringValue ?? value.numberText
        guard let text, (1...Self.textMax).contains(text.utf8.count) else { return nil }
        return text
    }

    private func text(_ fact: Fact, _ value: JSONValue, field: String) -> String? {
        guard let text = plainText(value) else {
            problems.add(field, "must be a text of 1 to \(Self.textMax) bytes")
            return nil
        }
        let words: [String]
        switch fact {
        case .device: words = Device.Kind.allCases.map(\.rawValue)
        case .visit: words = VisitKind.allCases.map(\.name)
        case .country:
            do throws(CountryError) {
                return try Country.parse(text).code
            } catch {
                problems.add(field, error.message)
                return nil
            }
        default: return text
        }
        guard words.contains(text.lowercased()) else {
            problems.add(field, "must be one of \(words.joined(separator: ", "))")
            return nil
        }
        return text
    }

    private func version(_ value: JSONValue, field: String) -> VersionNumber? {
        let version = (value.stringValue ?? value.numberText).flatMap { VersionNumber($0) }
        if version == nil { problems.add(field, "must be a version such as \"17.1\"") }
        return version
    }

    private func hour(_ value: JSONValue, field: String) -> Int? {
        let hour = value.int64Value ?? value.stringValue.flatMap { Int64($0) }
        guard let hour, (0...23).contains(hour) else {
            problems.add(field, "must be a whole hour from 0 to 23")
            return nil
        }
        return Int(hour)
    }

    private func number(_ fact: Fact, _ value: JSONValue, field: String) -> Int64? {
        let allowed: ClosedRange<Int64> =
            switch fact {
            case .asn: 0...4_294_967_295
            default: 0...1_000_000_000
            }
        let number =
            value.int64Value
            ?? value.stringValue.flatMap { text in
                // As networks are called: AS15169.
                Int64(
                    fact == .asn && text.uppercased().hasPrefix("AS")
                        ? text.dropFirst(2) : text[...])
            }
        guard let number, allowed.contains(number), fact != .ipVersion || number == 4 || number == 6
        else {
            problems.add(
                field,
                fact == .ipVersion
                    ? "must be 4 or 6"
                    : "must be a whole number from \(allowed.lowerBound) to \(allowed.upperBound)")
            return nil
        }
        return number
    }
}

extension JSONValue {
    /// A decimal, written as a number or as a string, in 10⁻⁹.
    var amountNanos: Int64? {
        guard let text = numberText ?? stringValue else { return nil }
        var bytes = Array(text.utf8)
        return bytes.withUnsafeMutableBytes { DecimalBytes.nanos(UnsafeRawBufferPointer($0)) }
    }
}
