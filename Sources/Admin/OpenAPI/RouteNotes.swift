internal import Domain

/// One line for each route; a route without one is missing from the description, which a test finds.
enum RouteNotes {
    static func note(_ route: Route) -> RouteNote? {
        all.first { $0.method == route.method && $0.pattern == route.pattern }
    }

    static let all =
        entity("sources", "Source") + entity("networks", "Network") + entity("offers", "Offer")
        + entity("landers", "Lander") + entity("flows", "Flow") + entity("campaigns", "Campaign")
        + entity("domains", "Domain")
        + setup + records + deliveries + numbers

    private static let page = ["limit", "cursor"]

    private static func entity(_ plural: String, _ schema: String) -> [RouteNote] {
        let kind = schema.lowercased()
        return [
            RouteNote(
                "GET", "/\(plural)", "list \(plural)", query: page + ["archived"],
                answer: "[\(schema)]"),
            RouteNote(
                "POST", "/\(plural)", "make a \(kind)", body: schema, answer: schema, status: 201),
            RouteNote("GET", "/\(plural)/{key}", "show a \(kind)", answer: schema),
            RouteNote(
                "PUT", "/\(plural)/{key}", "replace a \(kind), or make it", body: schema,
                answer: schema),
            RouteNote(
                "PATCH", "/\(plural)/{key}", "change members of a \(kind)", body: schema,
                answer: schema),
            RouteNote("DELETE", "/\(plural)/{key}", "archive a \(kind)", answer: schema),
        ]
    }

    private static let setup = [
        RouteNote(
            "POST", "/campaigns/{key}/simulate",
            "tell what would become of a visit, and why; nothing is written",
            body: "SampleVisit", bodyIsOptional: true, answer: "SimulatedVisit"),
        RouteNote(
            "GET", "/templates/networks", "networks whose tokens are known", query: page,
            answer: "[Object]"),
        RouteNote("GET", "/templates/networks/{key}", "what is known of a network"),
        RouteNote(
            "GET", "/templates/sources", "traffic sources whose macros are known", query: page,
            answer: "[Object]"),
        RouteNote("GET", "/templates/sources/{key}", "what is known of a traffic source"),
        RouteNote(
            "POST", "/networks/{key}/postback-keys", "a new postback URL beside the old one",
            status: 201),
        RouteNote(
            "DELETE", "/networks/{key}/postback-keys/{postback_key}",
            "end an old postback URL"),
        RouteNote(
            "GET", "/tokens", "API tokens, without their secrets", query: page, answer: "[Object]"),
        RouteNote("POST", "/tokens", "a new token, told once", body: "TokenOrder", status: 201),
        RouteNote("DELETE", "/tokens/{name_or_id}", "revoke a token", answer: "[Object]"),
        RouteNote("GET", "/settings", "settings of the whole installation", answer: "Settings"),
        RouteNote(
            "PUT", "/settings", "replace the settings", body: "Settings", answer: "Settings"),
        RouteNote(
            "GET", "/rates", "exchange rates to the reporting currency",
            query: page + ["currency"], answer: "[Object]"),
        RouteNote("PUT", "/rates", "set rates", body: "Object", answer: "[Object]"),
        RouteNote("DELETE", "/rates/{currency}/{day}", "take a rate away"),
        RouteNote(
            "GET", "/rates/recompute", "when amounts were converted anew", query: page,
            answer: "[Object]"),
        RouteNote(
            "POST", "/rates/recompute", "convert recorded amounts by the rates known now",
            query: page + ["from", "to", "dry_run"]),
        RouteNote("GET", "/openapi.json", "this description"),
    ]

    private static let records = [
        RouteNote("GET", "/clicks/{click_id}", "the whole journey of a click", answer: "Click"),
        RouteNote(
            "GET", "/trace/{id}",
            "the journeys behind any ID: of a click, a conversion, a transaction, a source's click"),
        RouteNote(
            "GET", "/conversions", "list conversions, newest first",
            query: page + [
                "from", "to", "campaign", "network", "status", "event", "transaction_id",
                "click_id", "external_id",
            ], answer: "[Conversion]"),
        RouteNote(
            "POST", "/conversions", "enter conversions, each with its verdict",
            query: ["network", "suppress_outbound", "dry_run"], body: "Object"),
        RouteNote(
            "GET", "/conversions/{id}", "show a conversion", query: ["at"], answer: "Conversion"),
        RouteNote(
            "GET", "/postbacks", "calls that networks sent, byte for byte",
            query: page + [
                "from", "to", "network", "verdict", "click_id", "conversion", "waiting",
            ], answer: "[Postback]"),
        RouteNote("GET", "/postbacks/{id}", "show a received call", answer: "Postback"),
        RouteNote(
            "POST", "/postbacks/replay", "judge a selection of calls again",
            query: page + [
                "from", "to", "network", "verdict", "click_id", "conversion", "waiting", "dry_run",
            ]),
        RouteNote(
            "POST", "/postbacks/{id}/replay", "judge a call again by today's rules",
            query: ["dry_run"]),
        RouteNote(
            "POST", "/postbacks/{id}/assign", "count a parked call, for another click if said",
            query: ["dry_run"], body: "AssignOrder", bodyIsOptional: true),
        RouteNote("POST", "/postbacks/{id}/reject", "wait no longer for a parked call"),
    ]

    private static let selection = [
        "state", "destination", "origin", "conversion", "click_id", "from", "to",
    ]

    private static let deliveries = [
        RouteNote(
            "GET", "/deliveries", "outbound postbacks with their attempts",
            query: page + selection, answer: "[Delivery]"),
        RouteNote("GET", "/deliveries/{id}", "show an outbound postback", answer: "Delivery"),
        RouteNote(
            "POST", "/deliveries/{id}/retry", "try it now", query: ["render"],
            answer: "Delivery"),
        RouteNote("POST", "/deliveries/{id}/cancel", "try it no more", answer: "Delivery"),
        RouteNote(
            "POST", "/deliveries/retry", "try a selection again",
            query: page + selection + ["render", "dry_run", "all"]),
        RouteNote(
            "POST", "/deliveries/cancel", "try a selection no more",
            query: page + selection + ["dry_run", "all"]),
        RouteNote(
            "GET", "/destinations", "what each destination was told, and how fast",
            query: page + ["destination", "days"], answer: "[Object]"),
        RouteNote(
            "POST", "/destinations/{owner}/{key}/test",
            "call a destination once with sample values and show all that happens",
            body: "TestOrder", bodyIsOptional: true),
        RouteNote("GET", "/pauses", "what is not called for now", query: page, answer: "[Pause]"),
        RouteNote(
            "POST", "/pauses", "call a destination or a host no more", body: "PauseOrder",
            answer: "Pause", status: 201),
        RouteNote("DELETE", "/pauses/{id}", "call it again", answer: "Pause"),
    ]

    private static let numbers = [
        RouteNote(
            "GET", "/report", "clicks, conversions and money",
            query: ["group", "from", "to", "tz"]),
        RouteNote("GET", "/status", "versions, queues, sizes"),
        RouteNote(
            "GET", "/costs", "corrections of what clicks cost, newest first",
            query: page + ["campaign", "removed"], answer: "[Object]"),
        RouteNote(
            "POST", "/costs", "correct what clicks cost", query: ["dry_run"], body: "Object",
            status: 201),
        RouteNote("GET", "/costs/{id}", "show a correction"),
        RouteNote(
            "GET", "/geo", "the location files, and what is wrong with them", answer: "[Object]"),
        RouteNote("POST", "/geo/load", "read the location files anew", answer: "[Object]"),
        RouteNote("GET", "/geo/lookup", "where the files say an address is", query: ["ip"]),
        RouteNote("DELETE", "/costs/{id}", "take a correction off"),
        RouteNote("POST", "/costs/{id}/restore", "put it on again"),
    ]
}
