/// What a network would report of a sample, in our words.
public struct SampleReport: Sendable {
    public var status = ConversionStatus.approved
    /// As `EventName` writes it; nil: the call names none, so the network's default counts.
    public var event: String?
    /// Nil: the call names no amount, so the offer's counts.
    public var payoutNanos: Int64?
    /// Nil: the call names none, so the network's counts.
    public var currency: Currency?
    /// Empty: the call names none.
    public var transactionID = SampleReport.sampleText

    public static let sampleText = "clickrelay-test"

    public init() {}

    init(_ reader: DocumentReader) {
        var reader = reader
        status = reader.choice("status", default: .approved)
        if let event = reader.string("event", max: EventName.lengthMax) {
            self.event = EventName.normalized(event)
            if self.event == "" { reader.fail("event", "must have a printable character") }
        }
        payoutNanos = reader.amount("payout")
        if reader.value("currency") != nil {
            currency = reader.currency("currency", default: .usDollar)
        }
        if let text = reader.string("transaction_id", max: PostbackReport.transactionIDLengthMax) {
            transactionID = text
        }
        reader.finish()
    }
}

extension Network {
    /// The query of the call that reports it, in the names and words that this network is set to
    /// use; its signature, if it signs, is not in it.
    public func query(reporting report: SampleReport, of clickID: ClickID) -> [UInt8] {
        var query: [UInt8] = []
        func add(_ parameter: PostbackParameter, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            if !query.isEmpty { query.append(UInt8(ascii: "&")) }
            let name = parameters[parameter.rawValue]?.first ?? spelling(of: parameter)
            PercentEncoding.append(name.utf8, to: &query)
            query.append(UInt8(ascii: "="))
            PercentEncoding.append(value.utf8, to: &query)
        }
        add(.cid, clickID.text)
        add(.payout, report.payoutNanos.map { amountText($0, report.currency ?? currency) })
        add(.currency, report.currency?.code)
        add(.status, word(for: report.status))
        add(.event, report.event)
        add(.txid, report.transactionID)
        return query
    }

    private func amountText(_ nanos: Int64, _ currency: Currency) -> String {
        let amount = Money(nanos: nanos, currency: currency)
        if payoutUnit == .minor { return amount.minorText }
        guard numberFormat == .comma else { return amount.amountText }
        return String(amount.amountText.map { $0 == "." ? "," : $0 })
    }

    /// One of its own words for a status, else ours.
    private func word(for status: ConversionStatus) -> String {
        let own = statusMap.filter { $0.value == status }.keys.sorted()
        let common = ConversionStatus.commonWords.filter { $0.value == status }.keys.sorted()
        let words = own + [status.rawValue] + common
        return words.first { word in
            (statusMap[word] ?? status) == status && !ignoredStatuses.contains(word)
        } ?? status.rawValue
    }
}
