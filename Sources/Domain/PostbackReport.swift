/// What a network reports, read from its call by its own dialect; nothing has been looked up yet.
public struct PostbackReport: Equatable, Sendable {
    public let clickID: ClickID
    /// Nanos of `currency`; nil when the call has no amount.
    public let amount: Int64?
    public let currency: Currency
    /// Empty when there is none.
    public let transactionID: String
    public let event: String
    public let status: ConversionStatus
    /// The network's own word.
    public let networkStatus: String?
    public let extras: [String?]
    public let isIgnored: Bool
    public let isTest: Bool
    public let suppressesOutbound: Bool
    /// What the operator should know though the call was understood.
    public let notes: [String]

    public static let transactionIDLengthMax = 200
    /// Bytes kept of each extra, and of the reply that a call asks for.
    public static let extraMax = 1000

    /// Two long ones that differ at the end only are two orders.
    private static func kept(_ transactionID: String) -> String {
        guard transactionID.utf8.count > transactionIDLengthMax else { return transactionID }
        let end = "~" + String(FNV1a.hash(transactionID.utf8), radix: 16)
        return transactionID.prefix(utf8Count: transactionIDLengthMax - end.utf8.count) + end
    }

    /// - Throws: `PostbackRefusal` for the first thing that makes the call useless.
    public init(_ fields: PostbackFields, network: Network) throws(PostbackRefusal) {
        var notes: [String] = []
        clickID = try Self.requiredClickID(fields)
        (amount, currency) = try Self.money(fields, network)

        func optional(_ parameter: PostbackParameter) -> String? {
            guard let value = fields.exactValue(parameter) else { return nil }
            guard !UnreplacedMacro.matches(value) else {
                notes.append("\(parameter.rawValue) holds the unreplaced macro \(value.shown)")
                return nil
            }
            return value
        }

        let transactionID = optional(.txid) ?? ""
        self.transactionID = Self.kept(transactionID)
        if transactionID.isEmpty, network.requiresTransactionID {
            throw PostbackRefusal(
                .transactionIDRequired,
                "no transaction ID, and the network is set to require one: put its token for the "
                    + "order into the parameter txid")
        }
        if self.transactionID != transactionID {
            notes.append(
                "the transaction ID has more than \(Self.transactionIDLengthMax) bytes: its end is "
                    + "kept as a hash")
        }
        let event = EventName.normalized(optional(.event)?.trimmed ?? "")
        self.event = event.isEmpty ? network.defaultEvent : event
        guard network.takes(event: self.event) else {
            let hint = NearestName.suggestion(for: event, among: network.events)
            throw PostbackRefusal(
                .eventUnknown,
                "event \"\(event.shown)\" is not among the network's events"
                    + (hint.map { "; did you mean \"\($0)\"?" } ?? ": add it to them"))
        }
        extras = PostbackParameter.extras.map { optional($0)?.prefix(utf8Count: Self.extraMax) }

        let word = fields.value(.status)
        if let word, UnreplacedMacro.matches(word) {
            throw PostbackRefusal(
                .macroNotReplaced,
                "status is the unreplaced macro \(word.shown): use the network's own token for it")
        }
        networkStatus = word?.prefix(utf8Count: 100)
        isIgnored = word.map { network.ignoredStatuses.contains($0.lowercased()) } ?? false
        let own = word == nil ? [:] : Self.ownStatusMap(fields, &notes)
        switch word.map({ Self.status(of: $0, own, network) }) {
        case nil: status = network.defaultStatus
        case .some(.some(let known)): status = known
        case .some(.none):
            status = .pending
            if !isIgnored, network.isStrictAboutStatuses {
                throw PostbackRefusal(
                    .statusUnmapped,
                    "status \"\(word?.shown ?? "")\" is not known: add it to the network's "
                        + "status_map")
            }
            if !isIgnored {
                notes.append(
                    "status \"\(word?.shown ?? "")\" is not known and counts as pending: "
                        + "add it to the network's status_map")
            }
        }
        isTest = Self.isOn(optional(.test))
        suppressesOutbound = Self.isOn(optional(.disablePostback))
        self.notes = notes
    }

    /// The text that a call asks to be answered with instead of the JSON.
    public static func reply(_ fields: PostbackFields, network: Network) -> String? {
        guard let asked = fields.value(.reply), !UnreplacedMacro.matches(asked) else {
            return network.reply
        }
        return asked.prefix(utf8Count: extraMax)
    }

    /// The click ID of a call, whatever else is wrong with it.
    public static func clickID(_ fields: PostbackFields) -> ClickID? {
        fields.value(.cid).flatMap { ClickID($0) }
    }

    /// The click ID, or why there is none that could be one.
    public static func requiredClickID(_ fields: PostbackFields) throws(PostbackRefusal)
        -> ClickID
    {
        guard let text = fields.value(.cid) else {
            throw PostbackRefusal(
                .clickIDMissing,
                "no click ID: put the network's token for the sub ID into the parameter cid")
        }
        if UnreplacedMacro.matches(text) {
            throw PostbackRefusal(
                .macroNotReplaced,
                "cid is the unreplaced macro \(text.shown): "
                    + "use the network's own token for the sub ID")
        }
        guard let clickID = ClickID(text) else {
            throw PostbackRefusal(
                .clickIDMalformed,
                "\"\(text.shown)\" is not a click ID: it has 26 letters and "
                    + "digits; check which sub ID the offer URL carries")
        }
        return clickID
    }

    private static func money(_ fields: PostbackFields, _ network: Network)
        throws(PostbackRefusal) -> (amount: Int64?, currency: Currency)
    {
        var currency = network.currency
        if let code = fields.value(.currency) {
            if UnreplacedMacro.matches(code) {
                throw PostbackRefusal(
                    .macroNotReplaced,
                    "currency is the unreplaced macro \(code.shown): use the network's own token for it"
                )
            }
            guard let known = Currency(code) else {
                throw PostbackRefusal(
                    .currencyUnknown,
                    "\"\(code.shown)\" is not an ISO 4217 currency code")
            }
            currency = known
        }
        let decimal = fields.value(.payout)
        let minor = fields.value(.payoutMinor)
        guard let text = decimal ?? minor else { return (nil, currency) }
        if UnreplacedMacro.matches(text) {
            throw PostbackRefusal(
                .macroNotReplaced,
                "payout is the unreplaced macro \(text.shown): use the network's own token for it")
        }
        let isMinor = decimal == nil || (network.payoutUnit == .minor && !fields.isEntry)
        let shown = text.shown
        do {
            return isMinor
                ? (
                    try Amount.parseMinor(
                        text, currency: currency, format: network.numberFormat), currency
                )
                : (try Amount.parse(text, format: network.numberFormat), currency)
        } catch {
            switch error {
            case .notNumber:
                throw PostbackRefusal(.payoutNotNumber, "payout \"\(shown)\" is not a number")
            case .ambiguous:
                throw PostbackRefusal(
                    .payoutAmbiguous,
                    "payout \"\(shown)\" can be read in two ways: "
                        + "set the network's number_format to point or comma")
            case .outOfRange:
                throw PostbackRefusal(.payoutOutOfRange, "payout \"\(shown)\" is too large")
            }
        }
    }

    private static func status(
        of word: String, _ own: [String: ConversionStatus], _ network: Network
    ) -> ConversionStatus? {
        let lower = word.lowercased()
        return own[lower] ?? network.statusMap[lower] ?? ConversionStatus.commonWords[lower]
    }

    /// `approved_status=1,2` and its kin; commas or semicolons. Of a word that is said to mean
    /// several statuses the first counts, approved before pending before the rest.
    private static func ownStatusMap(_ fields: PostbackFields, _ notes: inout [String])
        -> [String: ConversionStatus]
    {
        var map: [String: ConversionStatus] = [:]
        for (parameter, status) in PostbackParameter.statusWords {
            guard let text = fields.value(parameter) else { continue }
            guard !UnreplacedMacro.matches(text) else {
                notes.append("\(parameter.rawValue) holds the unreplaced macro \(text.shown)")
                continue
            }
            for word in text.split(whereSeparator: { $0 == "," || $0 == ";" }) {
                let lower = String(word).trimmed.lowercased()
                if !lower.isEmpty, map[lower] == nil { map[lower] = status }
            }
        }
        return map
    }

    private static func isOn(_ text: String?) -> Bool {
        guard let text else { return false }
        return ["1", "true", "yes"].contains(text.trimmed.lowercased())
    }
}

extension String {
    /// As much of it as a message shows.
    fileprivate var shown: String { prefix(utf8Count: 60) }

    /// As much of the start as fits into so many bytes, by whole characters.
    public func prefix(utf8Count max: Int) -> String {
        if utf8.count <= max { return self }
        var result = ""
        var length = 0
        for scalar in unicodeScalars {
            length += UTF8.width(scalar)
            if length > max { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
