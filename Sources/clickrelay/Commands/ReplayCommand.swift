internal import Domain

/// `postbacks replay`: calls that were received are judged again by today's rules. `postbacks
/// assign`: or by hand.
enum ReplayCommand {
    /// Calls of a selection in one request.
    private static let pageMax = 200

    static func run(_ invocation: Invocation, filters: [Flag]) throws(CommandFailure) -> ExitCode {
        let query = ListOutput.query(invocation, filters)
        guard invocation.operands.isEmpty != query.isEmpty else {
            throw .usage(
                "`\(invocation.command.name)` needs IDs, or flags that select calls\nusage: "
                    + HelpText.usage(of: invocation.command))
        }
        let dryRun = invocation.arguments.has("dry-run") ? ["dry_run=1"] : []
        let api = try invocation.api()
        var output = Output(wantsJSON: invocation.wantsJSON)
        if query.isEmpty {
            for id in invocation.operands {
                do throws(CommandFailure) {
                    let path = path("/postbacks/\(API.encoded(id))/replay", dryRun)
                    output.add([try api.call("POST", path)])
                } catch {
                    output.failures.append(
                        CommandFailure(error.code, "\(Printable.text(id)): \(error.message)"))
                    if error.code == .tryAgain { break }
                }
            }
        } else {
            var cursor: String?
            repeat {
                let pairs =
                    query + dryRun + ["limit=\(pageMax)"]
                    + (cursor.map { ["cursor=\(API.encoded($0))"] } ?? [])
                let page: JSONValue
                do throws(CommandFailure) {
                    page = try api.call("POST", path("/postbacks/replay", pairs))
                } catch {
                    output.failures.append(error)
                    break
                }
                output.add(page["items"]?.arrayValue ?? [])
                cursor = page["next_cursor"]?.stringValue
                Terminal.progress("\(output.items.count) replayed")
            } while cursor != nil
            Terminal.endProgress()
        }
        return try output.finish(isDryRun: !dryRun.isEmpty)
    }

    static func assign(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let isDryRun = invocation.arguments.has("dry-run")
        var order = [JSONMember(name: "force", value: true)]
        if let click = invocation.arguments.value("click") {
            order.append(JSONMember(name: "click_id", value: .string(click)))
        }
        var output = Output(wantsJSON: invocation.wantsJSON)
        let path = path(
            "/postbacks/\(API.encoded(invocation.operands[0]))/assign",
            isDryRun ? ["dry_run=1"] : [])
        output.add([try invocation.api().call("POST", path, body: .object(order))])
        return try output.finish(isDryRun: isDryRun)
    }

    private static func path(_ path: String, _ pairs: [String]) -> String {
        pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
    }

    private struct Output {
        let wantsJSON: Bool
        var items: [JSONValue] = []
        var failures: [CommandFailure] = []

        mutating func add(_ replayed: [JSONValue]) {
            for item in replayed {
                items.append(item)
                guard let error = item["error"]?.stringValue else { continue }
                failures.append(
                    CommandFailure(
                        .failed, "\(Show.text(item["postback"])): \(Printable.text(error))"))
            }
        }

        func finish(isDryRun: Bool) throws(CommandFailure) -> ExitCode {
            let judged = items.filter { $0["error"] == nil }
            if wantsJSON {
                Terminal.line(
                    JSONValue.object(["items": .array(items)]).encoded(pretty: true))
            } else if judged.isEmpty {
                if failures.isEmpty { Terminal.talk("none") }
            } else {
                Terminal.out(
                    TextTable.data(
                        ["POSTBACK", "OLD", "NEW", "CONVERSION", "CHANGE", "TELLS", "MESSAGE"],
                        judged.map(row)))
            }
            if isDryRun, !judged.isEmpty { Terminal.talk("nothing was changed (--dry-run)") }
            guard let first = failures.first else { return .done }
            throw CommandFailure(
                judged.isEmpty ? first.code : .partlyDone,
                failures.map(\.message).joined(separator: "\n"))
        }

        private func row(_ item: JSONValue) -> [String] {
            let new = item["new"]
            let change = item["change"]
            return [
                Show.text(item["postback"]), Show.text(item["old"]?["verdict"]),
                Show.text(new?["verdict"]), Show.text(new?["conversion"]),
                change.flatMap(describe) ?? "-",
                Show.text(change?["deliveries"]), Show.text(new?["message"]),
            ]
        }

        /// `pending 0 USD → approved 12.5 USD`
        private func describe(_ change: JSONValue) -> String? {
            guard let after = change["after"] else { return nil }
            func text(_ state: JSONValue) -> String {
                "\(Show.text(state["status"])) \(Show.text(state["payout"]))"
            }
            guard let before = change["before"], before != .null else { return text(after) }
            return "\(text(before)) → \(text(after))"
        }
    }
}
