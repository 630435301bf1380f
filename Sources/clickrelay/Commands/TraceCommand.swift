internal import Domain

/// `trace ID`: the whole journey behind any ID that somebody might hold in their hands.
enum TraceCommand {
    static let commands = [
        Command(
            words: ["trace"], operands: "ID", operandCount: 1...1,
            summary: "show the whole journey of a click, whatever ID of it is known",
            flags: [Command.jsonFlag], scope: .api,
            details: """
                ID is a click ID, a conversion's, the network's transaction ID, the traffic source's
                own click ID, a delivery's Idempotency-Key, or the number of a delivery or of a
                received postback (delivery:4, postback:9 where a bare number is ambiguous).
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let journeys = try find(invocation.operands[0], try invocation.api())
        if invocation.wantsJSON {
            // One for most IDs; several for a transaction ID that a network used twice.
            Terminal.line(
                (journeys.count == 1 ? journeys[0] : .array(journeys)).encoded(pretty: true))
        } else {
            Terminal.out(journeys.map { JourneyView($0).text }.joined(separator: "\n"))
        }
        return .done
    }

    /// At least one journey.
    private static func find(_ id: String, _ api: API) throws(CommandFailure) -> [JSONValue] {
        let parts = id.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2, let path = paths[parts[0]] {
            let row = try api.call("GET", "\(path)/\(API.encoded(parts[1]))")
            guard let journey = try journey(of: row, api) else {
                throw CommandFailure(.notFound, "\(Printable.text(id)) belongs to no click")
            }
            return [journey]
        }
        let answer = try api.answer("GET", "/trace/\(API.encoded(id))")
        if answer.isSuccess, let journeys = answer.body["journeys"]?.arrayValue, !journeys.isEmpty {
            if answer.body["truncated"]?.boolValue == true {
                Terminal.talk("clickrelay: there are more journeys than these")
            }
            return journeys
        }
        guard answer.status == 404 else { throw API.failure(answer) }
        // Numbers of rows come last: a network's order may well be called 9.
        if !id.isEmpty, id.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            for path in ["/deliveries", "/postbacks"] {
                if let row = try api.find("\(path)/\(id)"), let journey = try journey(of: row, api)
                {
                    return [journey]
                }
            }
        }
        throw API.failure(answer)
    }

    private static let paths = ["postback": "/postbacks", "delivery": "/deliveries"]

    /// Of a delivery or a received postback.
    private static func journey(of row: JSONValue, _ api: API) throws(CommandFailure)
        -> JSONValue?
    {
        // A received call names its click itself, be it refused or not; a delivery its conversion.
        var clickID = row["click_id"]?.stringValue
        if clickID == nil, let id = Show.id(row["conversion"]) {
            clickID = try api.find("/conversions/\(API.encoded(id))")?["click_id"]?.stringValue
        }
        guard let clickID else { return nil }
        return try api.find("/clicks/\(API.encoded(clickID))")
    }
}
