internal import Domain

/// `import conversions FILE`: rows of a CSV file, each with its own verdict.
enum ImportCommand {
    private static let mebibytesMax = 64
    /// Rows and bytes of one request, well below what a server takes.
    private static let batchRowsMax = 200
    private static let batchBytesMax = 65_536

    static let commands = [
        Command(
            words: ["import", "conversions"], operands: "FILE", operandCount: 1...1,
            summary: "enter conversions from a CSV file",
            flags: [
                Flag("network", "KEY", "of rows that name none; else that of the click's offer"),
                Flag("dry-run", nil, "only show what each row would come to"),
                Flag("suppress-outbound", nil, "tell no traffic source"),
                Flag("from-line", "N", "go on at that line of the file"), Command.jsonFlag,
            ], scope: .api,
            details: """
                FILE is comma-separated (RFC 4180, UTF-8), - is stdin. Its first line names the
                columns: cid, payout, currency, txid, status, event, at, network, or any other name
                that `clickrelay help postback` lists. Without such a line the columns are
                cid, payout, txid, status, as far as there are any.

                Each row prints its line number, verdict, conversion, revision and message, separated
                by tabs. A row that was entered before is a duplicate and changes nothing, so that a
                file may be imported again; --from-line saves the time. A rehearsal looks at
                \(batchRowsMax) rows at a time.
                Exit 5: some rows failed. 75: it ended early, and stderr says where to go on.
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let fromLine = try invocation.integer("from-line", in: 1...Int(Int32.max)) ?? 1
        let bytes = try InputFile.bytes(invocation.operands[0], mebibytesMax: mebibytesMax)
        var query: [String] = []
        if let network = invocation.arguments.value("network") {
            query.append("network=\(API.encoded(network))")
        }
        if invocation.arguments.has("dry-run") { query.append("dry_run=1") }
        if invocation.arguments.has("suppress-outbound") { query.append("suppress_outbound=1") }
        var run = Import(
            api: try invocation.api(),
            path: "/conversions" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")),
            wantsJSON: invocation.wantsJSON, byteCount: bytes.count)
        try run.read(bytes, fromLine: fromLine)
        return try run.finish(isDryRun: invocation.arguments.has("dry-run"))
    }

    /// One file on its way in.
    private struct Import {
        let api: API
        let path: String
        let wantsJSON: Bool
        let byteCount: Int
        private var batch: [(line: Int, row: JSONValue)] = []
        private var batchBytes = 0
        private var counts: [String: Int] = [:]
        private var rowCount = 0
        private var failedCount = 0
        /// Rows up to this line are done.
        private var doneLine = 0

        init(api: API, path: String, wantsJSON: Bool, byteCount: Int) {
            self.api = api
            self.path = path
            self.wantsJSON = wantsJSON
            self.byteCount = byteCount
        }

        mutating func read(_ bytes: [UInt8], fromLine: Int) throws(CommandFailure) {
            var reader = CSVReader(bytes)
            guard var record = try next(&reader) else {
                throw CommandFailure(.refused, "the file is empty")
            }
            let columns = try ImportColumns(record)
            if !columns.areGuessed {
                guard let first = try next(&reader) else { return }
                record = first
            }
            while true {
                if record.line >= fromLine { try add(record, columns, reader) }
                guard let following = try next(&reader) else { break }
                record = following
            }
            try send(reader)
        }

        /// What was read before a line that can't be is entered all the same.
        private mutating func next(_ reader: inout CSVReader) throws(CommandFailure) -> CSVRecord? {
            do {
                return try reader.next()
            } catch {
                try send(reader)
                throw CommandFailure(
                    doneLine > 0 ? .partlyDone : .refused, "\(error.description)\(progress)")
            }
        }

        private mutating func add(
            _ record: CSVRecord, _ columns: ImportColumns, _ reader: CSVReader
        ) throws(CommandFailure) {
            guard record.fields.count == columns.names.count else {
                try send(reader)
                show(
                    line: record.line, verdict: "row_malformed", isFailure: true,
                    message: "the row has \(record.fields.count) fields and the first line "
                        + "\(columns.names.count)", item: nil)
                doneLine = record.line
                return
            }
            var members: [JSONMember] = []
            for (name, value) in zip(columns.names, record.fields) where !value.isEmpty {
                members.append(JSONMember(name: name, value: .string(value)))
            }
            batch.append((record.line, .object(members)))
            batchBytes += record.fields.reduce(64) { $0 + $1.utf8.count + 32 }
            if batch.count >= batchRowsMax || batchBytes >= batchBytesMax { try send(reader) }
        }

        private mutating func send(_ reader: CSVReader) throws(CommandFailure) {
            guard let last = batch.last else { return }
            let answer: JSONValue
            do throws(CommandFailure) {
                answer = try api.call("POST", path, body: .array(batch.map(\.row)))
            } catch {
                Terminal.endProgress()
                throw CommandFailure(error.code, "\(error.message)\(progress)")
            }
            Terminal.endProgress()
            for (entry, item) in zip(batch, answer["items"]?.arrayValue ?? []) {
                let verdict = item["verdict"]?.stringValue ?? ""
                let status = PostbackVerdict(rawValue: verdict)?.httpStatus
                show(
                    line: entry.line, verdict: verdict, isFailure: status.map { $0 >= 400 } ?? true,
                    message: item["message"]?.stringValue ?? "", item: item)
            }
            doneLine = last.line
            batch.removeAll(keepingCapacity: true)
            batchBytes = 0
            let percent = byteCount == 0 ? 100 : reader.position * 100 / byteCount
            Terminal.progress("\(percent) %, \(rowCount) rows, \(failedCount) failed")
        }

        private mutating func show(
            line: Int, verdict: String, isFailure: Bool, message: String, item: JSONValue?
        ) {
            rowCount += 1
            counts[verdict, default: 0] += 1
            if isFailure { failedCount += 1 }
            if wantsJSON {
                let shown: JSONValue = [
                    "line": .integer(line), "verdict": .string(verdict),
                    "message": .string(message),
                    "conversion": item?["conversion"] ?? .null,
                    "revision": item?["revision"] ?? .null,
                ]
                Terminal.line(shown.encoded())
            } else {
                let cells = [
                    "\(line)", verdict, Show.text(item?["conversion"]),
                    Show.text(item?["revision"]), message,
                ]
                Terminal.line(cells.map(Printable.text).joined(separator: "\t"))
            }
        }

        /// Where to go on, as the end of a failure's message.
        private var progress: String {
            doneLine == 0
                ? "; no row was entered"
                : "\nlines up to \(doneLine) are done; go on with --from-line \(doneLine + 1)"
        }

        func finish(isDryRun: Bool) throws(CommandFailure) -> ExitCode {
            Terminal.endProgress()
            let summary = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            Terminal.talk(
                Show.count(rowCount, "row") + (summary.isEmpty ? "" : ": ")
                    + summary.joined(separator: ", ")
                    + (doneLine > 0 ? "; last line \(doneLine)" : ""))
            if isDryRun { Terminal.talk("nothing was changed (--dry-run)") }
            guard failedCount > 0 else { return .done }
            throw CommandFailure(
                failedCount == rowCount ? .refused : .partlyDone,
                "\(Show.count(failedCount, "row")) failed")
        }
    }
}

/// What the columns of a file mean.
struct ImportColumns {
    let names: [String]
    /// The file has no line of names.
    let areGuessed: Bool

    /// As Keitaro and Voluum take them without a header.
    private static let usual = ["cid", "payout", "txid", "status"]

    /// - Parameter first: the file's first record.
    init(_ first: CSVRecord) throws(CommandFailure) {
        if let field = first.fields.first, ClickID(field) != nil {
            guard first.fields.count <= Self.usual.count else {
                throw CommandFailure(
                    .refused,
                    "line \(first.line) has \(first.fields.count) columns and no names: put a line "
                        + "such as cid,payout,txid,status,event before it")
            }
            names = Array(Self.usual.prefix(first.fields.count))
            areGuessed = true
            return
        }
        // `Click ID` is what people call click_id.
        let names = first.fields.map { field in
            String(
                field.lowercased().drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
                    .map { $0 == " " ? "_" : $0 })
        }
        let unknown = names.filter { !ConversionEntry.isKnown($0) }
        guard let clickIDName = names.first(where: Self.isClickID), !clickIDName.isEmpty else {
            throw CommandFailure(
                .refused,
                "line \(first.line) must name the columns, among them cid: "
                    + Printable.text(first.fields.joined(separator: ",")))
        }
        guard Set(names).count == names.count else {
            throw CommandFailure(.refused, "line \(first.line) names a column twice")
        }
        for name in unknown {
            let hint = NearestName.suggestion(for: name, among: ConversionEntry.names)
            Terminal.talk(
                "clickrelay: warning: column \"\(Printable.text(name))\" is not read"
                    + (hint.map { "; did you mean \"\($0)\"?" } ?? ""))
        }
        self.names = names
        areGuessed = false
    }

    private static func isClickID(_ name: String) -> Bool {
        name == PostbackParameter.cid.rawValue || PostbackParameter.cid.aliases.contains(name)
    }
}
