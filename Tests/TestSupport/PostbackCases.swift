/// One network, what it sends in order, and what must come of it: run in process, where the details
/// can be seen, and against the built binary.
public struct PostbackCase: Sendable, CustomStringConvertible {
    /// Verdicts by the words of the contract.
    public enum Verdict: String, Sendable {
        case accepted, updated, duplicate, ignored, parked, test
        case clickIDMissing = "click_id_missing"
        case clickIDMalformed = "click_id_malformed"
        case macroNotReplaced = "macro_not_replaced"
        case payoutNotNumber = "payout_not_number"
        case payoutAmbiguous = "payout_ambiguous"
        case payoutOutOfRange = "payout_out_of_range"
        case currencyUnknown = "currency_unknown"
        case ipNotAllowed = "ip_not_allowed"
        case keyUnknown = "key_unknown"
        case clickForeign = "click_foreign"
        case methodNotAllowed = "method_not_allowed"
    }

    /// `CID` stands for a click with the external ID `EXT`, `CID2` for another one (`EXT2`), `BARE`
    /// for one without an external ID, `LOST` for a click ID of ours without a click, `FOREIGN` for
    /// one that was issued elsewhere.
    public struct Call: Sendable {
        public var query = ""
        public var method = "GET"
        /// `k1` stands for the network's own.
        public var key = "k1"
        public var type: String?
        public var body = ""
        /// Nil: a caller that has no address.
        public var sender: String? = "203.0.113.9"
        public let verdict: Verdict
        public let status: Int
        /// Words that the message must hold; `cv1` is the first conversion's ID.
        public var says: [String] = []

        init(_ query: String, _ verdict: Verdict, _ status: Int, says: String...) {
            self.query = query
            self.verdict = verdict
            self.status = status
            self.says = says
        }

        static func ok(_ query: String, _ verdict: Verdict, says: String...) -> Call {
            var call = Call(query, verdict, 200)
            call.says = says
            return call
        }

        static func bad(_ query: String, _ verdict: Verdict, says: String...) -> Call {
            var call = Call(query, verdict, 400)
            call.says = says
            return call
        }

        func with(_ change: (inout Call) -> Void) -> Call {
            var call = self
            change(&call)
            return call
        }

        /// The query and body with an ID in the place of each name that stands for one.
        public func filled(_ ids: [String: String]) -> (query: String, body: String) {
            // The longer names first: one begins with another.
            let names = ids.sorted { $0.key.utf8.count > $1.key.utf8.count }
            func fill(_ text: String) -> String {
                names.reduce(text) { text, name in
                    text.replacing("=\(name.key)", with: "=\(name.value)")
                        .replacing("\"\(name.key)\"", with: "\"\(name.value)\"")
                }
            }
            return (fill(query), fill(body))
        }
    }

    public let name: String
    /// Made from this template of the catalogue, which only a whole tracker has.
    public var template: String?
    public var network: [String: JSON] = [:]
    public var offer: [String: JSON] = [:]
    public let calls: [Call]
    /// Each conversion's revisions: `event/transaction: approved 5 USD > rejected 5 USD`.
    public let conversions: [String]
    /// Queries of the deliveries to the source, in order; nil: not looked at.
    public var told: [String]?

    public var description: String { name }

    init(
        _ name: String, template: String? = nil, network: [String: JSON] = [:],
        offer: [String: JSON] = [:], calls: [Call], conversions: [String], told: [String]? = []
    ) {
        self.name = name
        self.template = template
        self.network = network
        self.offer = offer
        self.calls = calls
        self.conversions = conversions
        self.told = told
    }
}

extension PostbackCase {
    public static let identities: [PostbackCase] = [
        PostbackCase(
            "a repeated call tells the source once",
            calls: [
                .ok("cid=CID&txid=77&payout=1.25", .accepted, says: "cv1", "approved", "1.25"),
                .ok("cid=CID&txid=77&payout=1.25", .duplicate, says: "cv1"),
                .ok("payout=1.250&txid=77&cid=CID&status=paid", .duplicate),
            ],
            conversions: ["conversion/77: approved 1.25 USD"],
            told: ["id=EXT&v=1.25&c=USD&s=approved&e=conversion&t=77&r=1"]),
        PostbackCase(
            "pending, approved, chargeback and back are all kept",
            calls: [
                .ok("cid=CID&txid=1&payout=0&status=pending", .accepted),
                .ok("cid=CID&txid=1&payout=18&status=approved", .updated, says: "approved with 18"),
                .ok("cid=CID&txid=1&status=chargeback", .updated),
                .ok("cid=CID&txid=1&status=chargeback&payout=18", .duplicate),
                .ok("cid=CID&txid=1&status=approved&payout=-18", .updated),
            ],
            conversions: [
                "conversion/1: pending 0 USD > approved 18 USD > chargeback 18 USD > approved -18 USD"
            ],
            told: [
                "id=EXT&v=0&c=USD&s=pending&e=conversion&t=1&r=1",
                "id=EXT&v=18&c=USD&s=approved&e=conversion&t=1&r=2",
                "id=EXT&v=18&c=USD&s=chargeback&e=conversion&t=1&r=3",
                "id=EXT&v=-18&c=USD&s=approved&e=conversion&t=1&r=4",
            ]),
        PostbackCase(
            "another order, event or click is another conversion",
            calls: [
                .ok("cid=CID&payout=5", .accepted), .ok("cid=CID&payout=5&txid=1", .accepted),
                .ok("cid=CID&payout=5&txid=2", .accepted),
                .ok("cid=CID&payout=5&txid=1&event=Sale", .accepted),
                .ok("cid=CID2&payout=5&txid=1", .accepted),
                .ok("cid=CID&payout=5&txid=1&event=SALE", .duplicate),
            ],
            conversions: [
                "conversion/: approved 5 USD", "conversion/1: approved 5 USD",
                "conversion/2: approved 5 USD", "sale/1: approved 5 USD",
                "conversion/1: approved 5 USD",
            ],
            told: [
                "id=EXT&v=5&c=USD&s=approved&e=conversion&r=1",
                "id=EXT&v=5&c=USD&s=approved&e=conversion&t=1&r=1",
                "id=EXT&v=5&c=USD&s=approved&e=conversion&t=2&r=1",
                "id=EXT&v=5&c=USD&s=approved&e=sale&t=1&r=1",
                "id=EXT2&v=5&c=USD&s=approved&e=conversion&t=1&r=1",
            ]),
        PostbackCase(
            "repeat ignore changes nothing", network: ["repeat": "ignore"],
            calls: [
                .ok("cid=CID&payout=5", .accepted),
                .ok("cid=CID&payout=6&status=rejected", .duplicate),
            ],
            conversions: ["conversion/: approved 5 USD"],
            told: ["id=EXT&v=5&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "repeat add adds without an order only", network: ["repeat": "add"],
            calls: [
                .ok("cid=CID&payout=5", .accepted), .ok("cid=CID&payout=5", .accepted),
                .ok("cid=CID&payout=5&txid=1", .accepted),
                .ok("cid=CID&payout=5&txid=1", .duplicate),
                .ok("cid=CID&payout=6&txid=1", .updated),
            ],
            conversions: [
                "conversion/: approved 5 USD", "conversion/: approved 5 USD",
                "conversion/1: approved 5 USD > approved 6 USD",
            ],
            told: [
                "id=EXT&v=5&c=USD&s=approved&e=conversion&r=1",
                "id=EXT&v=5&c=USD&s=approved&e=conversion&r=1",
                "id=EXT&v=5&c=USD&s=approved&e=conversion&t=1&r=1",
                "id=EXT&v=6&c=USD&s=approved&e=conversion&t=1&r=2",
            ]),
        PostbackCase(
            "transaction IDs are compared byte for byte",
            calls: ["abc", "ABC", "abc%20", "%C3%BC", "u%CC%88", "0", "00", "%00", "a%00b"].flatMap
            {
                [
                    Call.ok("cid=CID&payout=1&txid=\($0)", .accepted),
                    Call.ok("cid=CID&payout=1&txid=\($0)", .duplicate),
                ]
            },
            conversions: [
                "abc", "ABC", "abc ", "\u{fc}", "u\u{308}", "0", "00", "\u{0}", "a\u{0}b",
            ].map {
                "conversion/\($0): approved 1 USD"
            },
            told: ["abc", "ABC", "abc%20", "%C3%BC", "u%CC%88", "0", "00", "%00", "a%00b"].map {
                "id=EXT&v=1&c=USD&s=approved&e=conversion&t=\($0)&r=1"
            }),
        PostbackCase(
            "a test call is a conversion of its own that nobody is told of",
            calls: [
                .ok("cid=CID&payout=5&test=1", .test, says: "counted nowhere"),
                .ok("cid=CID&payout=5&test=1", .test, says: "nothing changed"),
                .ok("cid=CID&payout=6&test=true", .test), .ok("cid=CID&payout=5", .accepted),
            ],
            conversions: [
                "conversion/: approved 5 USD > approved 6 USD (test)",
                "conversion/: approved 5 USD",
            ],
            told: ["id=EXT&v=5&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "disable_postback keeps the conversion and tells nobody",
            calls: [
                .ok("cid=CID&payout=5&disable_postback=1", .accepted, says: "disable_postback"),
                .ok("cid=CID&payout=5", .duplicate), .ok("cid=CID&payout=6", .updated),
            ],
            conversions: ["conversion/: approved 5 USD > approved 6 USD"],
            told: ["id=EXT&v=6&c=USD&s=approved&e=conversion&r=2"]),
    ]

    public static let faults: [PostbackCase] = [
        PostbackCase(
            "click IDs that are none",
            calls: [
                .bad("", .clickIDMissing, says: "cid"), .bad("payout=5", .clickIDMissing),
                .bad("cid=&subid=%20", .clickIDMissing), .bad("cid=abc", .clickIDMalformed),
                .bad("cid=CIDx", .clickIDMalformed), .bad("cid=%00", .clickIDMalformed),
                .bad("cid=%zz", .clickIDMalformed),
                .bad("cid=zzzzzzzzzzzzzzzzzzzzzzzzzz", .clickIDMalformed),
                .bad("cid={click_id}", .macroNotReplaced, says: "{click_id}"),
                .bad("cid=%23s2%23", .macroNotReplaced), .bad("cid=[ml_sub1]", .macroNotReplaced),
                Call("cid=FOREIGN&payout=1", .clickForeign, 404, says: "not issued here"),
                .ok("cid=LOST&payout=8.5&txid=P1", .parked, says: "kept"),
                .ok("cid=LOST&payout=8.5&txid=P1", .parked),
            ], conversions: []),
        PostbackCase(
            "money that is none",
            calls: [
                .bad("cid=CID&payout=abc", .payoutNotNumber, says: "abc"),
                .bad("cid=CID&payout=12.5.1", .payoutNotNumber),
                .bad("cid=CID&payout=1,234", .payoutAmbiguous, says: "number_format"),
                .bad("cid=CID&payout=99999999999", .payoutOutOfRange),
                .bad("cid=CID&payout=%7Bpayout%7D", .macroNotReplaced),
                .bad("cid=CID&payout_minor=x", .payoutNotNumber),
                .bad("cid=CID&payout=1&currency=XXQ", .currencyUnknown, says: "XXQ"),
                .bad("cid=CID&payout=1&currency=[currency]", .macroNotReplaced),
                .bad("cid=CID&payout=1&status={status}", .macroNotReplaced),
            ], conversions: []),
        PostbackCase(
            "a refused call is judged by its click ID first",
            calls: [
                .bad("cid=nope&payout=abc", .clickIDMalformed),
                .bad("cid=FOREIGN&payout=abc", .payoutNotNumber),
                .ok("cid=CID&payout=%205%20&status=%20", .accepted),
            ],
            conversions: ["conversion/: approved 5 USD"],
            told: ["id=EXT&v=5&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "unknown keys and wrong methods are kept too",
            calls: [
                Call("cid=CID&payout=1", .keyUnknown, 404, says: "copy the URL").with {
                    $0.key = "k2"
                },
                Call("cid=CID&payout=1", .keyUnknown, 404).with { $0.key = "K1" },
                Call("cid=CID&payout=1", .keyUnknown, 404).with { $0.key = "" },
                Call("cid=CID&payout=1", .keyUnknown, 404).with { $0.key = "k1/x" },
                Call("cid=CID&payout=1", .methodNotAllowed, 405, says: "HEAD").with {
                    $0.method = "HEAD"
                },
                Call("cid=CID&payout=1", .methodNotAllowed, 405).with { $0.method = "PUT" },
                Call("cid=CID&payout=1", .keyUnknown, 404).with {
                    $0.method = "PUT"
                    $0.key = "none"
                },
            ], conversions: []),
        PostbackCase(
            "only the network's addresses may report",
            network: ["allowed_ips": ["203.0.113.0/28", "2001:db8::/32"]],
            calls: [
                .ok("cid=CID&payout=1", .accepted),
                Call("cid=CID&payout=2", .ipNotAllowed, 403, says: "203.0.113.16").with {
                    $0.sender = "203.0.113.16"
                },
                .ok("cid=CID&payout=1", .duplicate).with { $0.sender = "203.0.113.15" },
                .ok("cid=CID&payout=1", .duplicate).with { $0.sender = "2001:db8:1::1" },
                Call("cid=CID&payout=2", .ipNotAllowed, 403).with { $0.sender = "2001:db9::1" },
                Call("cid=CID&payout=2", .ipNotAllowed, 403).with { $0.sender = nil },
            ],
            conversions: ["conversion/: approved 1 USD"],
            told: ["id=EXT&v=1&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "always_200 turns each refusal into 200 and keeps its verdict",
            network: ["always_200": true, "allowed_ips": ["203.0.113.9"]],
            calls: [
                .ok("payout=1", .clickIDMissing), .ok("cid=CID&payout=x", .payoutNotNumber),
                .ok("cid=FOREIGN", .clickForeign),
                .ok("cid=CID", .methodNotAllowed).with { $0.method = "PUT" },
                .ok("cid=CID", .ipNotAllowed).with { $0.sender = "198.51.100.1" },
                // An unknown key has no network that could ask for it.
                Call("cid=CID", .keyUnknown, 404).with { $0.key = "other" },
            ], conversions: []),
        PostbackCase(
            "a missing amount is the offer's payout", offer: ["payout": ["amount": "9.99"]],
            calls: [
                .ok("cid=CID", .accepted), .ok("cid=CID&txid=2&payout=0", .accepted),
                .ok("cid=CID&txid=3&currency=EUR", .accepted), .ok("cid=CID&status=hold", .updated),
                .ok("cid=CID&payout=", .updated),
            ],
            conversions: [
                "conversion/: approved 9.99 USD > pending 9.99 USD > approved 9.99 USD",
                "conversion/2: approved 0 USD", "conversion/3: approved 9.99 USD",
            ],
            told: [
                "id=EXT&v=9.99&c=USD&s=approved&e=conversion&r=1",
                "id=EXT&v=0&c=USD&s=approved&e=conversion&t=2&r=1",
                "id=EXT&v=9.99&c=USD&s=approved&e=conversion&t=3&r=1",
                "id=EXT&v=9.99&c=USD&s=pending&e=conversion&r=2",
                "id=EXT&v=9.99&c=USD&s=approved&e=conversion&r=3",
            ]),
        PostbackCase(
            "macros that do not matter are named and left out",
            calls: [
                .ok(
                    "cid=CID&payout=1&txid={transaction_id}&event=%23event%23", .accepted,
                    says: "txid", "{transaction_id}", "event")
            ],
            conversions: ["conversion/: approved 1 USD"],
            told: ["id=EXT&v=1&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "the ignore list keeps the call and makes nothing",
            network: ["ignore_statuses": ["click", "9"], "status_map": ["9": "approved"]],
            calls: [
                .ok("cid=CID&payout=1&status=CLICK", .ignored, says: "CLICK", "ignore list"),
                .ok("cid=CID&payout=1&status=9", .ignored),
                .ok("cid=LOST&payout=1&status=9", .ignored),
                Call("cid=FOREIGN&payout=1&status=9", .clickForeign, 404),
                .ok("cid=CID&payout=1&status=8", .accepted, says: "\"8\"", "status_map"),
            ],
            conversions: ["conversion/: pending 1 USD"],
            told: ["id=EXT&v=1&c=USD&s=pending&e=conversion&r=1"]),
    ]
}
