internal import Domain

/// What `deliveries retry` and `deliveries cancel` have in common: deliveries by their IDs, or all
/// that flags select.
struct DeliveryChange {
    /// Of the API's path.
    let action: String
    let parameters: [String]
    /// For people: "retried".
    let done: String

    static let flags = [
        Flag("all", nil, "all there are, where no other flag selects any"),
        Flag("dry-run", nil, "change nothing, and say how many there are"),
    ]

    static let details = """
        Name the deliveries by their IDs, or all that flags select, such as --state dead: those
        that are there when it begins, without the cancelled ones unless --state cancelled asks
        for them. A host that fails is called once at once. It may be run again after it was cut
        short. Exit 5: some were refused, the others are done.
        """

    /// Deliveries of one request: it must be answered in time, and people want to see progress.
    private static let partMax = 20_000
    /// Refusals that are printed.
    private static let refusalsMax = 20

    func run(_ invocation: Invocation, _ filters: [Flag]) throws(CommandFailure) -> ExitCode {
        let arguments = invocation.arguments
        var query = ListOutput.query(invocation, filters)
        if arguments.has("all") { query.append("all=1") }
        guard invocation.operands.isEmpty != query.isEmpty else {
            throw .usage(
                "`\(invocation.command.name)` needs IDs, or flags that select deliveries\nusage: "
                    + HelpText.usage(of: invocation.command))
        }
        if !query.isEmpty {
            return arguments.has("dry-run")
                ? try rehearse(invocation, query) : try change(invocation, query)
        }
        if arguments.has("dry-run") {
            throw .usage("--dry-run counts what flags select: it takes no IDs")
        }
        return try change(invocation, ids: invocation.operands)
    }

    private func path(_ between: String, _ query: [String]) -> String {
        let all = query + parameters
        return "/deliveries/\(between)\(action)"
            + (all.isEmpty ? "" : "?\(all.joined(separator: "&"))")
    }

    private func change(_ invocation: Invocation, ids: [String]) throws(CommandFailure) -> ExitCode
    {
        let api = try invocation.api()
        var doneCount = 0
        var failures: [CommandFailure] = []
        for (index, id) in ids.enumerated() {
            if ids.count > 20 { Terminal.progress("\(index) of \(ids.count)") }
            do throws(CommandFailure) {
                try api.call("POST", path("\(API.encoded(id))/", []))
                doneCount += 1
                if ids.count <= 20 { Terminal.talk("\(done) \(Printable.text(id))") }
            } catch {
                failures.append(
                    CommandFailure(error.code, "\(Printable.text(id)): \(error.message)"))
                if error.code == .tryAgain { break }
            }
        }
        if ids.count > 20 {
            Terminal.endProgress()
            Terminal.talk("\(done) \(doneCount) of \(ids.count)")
        }
        guard let first = failures.first else { return .done }
        throw CommandFailure(
            doneCount == 0 ? first.code : .partlyDone,
            failures.map(\.message).joined(separator: "\n"))
    }

    private func rehearse(_ invocation: Invocation, _ query: [String]) throws(CommandFailure)
        -> ExitCode
    {
        let answer = try invocation.api().call("POST", path("", query + ["dry_run=1"]))
        let refused = answer["refused"]?.int64Value ?? 0
        Terminal.talk(
            "\(Show.text(answer["changed"])) would be \(done)"
                + (refused > 0 ? ", \(refused) can't be" : ""))
        return .done
    }

    /// In as many requests as it takes.
    private func change(_ invocation: Invocation, _ query: [String]) throws(CommandFailure)
        -> ExitCode
    {
        let api = try invocation.api()
        var (doneCount, refusedCount) = (0, 0)
        var refusals: [String] = []
        var cursor: String?
        repeat {
            let part =
                ["limit=\(Self.partMax)"] + (cursor.map { ["cursor=\(API.encoded($0))"] } ?? [])
            let answer: JSONValue
            do throws(CommandFailure) {
                answer = try api.call("POST", path("", query + part))
            } catch {
                Terminal.endProgress()
                let soFar = doneCount > 0 ? "\n\(done) \(doneCount) so far; run it again" : ""
                throw CommandFailure(error.code, error.message + soFar)
            }
            doneCount += Int(clamping: answer["changed"]?.int64Value ?? 0)
            refusedCount += Int(clamping: answer["refused"]?.int64Value ?? 0)
            for refusal in answer["refusals"]?.arrayValue ?? []
            where refusals.count < Self.refusalsMax {
                refusals.append(
                    "\(Show.text(refusal["delivery"])): "
                        + Printable.text(Show.text(refusal["message"])))
            }
            cursor = answer["next_cursor"]?.stringValue
            Terminal.progress("\(done) \(doneCount), \(refusedCount) refused")
        } while cursor != nil
        Terminal.endProgress()
        if doneCount + refusedCount == 0 {
            Terminal.talk("none")
        } else {
            Terminal.talk("\(done) \(doneCount) of \(doneCount + refusedCount)")
        }
        guard refusedCount > 0 else { return .done }
        if refusedCount > refusals.count {
            refusals.append("and \(refusedCount - refusals.count) more")
        }
        throw CommandFailure(
            doneCount == 0 ? .refused : .partlyDone, refusals.joined(separator: "\n"))
    }
}
