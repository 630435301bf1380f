internal import Domain

/// `cost import FILE`: what a source's report says, row by row. All of it is understood, and tried
/// without a change, before any of it is kept.
enum CostImport {
    private static let mebibytesMax = 16
    /// Layers of one request.
    private static let batchMax = 1000
    /// Columns that are no filters.
    private static let settings = [
        "campaign", "from", "to", "time_zone", "total", "cpc", "cpm", "currency", "note",
    ]
    /// As reports call them.
    private static let otherNames = ["date": "from", "cost": "total", "spend": "total"]

    private struct Row {
        let line: Int
        let layer: JSONValue
    }

    static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let rows = try rows(
            try InputFile.bytes(invocation.operands[0], mebibytesMax: mebibytesMax), invocation)
        let api = try invocation.api()
        var clicks: Int64 = 0
        for start in stride(from: 0, to: rows.count, by: batchMax) {
            let part = rows[start...].prefix(batchMax)
            for layer in try send(part, "/costs?dry_run=1", api) {
                clicks += layer["clicks"]?.int64Value ?? 0
            }
            Terminal.progress("\(start + part.count) of \(rows.count) rows understood")
        }
        let isDryRun = invocation.arguments.has("dry-run")
        var ids: [JSONValue] = []
        if !isDryRun {
            for start in stride(from: 0, to: rows.count, by: batchMax) {
                do throws(CommandFailure) {
                    ids += try send(rows[start...].prefix(batchMax), "/costs", api)
                        .compactMap { $0["id"] }
                } catch {
                    Terminal.endProgress()
                    throw CommandFailure(
                        start == 0 ? error.code : .partlyDone,
                        "\(error.message)\n\(Show.count(start, "correction")) added; the whole "
                            + "file may be imported again")
                }
                Terminal.progress("\(ids.count) of \(rows.count) corrections")
            }
        }
        Terminal.endProgress()
        if invocation.wantsJSON {
            Terminal.line(JSONValue.object(["ids": .array(ids)]).encoded(pretty: true))
        }
        Terminal.talk(
            Show.count(rows.count, "correction") + (isDryRun ? " would be" : "") + " added, about "
                + Show.count(clicks, "click") + (isDryRun ? " (--dry-run)" : ""))
        return .done
    }

    private static func send(_ rows: ArraySlice<Row>, _ path: String, _ api: API)
        throws(CommandFailure) -> [JSONValue]
    {
        do throws(CommandFailure) {
            return try api.call("POST", path, body: .array(rows.map(\.layer))).arrayValue ?? []
        } catch {
            throw CommandFailure(error.code, lines(error.message, Array(rows)))
        }
    }

    /// A message that names rows by the lines they stand on, not by their places in the request.
    private static func lines(_ message: String, _ rows: [Row]) -> String {
        message.split(separator: "\n", omittingEmptySubsequences: false).map { text in
            guard let start = text.firstIndex(of: "["), let end = text.firstIndex(of: "]"),
                start < end, let place = Int(text[text.index(after: start)..<end]),
                rows.indices.contains(place)
            else { return String(text) }
            let rest = text[text.index(after: end)...].drop { $0 == "." || $0 == ":" || $0 == " " }
            return text[..<start] + "line \(rows[place].line): " + rest
        }.joined(separator: "\n")
    }

    // MARK: Reading the file

    private static func rows(_ bytes: [UInt8], _ invocation: Invocation) throws(CommandFailure)
        -> [Row]
    {
        var reader = CSVReader(bytes)
        let names = (try next(&reader)?.fields ?? []).map { name in
            let word = trimmed(name)
            let lowered = word.lowercased()
            return otherNames[lowered] ?? (settings.contains(lowered) ? lowered : word)
        }
        let given = names + (invocation.arguments.has("campaign") ? ["campaign"] : [])
        guard given.contains("campaign"), given.contains("from"),
            ["total", "cpc", "cpm"].contains(where: { names.contains($0) })
        else {
            throw CommandFailure(
                .refused,
                "the first line must name the columns campaign (or --campaign), from (or date), and "
                    + "total (or cost, spend), cpc or cpm")
        }
        guard Set(names).count == names.count else {
            throw CommandFailure(.refused, "the first line names a column twice")
        }
        var rows: [Row] = []
        while let record = try next(&reader) {
            guard record.fields.count == names.count else {
                throw CommandFailure(
                    .refused,
                    "line \(record.line): has \(Show.count(record.fields.count, "field")), not "
                        + "\(names.count)")
            }
            rows.append(Row(line: record.line, layer: layer(names, record.fields, invocation)))
        }
        guard !rows.isEmpty else { throw CommandFailure(.refused, "the file has no costs") }
        return rows
    }

    private static func layer(_ names: [String], _ cells: [String], _ invocation: Invocation)
        -> JSONValue
    {
        var members: [JSONMember] = []
        var tests: [JSONMember] = []
        for (name, cell) in zip(names, cells) {
            if settings.contains(name) {
                let text = trimmed(cell)
                if !text.isEmpty { members.append(JSONMember(name: name, value: .string(text))) }
            } else {
                tests.append(JSONMember(name: name, value: cell.isEmpty ? .null : .string(cell)))
            }
        }
        members.append(JSONMember(name: "where", value: .object(tests)))
        for (flag, name) in [
            ("campaign", "campaign"), ("tz", "time_zone"), ("currency", "currency"),
        ] where !members.contains(where: { $0.name == name }) {
            guard let value = invocation.arguments.value(flag) else { continue }
            members.append(JSONMember(name: name, value: .string(value)))
        }
        return .object(members)
    }

    private static func next(_ reader: inout CSVReader) throws(CommandFailure) -> CSVRecord? {
        do {
            return try reader.next()
        } catch {
            throw CommandFailure(.refused, error.description)
        }
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
