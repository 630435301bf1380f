internal import Domain
internal import Store

/// Every parameter that a query may have.
enum QueryNotes {
    static let all: [QueryNote] = [
        QueryNote(
            name: "limit", meaning: "items of a page",
            schema: [
                "type": "integer", "minimum": 1, "maximum": .integer(QueryReader.limitMax),
                "default": .integer(QueryReader.limitDefault),
            ]),
        text("cursor", "next_cursor of the page before"),
        flag("archived", "archived ones too"),
        flag("removed", "removed ones too"),
        flag("dry_run", "tell what would be done, and do nothing"),
        flag("render", "render again by today's template"),
        flag("all", "all of them: no filter is meant"),
        flag("waiting", "those that wait for somebody's decision"),
        flag("suppress_outbound", "tell no traffic source of them"),
        text("from", "a time, or a day in UTC: included"),
        text("to", "a time: not included; or a day in UTC: included"),
        text("at", "a time"),
        text("tz", "UTC, an offset such as +02:00, or a zone such as Europe/Berlin"),
        text("group", "what rows are made by; a report's: up to four, such as campaign,device"),
        text("campaign", "a campaign's key"),
        text("network", "a network's key"),
        text("event", "an event's name"),
        text("transaction_id", "the network's own ID of a conversion"),
        text("external_id", "the traffic source's ID of a click"),
        text("click_id", "a click ID"),
        text("conversion", "a conversion's ID such as cv12"),
        text("destination", "SOURCE/KEY or CAMPAIGN/KEY"),
        text("ip", "an IPv4 or IPv6 address"),
        text("origin", "where calls go: https://source.example"),
        text("currency", "an ISO 4217 currency code"),
        choice("state", "of a delivery", Delivery.State.self),
        choice("status", "of a conversion", ConversionStatus.self),
        choice("verdict", "of a received call", PostbackVerdict.self),
        QueryNote(
            name: "days", meaning: "how many days back, today included",
            schema: ["type": "integer", "minimum": 1, "default": 7]),
    ]

    private static func text(_ name: String, _ meaning: String) -> QueryNote {
        QueryNote(name: name, meaning: meaning, schema: ["type": "string"])
    }

    private static func flag(_ name: String, _ meaning: String) -> QueryNote {
        QueryNote(
            name: name, meaning: meaning, schema: ["type": "string", "enum": ["0", "1"]])
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ meaning: String, _: Choice.Type
    ) -> QueryNote where Choice.RawValue == String {
        QueryNote(
            name: name, meaning: meaning,
            schema: [
                "type": "string", "enum": .array(Choice.allCases.map { .string($0.rawValue) }),
            ])
    }
}
