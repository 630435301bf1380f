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
                own click ID, or the number of a received postback or of a delivery (write
                postback:9 or delivery:4 where 9 or 4 could mean a conversion too).
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let id = invocation.operands[0]
        let journeys = try find(id, try invocation.api())
        guard let first = journeys.first else {
            throw CommandFailure(
                .notFound,
                "nothing is known by the ID \"\(Printable.text(id))\": no click, conversion, "
                    + "transaction, external ID, postback or delivery")
        }
        if invocation.wantsJSON {
            Terminal.line(
                (journeys.count == 1 ? first : .array(journeys)).encoded(pretty: true))
        } else {
            Terminal.out(journeys.map { JourneyView($0).text }.joined(separator: "\n"))
        }
        return .done
    }

    /// The journeys an ID belongs to: one for most, several for a transaction ID that a network
    /// used twice.
    private static func find(_ id: String, _ api: API) throws(CommandFailure) -> [JSONValue] {
        let parts = id.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2,
            let kind = ["postback": "/postbacks", "delivery": "/deliveries"][parts[0]]
        {
            return try journeys(of: api.find("\(kind)/\(API.encoded(parts[1]))"), api)
        }
        if let journey = try click(id, api) { return [journey] }
        if let conversion = try tolerant({ () throws(CommandFailure) in
            try api.find("/conversions/\(API.encoded(id))")
        }), let found = try journey(of: conversion, api) {
            return [found]
        }
        for name in ["transaction_id", "external_id"] {
            let found = try listed(name, id, api)
            if !found.isEmpty { return found }
        }
        guard id.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return [] }
        for path in ["/deliveries", "/postbacks"] {
            let found = try journeys(of: api.find("\(path)/\(id)"), api)
            if !found.isEmpty { return found }
        }
        return []
    }

    private static func click(_ id: String, _ api: API) throws(CommandFailure) -> JSONValue? {
        try tolerant { () throws(CommandFailure) in try api.find("/clicks/\(API.encoded(id))") }
    }

    /// An ID of another kind may be refused as malformed instead of not found.
    private static func tolerant(_ body: () throws(CommandFailure) -> JSONValue?)
        throws(CommandFailure) -> JSONValue?
    {
        do throws(CommandFailure) {
            return try body()
        } catch {
            guard error.code == .refused, !error.message.contains(Setting.token.variable) else {
                throw error
            }
            return nil
        }
    }

    private static func journey(of conversion: JSONValue, _ api: API) throws(CommandFailure)
        -> JSONValue?
    {
        guard let clickID = conversion["click_id"]?.stringValue else { return nil }
        return try click(clickID, api)
    }

    /// Of a delivery or a received postback.
    private static func journeys(of row: JSONValue?, _ api: API) throws(CommandFailure)
        -> [JSONValue]
    {
        guard let row else { return [] }
        if let journey = try journey(of: row, api) { return [journey] }
        guard let id = Show.id(row["conversion"]),
            let conversion = try api.find("/conversions/\(API.encoded(id))"),
            let journey = try journey(of: conversion, api)
        else { return [] }
        return [journey]
    }

    private static func listed(_ name: String, _ id: String, _ api: API) throws(CommandFailure)
        -> [JSONValue]
    {
        let page: API.Page
        do throws(CommandFailure) {
            page = try api.list("/conversions", query: ["\(name)=\(API.encoded(id))"], count: 20)
        } catch {
            // A server that can't search by it has nothing to say about it.
            guard error.code == .refused else { throw error }
            return []
        }
        var clickIDs: [String] = []
        for conversion in page.items {
            if let clickID = conversion["click_id"]?.stringValue, !clickIDs.contains(clickID) {
                clickIDs.append(clickID)
            }
        }
        var journeys: [JSONValue] = []
        for clickID in clickIDs {
            guard let journey = try click(clickID, api) else { continue }
            // Against a server that ignores filters it does not know.
            let isIt =
                name == "external_id"
                ? journey["external_id"]?.stringValue == id
                : (journey["conversions"]?.arrayValue ?? []).contains {
                    $0[name]?.stringValue == id
                }
            if isIt { journeys.append(journey) }
        }
        return journeys
    }
}
