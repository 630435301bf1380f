internal import Domain
internal import Reports
internal import Store

/// `GET /report?group=campaign`, or by who came: `?group=campaign,device,os`.
enum ReportResource {
    static let routes = [Route("GET", "/report", report)]

    @Sendable private static func report(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let groups = groups(&query)
        let range = Range(&query)
        let now = call.services.now()
        let presenter = Presenter(call)
        let rates = presenter.catalog.rates
        return .read { reader throws(StoreError) in
            let (zone, period) = try range.resolved(now: now)
            let rows: [JSONValue]
            let totals: ReportNumbers
            var isTruncated = false
            let isByCampaign = groups == [.campaign]
            if isByCampaign {
                let report = try CampaignReport(reader, period, rates)
                rows = report.rows.map { row($0, presenter) }
                totals = report.totals
            } else {
                let report = try AudienceReport(groups, reader, period, rates)
                rows = report.rows.map { row($0, groups, presenter) }
                totals = report.totals
                isTruncated = report.isTruncated
            }
            return APIResponse([
                "group": .string(groups.map(\.rawValue).joined(separator: ",")),
                "from": period.from.json, "to": period.to.json, "tz": .string(zone.name),
                "reporting_currency": .string(orNull: rates.reporting?.code),
                "cost_layers": .bool(isByCampaign),
                "rows": .array(rows), "truncated": .bool(isTruncated),
                "totals": .object(
                    members(totals, rates.reporting, tellsLanders: isByCampaign)),
                "formulas": .object(
                    (isByCampaign ? CampaignReport.formulas : AudienceReport.formulas).map {
                        JSONMember(name: $0.name, value: .string($0.formula))
                    }),
            ])
        }
    }

    private static func groups(_ query: inout QueryReader) -> [ReportGroup] {
        guard let text = query.text("group") else { return [.campaign] }
        var groups: [ReportGroup] = []
        let known = ReportGroup.allCases.map(\.rawValue)
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let group = ReportGroup(rawValue: String(name)) else {
                let hint = NearestName.suggestion(for: String(name), among: known)
                query.fail(
                    "group",
                    "\"\(name)\" is none of \(known.joined(separator: ", "))"
                        + (hint.map { "; did you mean \"\($0)\"?" } ?? ""))
                return [.campaign]
            }
            if groups.contains(group) { query.fail("group", "names \(name) twice") }
            groups.append(group)
        }
        if groups.count > ReportGroup.groupsMax {
            query.fail("group", "can name at most \(ReportGroup.groupsMax)")
        }
        return groups
    }

    /// Which times are asked for: today, where nothing else is.
    private struct Range {
        let from: String?
        let to: String?
        let zone: String

        init(_ query: inout QueryReader) {
            zone = query.text("tz") ?? TimeZoneRules.utc.name
            from = query.text("from")
            to = query.text("to")
            if TimeZoneRules(fixed: zone) == nil, !TimeZoneRules.isName(zone) {
                query.fail("tz", TimeZoneRules.rule)
            }
            // Whether a text is a time is the same in every zone.
            if let from, TimeText.start(from) == nil { query.fail("from", TimeText.rule) }
            if let to, TimeText.end(to) == nil { query.fail("to", TimeText.rule) }
        }

        /// On a reader's thread: a zone's file may have to be read.
        func resolved(now: Instant) throws(StoreError) -> (TimeZoneRules, ReportPeriod) {
            let zone: TimeZoneRules
            do throws(TimeZoneError) {
                zone = try TimeZoneRules(name: self.zone)
            } catch {
                throw .invalid(ValidationError([FieldError("tz", error.message)]))
            }
            let end =
                to.flatMap { TimeText.end($0, zone) }
                ?? zone.start(of: zone.day(of: now).advanced(by: 1))
            // Else the day that ends the period.
            let start =
                from.flatMap { TimeText.start($0, zone) }
                ?? zone.start(of: zone.day(of: end.advanced(by: .microseconds(-1))))
            guard let period = ReportPeriod(from: start, to: end) else {
                throw .invalid(ValidationError([FieldError("to", "must be later than from")]))
            }
            return (zone, period)
        }
    }

    private static func row(_ row: CampaignReport.Row, _ presenter: Presenter) -> JSONValue {
        .object(
            [
                JSONMember(name: "campaign", value: presenter.key(row.campaignID)),
                JSONMember(name: "campaign_id", value: .integer(row.campaignID.rawValue)),
            ] + members(row.numbers, presenter.catalog.rates.reporting, tellsLanders: true))
    }

    private static func row(
        _ row: AudienceReport.Row, _ groups: [ReportGroup], _ presenter: Presenter
    ) -> JSONValue {
        let values = zip(groups, row.values).map { group, value in
            JSONMember(
                name: group.rawValue,
                value: group == .campaign
                    ? row.campaignID.map { presenter.key($0) } ?? .null : .string(orNull: value))
        }
        return .object(
            values
                + members(row.numbers, presenter.catalog.rates.reporting, tellsLanders: false))
    }

    /// - Parameter tellsLanders: landers are counted by campaign alone.
    private static func members(
        _ numbers: ReportNumbers, _ reporting: Currency?, tellsLanders: Bool
    ) -> [JSONMember] {
        var members = [
            JSONMember(name: "clicks", value: .integer(numbers.clicks)),
            JSONMember(name: "bots", value: .integer(numbers.bots)),
            JSONMember(name: "clicks_without_cost", value: .integer(numbers.clicksWithoutCost)),
        ]
        if tellsLanders {
            members += [
                JSONMember(name: "lander_views", value: .integer(numbers.landerViews)),
                JSONMember(name: "lander_clicks", value: .integer(numbers.landerClicks)),
                JSONMember(name: "lander_passed", value: .integer(numbers.landerPassed)),
                JSONMember(name: "lander_ctr", value: .string(orNull: numbers.landerRate)),
            ]
        }
        members.append(JSONMember(name: "conversions", value: .integer(numbers.conversions)))
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
