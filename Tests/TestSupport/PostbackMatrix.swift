/// Dialect by status by repeat rule, and dialect by fault: what one network sends over a
/// conversion's life, in each of its ways to say it.
extension PostbackCase {
    /// How one network writes its calls.
    private struct Dialect {
        enum Carrier { case query, form, json }

        /// What one call says, in the network's words and in ours.
        struct State {
            let word: String
            let amount: String
            /// As a revision: `pending 12.5 EUR`.
            let meaning: String

            init(_ word: String, _ amount: String, _ meaning: String) {
                self.word = word
                self.amount = amount
                self.meaning = meaning
            }
        }

        let name: String
        var template: String?
        var network: [String: JSON] = [:]
        var carrier = Carrier.query
        /// `$cid`, `$amount`, `$currency` and `$status` stand for what differs between calls; all
        /// else is sent as it stands here.
        let fields: [(name: String, value: String)]
        /// A token of the network that it did not replace.
        let macro: String
        let currency: String
        /// Three, each of which changes something.
        let states: [State]
        let event: String
        /// Empty for a network that sends none.
        let order: String

        func says(_ part: String) -> Bool { fields.contains { $0.value == part } }

        func call(
            _ state: State, changing part: String = "", to value: String = "", _ verdict: Verdict,
            _ status: Int = 200
        ) -> Call {
            var values = [
                "$cid": "CID", "$amount": state.amount, "$currency": currency,
                "$status": state.word,
            ]
            values[part] = value
            let pairs = fields.map { (name: $0.name, value: values[$0.value] ?? $0.value) }
            let text = pairs.map { "\($0.name)=\(percentEncoded($0.value))" }
                .joined(separator: "&")
            return Call("", verdict, status).with {
                switch carrier {
                case .query: $0.query = text
                case .form:
                    $0.method = "POST"
                    $0.type = "application/x-www-form-urlencoded"
                    $0.body = text
                case .json:
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body =
                        JSON.object(Dictionary(pairs.map { ($0, .string($1)) }) { $1 }).text
                }
            }
        }

        func conversion(_ states: [Int]) -> String {
            "\(event)/\(order): "
                + states.map { self.states[$0].meaning }.joined(separator: " > ")
        }
    }

    public static let matrix: [PostbackCase] = networks.flatMap { lives(of: $0) + [faults(of: $0)] }

    /// Which state each call says.
    private static let life = [0, 0, 1, 1, 2, 0, 0]

    private static func lives(of dialect: Dialect) -> [PostbackCase] {
        let updating: [Verdict] = [
            .accepted, .duplicate, .updated, .duplicate, .updated, .updated, .duplicate,
        ]
        let ignoring: [Verdict] = [.accepted] + Array(repeating: .duplicate, count: 6)
        let adding: [Verdict] = Array(repeating: .accepted, count: 7)
        let hasOrder = !dialect.order.isEmpty
        let updated = [dialect.conversion([0, 1, 2, 0])]
        return [
            ("update", updating, updated), ("ignore", ignoring, [dialect.conversion([0])]),
            hasOrder
                ? ("add", updating, updated)
                : ("add", adding, life.map { dialect.conversion([$0]) }),
        ].map { rule, verdicts, conversions in
            PostbackCase(
                "\(dialect.name), repeat \(rule)", template: dialect.template,
                network: dialect.network.merging(["repeat": .string(rule)]) { $1 },
                calls: zip(life, verdicts).map { dialect.call(dialect.states[$0], $1) },
                conversions: conversions, told: nil)
        }
    }

    private static func faults(of dialect: Dialect) -> PostbackCase {
        let faults: [(part: String, value: String, verdict: Verdict, status: Int)] = [
            ("$cid", "", .clickIDMissing, 400), ("$cid", "abc", .clickIDMalformed, 400),
            ("$cid", "12345678", .clickIDMalformed, 400), ("$cid", "FOREIGN", .clickForeign, 404),
            ("$cid", "LOST", .parked, 200), ("$cid", dialect.macro, .macroNotReplaced, 400),
            ("$amount", "abc", .payoutNotNumber, 400), ("$amount", "1,234", .payoutAmbiguous, 400),
            ("$amount", "9999999999999", .payoutOutOfRange, 400),
            ("$amount", dialect.macro, .macroNotReplaced, 400),
            ("$currency", "XXQ", .currencyUnknown, 400),
            ("$currency", dialect.macro, .macroNotReplaced, 400),
            ("$status", dialect.macro, .macroNotReplaced, 400),
        ]
        let first = dialect.states[0]
        let calls = faults.filter { dialect.says($0.part) }.map {
            dialect.call(first, changing: $0.part, to: $0.value, $0.verdict, $0.status)
        }
        return PostbackCase(
            "\(dialect.name), faults", template: dialect.template, network: dialect.network,
            calls: calls + [dialect.call(first, .accepted), dialect.call(first, .duplicate)],
            conversions: [dialect.conversion([0])], told: nil)
    }

    private static let networks: [Dialect] =
        [
            // All fifteen parameters that MyLead can send, in the URL that its template prints and
            // beside it.
            Dialect(
                name: "MyLead, fifteen parameters", template: "mylead",
                fields: [
                    ("cid", "$cid"), ("payout", "$amount"), ("currency", "$currency"),
                    ("status", "$status"), ("txid", "9bd1b6e8"), ("program_id", "77"),
                    ("program_name", "Fit App & Co"), ("program_config_id", "5"),
                    ("payout_hundredths", "1250"), ("ip", "198.51.100.4"), ("country_code", "PL"),
                    ("ml_sub2", ""), ("ml_sub3", "b+c"), ("ml_sub4", "%"), ("ml_sub5", "ü"),
                ], macro: "[payout_decimal]", currency: "EUR",
                states: [
                    .init("pre_approved", "12.50", "pending 12.5 EUR"),
                    .init("approved", "12.50", "approved 12.5 EUR"),
                    .init("rejected", "12.50", "rejected 12.5 EUR"),
                ], event: "conversion", order: "9bd1b6e8"),
            Dialect(
                name: "MyLead, hundredths", template: "mylead", network: ["payout_unit": "minor"],
                fields: [
                    ("cid", "$cid"), ("payout", "$amount"), ("currency", "$currency"),
                    ("status", "$status"), ("txid", "a-1"),
                ], macro: "[ml_sub1]", currency: "PLN",
                states: [
                    .init("pending", "1250", "pending 12.5 PLN"),
                    .init("Approved", "1250", "approved 12.5 PLN"),
                    .init("APPROVED", "5", "approved 0.05 PLN"),
                ], event: "conversion", order: "a-1"),
            Dialect(
                name: "Affise, numeric statuses by its template", template: "affise",
                fields: [
                    ("cid", "$cid"), ("payout", "$amount"), ("currency", "$currency"),
                    ("status", "$status"), ("txid", "5f1e"), ("event", "3"), ("offerid", "12"),
                ], macro: "{sub1}", currency: "USD",
                states: [
                    .init("2", "7", "pending 7 USD"), .init("1", "7", "approved 7 USD"),
                    .init("3", "7", "rejected 7 USD"),
                ], event: "3", order: "5f1e"),
            Dialect(
                name: "Affise, on hold, by a status map",
                network: [
                    "status_map": [
                        "1": "approved", "2": "pending", "3": "rejected", "5": "pending",
                    ],
                    "parameters": ["cid": ["clickid"], "txid": ["action_id"], "payout": ["sum"]],
                ],
                fields: [
                    ("clickid", "$cid"), ("action_id", "a1"), ("sum", "$amount"),
                    ("status", "$status"), ("goal", "Reg"),
                ], macro: "{clickid}", currency: "",
                states: [
                    .init("5", "7.00", "pending 7 USD"), .init("1", "7.10", "approved 7.1 USD"),
                    .init("3", "0", "rejected 0 USD"),
                ], event: "reg", order: "a1"),
            Dialect(
                name: "CAKE, cid=#s2#", template: "cake",
                fields: [("cid", "$cid"), ("payout", "$amount"), ("txid", "L77")], macro: "#s2#",
                currency: "", states: amounts("USD"), event: "conversion", order: "L77"),
            Dialect(
                name: "Scaleo, cid and payout only",
                fields: [("cid", "$cid"), ("payout", "$amount")], macro: "{aff_click_id}",
                currency: "", states: amounts("USD"), event: "conversion", order: ""),
            Dialect(
                name: "Keitaro's names",
                fields: [
                    ("subid", "$cid"), ("payout", "$amount"), ("tid", "5"), ("status", "$status"),
                    ("currency", "$currency"),
                ], macro: "{subid}", currency: "rub",
                states: [
                    .init("lead", "10.5", "pending 10.5 RUB"),
                    .init("sale", "10.5", "approved 10.5 RUB"),
                    .init("Refund", "10.5", "chargeback 10.5 RUB"),
                ], event: "conversion", order: "5"),
            Dialect(
                name: "Voluum's names",
                fields: [("cid", "$cid"), ("payout", "$amount"), ("txid", "v"), ("et", "Deposit")],
                macro: "REPLACE", currency: "", states: amounts("USD"), event: "deposit", order: "v"
            ),
        ]
        + [Dialect.Carrier.query, .form, .json].map { carrier in
            // Its seven parameters, however they travel; neither a status nor an order is one.
            Dialect(
                name: "Mr Postback, \(carrier)", carrier: carrier,
                fields: [
                    ("click_id", "$cid"), ("event", "sale"), ("amount", "$amount"),
                    ("currency", "$currency"), ("affiliate_id", "77"), ("campaign_id", "9"),
                    ("timestamp", "1763675136"),
                ], macro: "{{click_id}}", currency: "USD", states: amounts("USD"), event: "sale",
                order: "")
        }

    /// For networks that send no status: another amount is another state.
    private static func amounts(_ currency: String) -> [Dialect.State] {
        [
            .init("", "49.99", "approved 49.99 \(currency)"),
            .init("", "50", "approved 50 \(currency)"), .init("", "-3", "approved -3 \(currency)"),
        ]
    }
}
