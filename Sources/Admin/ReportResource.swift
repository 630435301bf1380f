internal import Domain
internal import Reports
internal import Store

/// `GET /report?group=campaign`.
enum ReportResource {
    static let routes = [Route("GET", "/report", report)]

    @Sendable private static func report(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let group = query.text("group") ?? "campaign"
        if group != "campaign" { query.fail("group", "must be campaign; nothing else yet") }
        let offset = offset(&query)
        guard let period = period(&query, offset, now: call.services.now()) else {
            // Told by `query`.
            return .done(.page([], nextCursor: nil))
        }
        let presenter = Presenter(call)
        let rates = presenter.catalog.rates
        return .read { reader throws(StoreError) in
            let report = try CampaignReport(reader, period, rates)
            return APIResponse([
                "group": .string(group), "from": period.from.json, "to": period.to.json,
                "tz": .string(offset.text),
                "reporting_currency": .string(orNull: rates.reporting?.code),
                "rows": .array(report.rows.map { row($0, presenter) }),
                "totals": .object(members(report.totals, rates.reporting)),
                "formulas": .object(
                    CampaignReport.formulas.map {
                        JSONMember(name: $0.name, value: .string($0.formula))
                    }),
            ])
        }
    }

    private static func offset(_ query: inout QueryReader) -> UTCOffset {
        guard let text = query.text("tz") else { return .utc }
        guard let offset = UTCOffset(text) else {
            query.fail("tz", "must be UTC or an offset on a quarter hour such as +02:00")
            return .utc
        }
        return offset
    }

    /// Today, where nothing else is asked for.
    private static func period(_ query: inout QueryReader, _ offset: UTCOffset, now: Instant)
        -> ReportPeriod?
    {
        let fromText = query.text("from")
        let toText = query.text("to")
        let tomorrow = offset.start(of: offset.day(of: now).advanced(by: 1))
        let to = toText.map { TimeText.end($0, offset) } ?? tomorrow
        let from: Instant?
        if let fromText {
            from = TimeText.start(fromText, offset)
        } else {
            // The day that ends the period.
            from = to.map { offset.start(of: offset.day(of: $0.advanced(by: .microseconds(-1)))) }
        }
        if fromText != nil, from == nil { query.fail("from", TimeText.rule) }
        if to == nil { query.fail("to", TimeText.rule) }
        guard let from, let to else { return nil }
        guard let period = ReportPeriod(from: from, to: to) else {
            query.fail("to", "must be later than from")
            return nil
        }
        return period
    }

    private static func row(_ row: CampaignReport.Row, _ presenter: Presenter) -> JSONValue {
        .object(
            [
                JSONMember(name: "campaign", value: presenter.key(row.campaignID)),
                JSONMember(name: "campaign_id", value: .integer(row.campaignID.rawValue)),
            ] + members(row.numbers, presenter.catalog.rates.reporting))
    }

    private static func members(_ numbers: ReportNumbers, _ reporting: Currency?)
        -> [JSONMember]
    {
        var members = [
            JSONMember(name: "clicks", value: .integer(numbers.clicks)),
            JSONMember(name: "clicks_without_cost", value: .integer(numbers.clicksWithoutCost)),
            JSONMember(name: "conversions", value: .integer(numbers.conversions)),
        ]
        for status in ConversionStatus.allCases {
            members.append(
                JSONMember(name: status.rawValue, value: .integer(numbers.conversions(status))))
        }
        let single = numbers.single.map { JSONValue.object(money($0.currency, $0.amounts)) }
        for name in ["cost", "revenue", "profit"] {
            members.append(JSONMember(name: name, value: single?[name] ?? .null))
        }
        members.append(
            JSONMember(name: "cr", value: .string(orNull: numbers.conversionRate)))
        members += ratios(numbers.single.map { numbers.ratios($0.amounts) })
        members += [
            JSONMember(
                name: "amounts",
                value: .array(
                    numbers.amounts.map { .object(figures($0.currency, $0.amounts, numbers)) })),
            JSONMember(
                name: "reporting",
                value: reporting.map { currency in
                    .object(
                        figures(currency, numbers.reporting, numbers)
                            + [
                                JSONMember(
                                    name: "unconverted", value: .integer(numbers.unconverted))
                            ])
                } ?? .null),
        ]
        return members
    }

    /// All that can be told of the sums of one currency.
    private static func figures(
        _ currency: Currency, _ amounts: ReportNumbers.Amounts, _ numbers: ReportNumbers
    ) -> [JSONMember] {
        [JSONMember(name: "currency", value: .string(currency.code))]
            + money(currency, amounts) + ratios(numbers.ratios(amounts))
    }

    private static func money(_ currency: Currency, _ amounts: ReportNumbers.Amounts)
        -> [JSONMember]
    {
        [
            ("cost", amounts.costNanos), ("revenue", amounts.revenueNanos),
            ("profit", amounts.profitNanos),
        ].map { name, nanos in
            JSONMember(
                name: name,
                value: [
                    "amount": .string(Amount.format(nanos)), "currency": .string(currency.code),
                ])
        }
    }

    /// Null where there is no single currency, and for a division by zero.
    private static func ratios(_ ratios: ReportNumbers.Ratios?) -> [JSONMember] {
        [
            ("epc", ratios?.earningsPerClick), ("roi", ratios?.returnOnInvestment),
            ("cpc", ratios?.costPerClick), ("cpa", ratios?.costPerConversion),
        ].map { JSONMember(name: $0, value: .string(orNull: $1)) }
    }
}
