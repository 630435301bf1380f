internal import Domain
internal import Store

/// Parked calls that somebody decides to count: past a limit, or for another click.
enum AssignResource {
    static let routes = [Route("POST", "/postbacks/{}/assign", assign)]

    /// Answered as a replay is.
    @Sendable private static func assign(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let text = call.parameter()
        guard let number = Int64(text), number > 0 else {
            throw Problem(.notFound, "there is no postback \"\(text)\"")
        }
        let replay = Replay(call, isDryRun: query.flag("dry_run"))
        let order = try order(call)
        return .write { transaction throws(StoreError) in
            let outcome = try replay.rehearsed(in: transaction) { (tx) throws(StoreError) in
                try replay.rules.assign(
                    PostbackID(number), to: order.clickID, ignoresLimits: order.ignoresLimits,
                    in: tx, now: replay.now)
            }
            return .done(APIResponse(replay.json(outcome)))
        }
    }

    private static func order(_ call: Call) throws(Problem) -> (
        clickID: ClickID?, ignoresLimits: Bool
    ) {
        if call.request.body.isEmpty { return (nil, true) }
        let document = try call.document()
        guard let members = document.objectValue else { throw Problem("", "must be a JSON object") }
        for member in members where member.name != "click_id" && member.name != "force" {
            throw Problem(
                member.name, "is not a known field; there are \"click_id\" and \"force\"")
        }
        var clickID: ClickID?
        if let value = document["click_id"], value != .null {
            guard let known = value.stringValue.flatMap({ ClickID($0) }) else {
                throw Problem("click_id", "must be a click ID: 26 letters and digits")
            }
            clickID = known
        }
        switch document["force"] {
        case nil, .some(.null): return (clickID, true)
        case .some(.bool(let force)): return (clickID, force)
        case .some: throw Problem("force", "must be true or false")
        }
    }
}
