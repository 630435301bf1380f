/// An affiliate network: it pays us, and reports conversions to its postback URL in its own dialect.
public struct Network: Entity, Hashable {
    public static let kind = "network"

    public enum PayoutUnit: String, CaseIterable, Sendable { case decimal, minor }
    /// What a repeated identity means.
    public enum Repeat: String, CaseIterable, Sendable { case update, ignore, add }

    public let key: EntityKey
    public let name: String
    /// Appended with the click ID to offer URLs that carry no click ID token.
    public let clickIDParameter: String?
    public let payoutUnit: PayoutUnit
    public let currency: Currency
    /// The network's word, in lower case, to our status.
    public let statusMap: [String: ConversionStatus]
    public let defaultStatus: ConversionStatus
    public let defaultEvent: String
    /// The network's words, in lower case, whose reports are kept but not counted.
    public let ignoredStatuses: [String]
    public let numberFormat: NumberFormat
    /// Empty: any sender.
    public let allowedIPs: [IPNetwork]
    public let repeats: Repeat
    /// By event, where it differs from `repeats`.
    public let repeatsByEvent: [String: Repeat]
    /// Refuses a status word that nobody has mapped, instead of taking it for pending.
    public let isStrictAboutStatuses: Bool
    /// Refuses events that are neither among `events` nor the default one.
    public let isStrictAboutEvents: Bool
    public let events: [String]
    /// Refuses calls without a transaction ID, for networks whose every sale has one.
    public let requiresTransactionID: Bool
    public let signature: SignatureRule?
    public let alwaysOK: Bool
    /// Replaces the JSON answer.
    public let reply: String?
    /// Our parameter name to the network's own names for it.
    public let parameters: [String: [String]]
    /// The catalogue's entry that it was made from, whose tokens its postback URL shows.
    public let template: EntityKey?
    /// What `parameters` come to.
    let dialect: PostbackDialect
    private let allowedIPTexts: [String]

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        reader.ignoreReadOnly()
        reader.ignore("postback_key", "postback_url", "postback_keys", "postback_notes")
        key = reader.requiredKey("key")
        name = reader.string("name") ?? key.text
        clickIDParameter = reader.string("click_id_param", max: 64).nonEmpty
        payoutUnit = reader.choice("payout_unit", default: .decimal)
        currency = reader.currency("currency", default: .usDollar)
        statusMap = Self.statusMap(&reader)
        defaultStatus = reader.choice("default_status", default: .approved)
        let defaultEvent = EventName.normalized(reader.string("default_event", max: 64) ?? "")
        self.defaultEvent = defaultEvent.isEmpty ? "conversion" : defaultEvent
        ignoredStatuses = reader.strings("ignore_statuses").map { $0.lowercased() }
        numberFormat = reader.choice("number_format", default: .auto)
        allowedIPTexts = reader.strings("allowed_ips")
        allowedIPs = Self.networks(allowedIPTexts, &reader)
        (repeats, repeatsByEvent) = Self.repeats(&reader)
        isStrictAboutStatuses = reader.bool("strict_statuses", default: false)
        isStrictAboutEvents = reader.bool("strict_events", default: false)
        events = reader.strings("events").map(EventName.normalized)
        requiresTransactionID = reader.bool("require_transaction_id", default: false)
        signature = reader.reader("signature").map { SignatureRule(reading: $0) }
        alwaysOK = reader.bool("always_200", default: false)
        reply = reader.string("reply", max: 1000).nonEmpty
        parameters = Self.parameters(&reader)
        template = reader.key("template")
        dialect = PostbackDialect(own: parameters)
        reader.finish()
        try problems.throwIfAny()
    }

    /// What a repeat of an event's identity means.
    public func repeats(of event: String) -> Repeat { repeatsByEvent[event] ?? repeats }

    /// Whether an event may be reported at all.
    func takes(event: String) -> Bool {
        !isStrictAboutEvents || event == defaultEvent || events.contains(event)
    }

    /// One rule, or an object of events with a `default`.
    private static func repeats(_ reader: inout DocumentReader) -> (Repeat, [String: Repeat]) {
        guard reader.value("repeat")?.objectValue != nil else {
            return (reader.choice("repeat", default: .update), [:])
        }
        var rules: [String: Repeat] = [:]
        for member in reader.members("repeat") {
            guard let rule = member.value.stringValue.flatMap({ Repeat(rawValue: $0) }) else {
                let words = Repeat.allCases.map(\.rawValue).joined(separator: ", ")
                reader.fail("repeat.\(member.name)", "must be one of \(words)")
                continue
            }
            rules[EventName.normalized(member.name)] = rule
        }
        let fallback = rules.removeValue(forKey: defaultName) ?? .update
        return (fallback, rules.filter { $0.value != fallback })
    }

    private static let defaultName = "default"

    private var repeatDocument: JSONValue {
        if repeatsByEvent.isEmpty { return .string(repeats.rawValue) }
        var members = [JSONMember(name: Self.defaultName, value: .string(repeats.rawValue))]
        members += repeatsByEvent.sorted { $0.key < $1.key }
            .map { JSONMember(name: $0.key, value: .string($0.value.rawValue)) }
        return .object(members)
    }

    private static func statusMap(_ reader: inout DocumentReader) -> [String: ConversionStatus] {
        var map: [String: ConversionStatus] = [:]
        for member in reader.members("status_map") {
            guard case .string(let word) = member.value,
                let status = ConversionStatus(rawValue: word)
            else {
                let words = ConversionStatus.allCases.map(\.rawValue).joined(separator: ", ")
                reader.fail("status_map.\(member.name)", "must be one of \(words)")
                continue
            }
            map[member.name.lowercased()] = status
        }
        return map
    }

    private static func networks(_ texts: [String], _ reader: inout DocumentReader) -> [IPNetwork] {
        var networks: [IPNetwork] = []
        for (index, text) in texts.enumerated() {
            guard let network = IPNetwork(text) else {
                reader.fail(
                    "allowed_ips[\(index)]", "must be an address or a range such as 203.0.113.0/24")
                continue
            }
            networks.append(network)
        }
        return networks
    }

    private static func parameters(_ reader: inout DocumentReader) -> [String: [String]] {
        var parameters: [String: [String]] = [:]
        for member in reader.members("parameters") {
            let field = "parameters.\(member.name)"
            guard PostbackParameter(rawValue: member.name) != nil else {
                let names = PostbackParameter.allCases.map(\.rawValue)
                let hint = NearestName.suggestion(for: member.name, among: names)
                reader.fail(
                    field,
                    "is not a postback parameter" + (hint.map { "; did you mean \"\($0)\"?" } ?? "")
                )
                continue
            }
            // One name may stand without its array.
            let items = member.value.arrayValue ?? [member.value]
            let names = items.compactMap(\.stringValue).filter { !$0.isEmpty }
            guard !names.isEmpty, names.count == items.count, names.count <= 20 else {
                reader.fail(field, "must be an array of 1 to 20 parameter names")
                continue
            }
            parameters[member.name] = names
        }
        return parameters
    }

    public var document: JSONValue {
        [
            "key": .string(key.text),
            "name": .string(name),
            "click_id_param": .string(orNull: clickIDParameter),
            "payout_unit": .string(payoutUnit.rawValue),
            "currency": .string(currency.code),
            "status_map": .object(
                statusMap.sorted { $0.key < $1.key }
                    .map { JSONMember(name: $0.key, value: .string($0.value.rawValue)) }),
            "default_status": .string(defaultStatus.rawValue),
            "default_event": .string(defaultEvent),
            "ignore_statuses": .array(ignoredStatuses.map { .string($0) }),
            "number_format": .string(numberFormat.rawValue),
            "allowed_ips": .array(allowedIPTexts.map { .string($0) }),
            "repeat": repeatDocument,
            "strict_statuses": .bool(isStrictAboutStatuses),
            "strict_events": .bool(isStrictAboutEvents),
            "require_transaction_id": .bool(requiresTransactionID),
            "events": .array(events.map { .string($0) }),
            "signature": signature?.document ?? .null,
            "always_200": .bool(alwaysOK),
            "reply": .string(orNull: reply),
            "parameters": .object(
                parameters.sorted { $0.key < $1.key }
                    .map { member in
                        JSONMember(
                            name: member.key, value: .array(member.value.map { .string($0) }))
                    }),
            "template": .string(orNull: template?.text),
        ]
    }
}

/// The name of what happened. Free text of the networks; one case, so that `Sale` and `sale` are
/// one event of one conversion.
public enum EventName {
    public static let lengthMax = 64

    public static func normalized(_ text: String) -> String {
        let printable = text.lowercased().unicodeScalars.filter {
            $0.value >= 32 && $0.value != 127
        }
        var result = ""
        result.unicodeScalars.append(contentsOf: printable)
        return result.prefix(utf8Count: lengthMax)
    }
}
