internal import Domain

extension HelpText {
    /// What a network's engineer asks: where to call, with what, and what the answers mean.
    static let postback: String = {
        var rows = [["MEANING", "PARAMETER", "ALSO ACCEPTED"]]
        for parameter in PostbackParameter.allCases {
            guard let meaning = meaning(parameter) else { continue }
            rows.append([
                meaning, name(parameter),
                parameter.aliases.joined(separator: ", "),
            ])
        }
        return """
            Postbacks

            A network reports a conversion with

              GET or POST /postback/KEY?cid=CLICK_ID&payout=12.50&txid=ORDER&status=approved

            as a query, an urlencoded form or a JSON object. `clickrelay network show KEY` prints
            the network's postback URL. Names are compared without case; the first that is not
            empty wins; unknown ones are kept and ignored. A network's `parameters` rename them;
            a value within a JSON object has its path as its name, user.tid1.

            `clickrelay network templates` lists the networks whose own tokens are known;
            `network apply --template NAME` fills all of this in and prints the URL with them.

            From a visitor's browser: GET /pixel/KEY.gif with the same parameters: kept and counted
            the same way, and always answered with an invisible image.


            """
                + TextTable.columns(rows, indent: "  ") + """

                    The answer is JSON: {"verdict", "message", "postback", "conversion", "revision"}.


                    """
                + TextTable.columns(verdicts, indent: "  ") + """

                    503: nothing was recorded, send again. 429: one address called with unknown keys
                    too often; known keys are always heard. All others are kept as they came;
                    `clickrelay postbacks list` shows them with their verdicts.

                    parked: the click is not stored, or the conversion came past the offer's or the
                    campaign's `conversion_window_hours` or `caps`. It is kept with its value:
                    `clickrelay postbacks list --waiting 1`, `postbacks assign ID`, `reject ID`.

                    The same (click, event, order) with the same status and amount is a duplicate; with
                    a changed one it is a new revision. The traffic source is told once of each. Where
                    a network says `repeat: add`, each call without an order is another conversion,
                    also one that is sent again because its answer was lost or was 503.

                    """
    }()

    private static func name(_ parameter: PostbackParameter) -> String {
        if parameter == .param1 { return "param1 … param10" }
        if parameter == .approvedStatus { return "approved_status=1,2 …" }
        return parameter.rawValue
    }

    /// Nil for what has its line with another.
    private static func meaning(_ parameter: PostbackParameter) -> String? {
        switch parameter {
        case .cid: "click ID"
        case .payout: "amount, decimal"
        case .payoutMinor: "in minor units"
        case .currency: "currency"
        case .txid: "order"
        case .event: "event"
        case .status: "status"
        case .param1: "extras"
        case .approvedStatus: "status words"
        case .reply: "text to answer"
        case .disablePostback: "1: tell no source"
        case .test: "1: a test call"
        case .param2, .param3, .param4, .param5, .param6, .param7, .param8, .param9, .param10,
            .pendingStatus, .rejectedStatus, .trashStatus, .chargebackStatus:
            nil
        }
    }

    /// By status code, a few to the line.
    private static var verdicts: [[String]] {
        let statuses = Set(PostbackVerdict.allCases.map(\.httpStatus)).sorted()
        return statuses.flatMap { status in
            let names = PostbackVerdict.allCases.filter { $0.httpStatus == status }.map(\.rawValue)
            return stride(from: 0, to: names.count, by: 4).map { start in
                [
                    start == 0 ? "\(status)" : "",
                    names[start..<min(start + 4, names.count)].joined(separator: ", "),
                ]
            }
        }
    }
}
