internal import Domain

/// `report`: clicks, conversions and money.
enum ReportCommand {
    private static let filters = [
        Flag("group", "FIELD,…", "one row for each: campaign, visit, device, brand, … (campaign)"),
        Flag("from", "DAY", "clicks at or after it (a day, or RFC 3339)"),
        Flag("to", "DAY", "clicks up to it"),
        Flag("tz", "ZONE", "whose days they are: UTC, +02:00, Europe/Berlin (UTC)"),
    ]

    static let commands = [
        Command(
            words: ["report"], summary: "print clicks, conversions and money",
            flags: filters + [Command.jsonFlag], scope: .api,
            details: """
                Up to four fields: campaign, visit, device, brand, model, os, os_version, browser,
                browser_version, in_app, language, country, region, city, isp, asn,
                connection_type. Requests that are no clicks stand in the column
                "bots" and in no other; see help bots. By campaign alone, sums are read; by anything
                else, the clicks themselves, which takes a second for some million of them, and
                costs are those that clicks and conversions were recorded with, without layers.

                  clickrelay report --group campaign,device,os --from 2026-11-01
                  clickrelay report --group visit,browser
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        var query = ListOutput.query(invocation, filters)
        let groups =
            (invocation.arguments.value("group") ?? "campaign").split(separator: ",")
            .map(String.init)
        if invocation.arguments.value("group") == nil { query.append("group=campaign") }
        let report = try invocation.api().call(
            "GET", "/report?" + query.joined(separator: "&"))
        if invocation.wantsJSON {
            Terminal.line(report.encoded(pretty: true))
        } else {
            if let from = report["from"]?.stringValue, let to = report["to"]?.stringValue {
                Terminal.talk("clicks from \(Printable.text(from)) to \(Printable.text(to))")
            }
            Terminal.out(table(report, groups))
        }
        return .done
    }

    /// For programs; people read the same from the other columns.
    private static let hidden = [
        "campaign_id", "amounts", "clicks_without_cost", "reporting", "lander_passed",
    ]

    /// Of the sums in the reporting currency.
    private static let reportingNames = ["cost", "revenue", "profit", "unconverted"]

    /// The rows' own members in their order, the groups first, the totals as the last row.
    static func table(_ report: JSONValue, _ groups: [String]) -> String {
        let rows = report["rows"]?.arrayValue ?? []
        let totals = report["totals"] ?? .null
        var columns = groups
        for member in (rows.first ?? totals).objectValue ?? []
        where !columns.contains(member.name) && !hidden.contains(member.name) {
            columns.append(member.name)
        }
        let reporting = report["reporting_currency"]?.stringValue
        if reporting != nil { columns += reportingNames.map { "reporting.\($0)" } }
        var lines = rows.map { row in columns.map { cell(row, $0) } }
        if totals.objectValue != nil {
            lines.append(
                columns.enumerated().map { index, name in
                    index == 0 ? "total" : index < groups.count ? "" : cell(totals, name)
                })
        }
        return TextTable.data(
            columns.map { name in
                let parts = name.split(separator: ".")
                let text = parts.count == 2 ? "\(parts[1]) \(reporting ?? "")" : name
                return String(text.map { $0 == "_" ? " " : $0 }).uppercased()
            }, lines,
            right: Set(groups.count..<max(groups.count, columns.count)))
    }

    /// Money in several currencies has no single figure; the amounts stand side by side then.
    private static func cell(_ row: JSONValue, _ name: String) -> String {
        let parts = name.split(separator: ".").map(String.init)
        if parts.count == 2 {
            let value = row[parts[0]]?[parts[1]]
            // The heading names the currency.
            return Show.text(value?["amount"] ?? value)
        }
        let amounts = (row["amounts"]?.arrayValue ?? []).compactMap { Show.money($0[name]) }
        return amounts.count > 1 ? amounts.joined(separator: " + ") : Show.text(row[name])
    }
}
