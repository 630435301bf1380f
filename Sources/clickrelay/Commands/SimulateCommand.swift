internal import Domain

/// `simulate`: what would become of a visit, and why.
enum SimulateCommand {
    static let commands = [
        Command(
            words: ["simulate"], operands: "CAMPAIGN_KEY", operandCount: 1...1,
            summary: "tell what would become of a visit to a campaign, and why",
            flags: [
                Flag("query", "QUERY", "of the campaign URL: 'subid=W8d&zone=39485'"),
                Flag("ip", "ADDRESS", "the visitor's (203.0.113.9)"),
                Flag("user-agent", "TEXT", "of the visitor's browser"),
                Flag("language", "TEXT", "its Accept-Language: de-AT,de;q=0.9"),
                Flag("referrer", "URL", "the page that it comes from"),
                Flag("header", "NAME:VALUE", "another header that it sends; may repeat"),
                Flag("host", "HOST", "the tracking domain that it calls"),
                Flag("at", "TIME", "when: 2026-11-21T20:00:00Z (now)"),
                Flag("visits", "N", "the visitor's N-th click, this one included"),
                Flag("click", "CLICK_ID", "tell this click again, but for what other flags say"),
                Flag("flow-version", "N", "by this version of the flow (the click's, or today's)"),
            ] + places.map { Flag($0.flag, "TEXT", "as if the location files said so") } + [
                Flag("status", "STATUS", "of the conversion that follows (approved)"),
                Flag("event", "EVENT", "of the conversion (the network's default)"),
                Flag("payout", "AMOUNT", "of the conversion (the offer's)"),
                Flag("currency", "CODE", "of the payout (the network's)"),
                Flag("txid", "ID", "of the conversion (clickrelay-test)"),
                Command.jsonFlag,
            ],
            scope: .api,
            details: """
                The visit goes through the code that real ones go through, up to the moment when they
                are recorded: nothing is written and no cap is used. Shown are what the request is
                understood as, each rule with the condition that failed, the choices by weight, each
                URL after substitution with the tokens that stayed empty, the caps, the postback that
                the network is expected to send (its key is left out), and the calls that would follow
                from it or why there are none.
                What a visitor is given by weight depends on the click ID; without --click it is one
                that no visitor gets. With the ID of a recorded click the visit is that click's, as
                far as it is kept (headers of its own are not), decided by the version of the flow
                that decided then; what was recorded is told beside it. Caps and what is
                remembered of visitors are those of now.
                """,
            run: run)
    ]

    private static let places: [(flag: String, member: String)] = [
        ("country", "country"), ("region", "region"), ("city", "city"), ("isp", "isp"),
        ("asn", "asn"), ("connection-type", "connection_type"),
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let sample = try sample(invocation)
        let key = invocation.operands[0]
        let seen = try invocation.api().call(
            "POST", "/campaigns/\(API.encoded(key))/simulate", body: sample)
        if invocation.wantsJSON {
            Terminal.line(seen.encoded(pretty: true))
        } else {
            Terminal.out(SimulationText(seen).text)
        }
        return .done
    }

    private static func sample(_ invocation: Invocation) throws(CommandFailure) -> JSONValue {
        let arguments = invocation.arguments
        func members(_ names: [(flag: String, member: String)]) -> [JSONMember] {
            names.compactMap { flag, member in
                arguments.value(flag).map { JSONMember(name: member, value: .string($0)) }
            }
        }
        var sample = members(
            [
                ("query", "query"), ("ip", "ip"), ("user-agent", "user_agent"),
                ("language", "language"), ("referrer", "referrer"), ("host", "host"), ("at", "at"),
                ("click", "click_id"),
            ] + places.filter { $0.flag != "asn" })
        if let version = try invocation.integer("flow-version", in: 1...Int.max) {
            sample.append(JSONMember(name: "flow_version", value: .integer(version)))
        }
        if let visits = try invocation.integer("visits", in: 1...1_000_000) {
            sample.append(JSONMember(name: "visits", value: .integer(visits)))
        }
        if let asn = try invocation.integer("asn", in: 0...Int(UInt32.max)) {
            sample.append(JSONMember(name: "asn", value: .integer(asn)))
        }
        let headers = try headers(arguments.values("header"))
        if !headers.isEmpty {
            sample.append(JSONMember(name: "headers", value: .object(headers)))
        }
        let conversion = members([
            ("status", "status"), ("event", "event"), ("payout", "payout"),
            ("currency", "currency"), ("txid", "transaction_id"),
        ])
        if !conversion.isEmpty {
            sample.append(JSONMember(name: "conversion", value: .object(conversion)))
        }
        return .object(sample)
    }

    private static func headers(_ texts: [String]) throws(CommandFailure) -> [JSONMember] {
        var headers: [JSONMember] = []
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw .usage("--header must be NAME:VALUE, not \"\(Printable.text(text))\"")
            }
            let name = String(parts[0])
            if headers.contains(where: { $0.name.lowercased() == name.lowercased() }) {
                throw .usage("--header \(Printable.text(name)) is there twice")
            }
            let value = parts[1].drop { $0 == " " }
            headers.append(JSONMember(name: name, value: .string(String(value))))
        }
        return headers
    }
}
