extension PostbackCase {
    /// The formats that real networks send, after their macros were replaced.
    public static let dialects: [PostbackCase] = [
        PostbackCase(
            "MyLead, decimal payout",
            network: [
                "key": "mylead", "click_id_param": "ml_sub1",
                "status_map": ["pre_approved": "pending"],
            ],
            calls: [
                .ok(
                    "cid=CID&txid=9bd1b6e8&payout=12.50&currency=EUR&status=pre_approved", .accepted
                ),
                .ok("cid=CID&txid=9bd1b6e8&payout=12.50&currency=EUR&status=approved", .updated),
                .ok("cid=CID&txid=9bd1b6e8&payout=12.50&currency=EUR&status=approved", .duplicate),
            ],
            conversions: ["conversion/9bd1b6e8: pending 12.5 EUR > approved 12.5 EUR"],
            told: [
                "id=EXT&v=12.5&c=EUR&s=pending&e=conversion&t=9bd1b6e8&r=1",
                "id=EXT&v=12.5&c=EUR&s=approved&e=conversion&t=9bd1b6e8&r=2",
            ]),
        PostbackCase(
            "many parameters, the click ID among them",
            calls: [
                .ok(
                    "transaction_id=t-1&program_id=77&program_name=Fit%20App&payout=3.20&currency=PLN"
                        + "&status=approved&country=PL&ip=198.51.100.4&click_date=2026-11-20"
                        + "&conversion_date=2026-11-20&goal_id=4&ml_sub1=x&subid=CID&sub_id=&user_agent=a",
                    .accepted)
            ],
            conversions: ["4/t-1: approved 3.2 PLN"],
            told: ["id=EXT&v=3.2&c=PLN&s=approved&e=4&t=t-1&r=1"]),
        PostbackCase(
            "MyLead, minor units: 1250 is 12.50", network: ["payout_unit": "minor"],
            calls: [
                .ok("cid=CID&txid=1&payout=1250&currency=USD&status=approved", .accepted),
                .ok("cid=CID&txid=2&payout=5", .accepted),
                .ok("cid=CID&txid=3&payout=1250&currency=JPY", .accepted),
                .ok("cid=CID&txid=4&payout=1250&currency=KWD", .accepted),
                .ok("cid=CID&txid=5&payout=-100", .accepted),
            ],
            conversions: [
                "conversion/1: approved 12.5 USD", "conversion/2: approved 0.05 USD",
                "conversion/3: approved 1250 JPY", "conversion/4: approved 1.25 KWD",
                "conversion/5: approved -1 USD",
            ],
            told: [
                "id=EXT&v=12.5&c=USD&s=approved&e=conversion&t=1&r=1",
                "id=EXT&v=0.05&c=USD&s=approved&e=conversion&t=2&r=1",
                "id=EXT&v=1250&c=JPY&s=approved&e=conversion&t=3&r=1",
                "id=EXT&v=1.25&c=KWD&s=approved&e=conversion&t=4&r=1",
                "id=EXT&v=-1&c=USD&s=approved&e=conversion&t=5&r=1",
            ]),
        PostbackCase(
            "Scaleo, cid and payout only",
            calls: [.ok("cid=CID&payout=4.2", .accepted)],
            conversions: ["conversion/: approved 4.2 USD"],
            told: ["id=EXT&v=4.2&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "Mr Postback in the query, a form and JSON",
            calls: [
                .ok(
                    "click_id=CID&event=sale&amount=49.99&currency=USD&affiliate_id=77"
                        + "&campaign_id=9&timestamp=1763675136", .accepted),
                Call.ok("", .duplicate).with {
                    $0.method = "POST"
                    $0.type = "application/x-www-form-urlencoded"
                    $0.body = "click_id=CID&event=sale&amount=49%2E99&currency=USD&affiliate_id=77"
                },
                Call.ok("", .duplicate).with {
                    $0.method = "POST"
                    $0.type = "application/json; charset=utf-8"
                    $0.body = """
                        {"click_id": "CID", "event": "sale", "amount": 49.99, "currency": "USD",
                         "affiliate_id": 77, "campaign_id": null, "extra": {"click_id": "no"}}
                        """
                },
            ],
            conversions: ["sale/: approved 49.99 USD"],
            told: ["id=EXT&v=49.99&c=USD&s=approved&e=sale&r=1"]),
        PostbackCase(
            "values within a JSON document",
            network: [
                "parameters": [
                    "cid": ["user.tid1"], "payout": ["user.order.commission"],
                    "txid": ["user.order.number"],
                ]
            ],
            calls: [
                Call("", .accepted, 200).with {
                    $0.method = "POST"
                    $0.body = """
                        {"cid": null, "list": [{"cid": "no"}],
                         "user": {"tid1": "CID", "order": {"commission": 1.25, "number": 7}}}
                        """
                }
            ],
            conversions: ["conversion/7: approved 1.25 USD"],
            told: ["id=EXT&v=1.25&c=USD&s=approved&e=conversion&t=7&r=1"]),
        PostbackCase(
            "paths into a JSON document are followed as far as 199 bytes",
            network: [
                "parameters": [
                    "cid": [
                        .string(String(repeating: "a", count: 199) + ".cid"),
                        .string(String(repeating: "b", count: 200) + ".cid"),
                    ]
                ]
            ],
            calls: [("a", 199, true), ("b", 200, false)].map { letter, count, isRead in
                Call("payout=1", isRead ? .accepted : .clickIDMissing, isRead ? 200 : 400).with {
                    let name = String(repeating: letter, count: count)
                    $0.method = "POST"
                    $0.body = "{\"\(name)\": {\"cid\": \"CID\"}}"
                }
            },
            conversions: ["conversion/: approved 1 USD"],
            told: ["id=EXT&v=1&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "Affise, numeric statuses",
            network: [
                "status_map": ["1": "approved", "2": "pending", "3": "rejected", "5": "pending"],
                "parameters": ["cid": ["clickid"], "txid": ["action_id"], "payout": ["sum"]],
            ],
            calls: [
                .ok("clickid=CID&action_id=a1&sum=7&status=2&goal=3", .accepted),
                .ok("clickid=CID&action_id=a1&sum=7&status=5&goal=3", .duplicate),
                .ok("clickid=CID&action_id=a1&sum=7&status=1&goal=3", .updated),
                .ok("clickid=CID&action_id=a1&sum=7&status=3&goal=3", .updated),
                .ok("clickid=CID&action_id=a1&sum=7&status=7&goal=3", .updated, says: "\"7\""),
            ],
            conversions: ["3/a1: pending 7 USD > approved 7 USD > rejected 7 USD > pending 7 USD"],
            told: [
                "id=EXT&v=7&c=USD&s=pending&e=3&t=a1&r=1",
                "id=EXT&v=7&c=USD&s=approved&e=3&t=a1&r=2",
                "id=EXT&v=7&c=USD&s=rejected&e=3&t=a1&r=3",
                "id=EXT&v=7&c=USD&s=pending&e=3&t=a1&r=4",
            ]),
        PostbackCase(
            "a click ID in transaction_id", network: ["parameters": ["cid": ["transaction_id"]]],
            calls: [
                .ok("transaction_id=CID&payout=2", .accepted),
                .ok("TRANSACTION_ID=CID&payout=2", .duplicate),
                .ok("transaction_id=CID&payout=2&tid=9", .accepted),
            ],
            conversions: ["conversion/: approved 2 USD", "conversion/9: approved 2 USD"],
            told: [
                "id=EXT&v=2&c=USD&s=approved&e=conversion&r=1",
                "id=EXT&v=2&c=USD&s=approved&e=conversion&t=9&r=1",
            ]),
        PostbackCase(
            "Keitaro's names", network: ["status_map": ["sale": "approved"]],
            calls: [
                .ok("subid=CID&payout=10,5&tid=5&status=lead&currency=rub", .accepted),
                .ok("subid=CID&payout=10,50&tid=5&status=Sale&currency=RUB", .updated),
                .ok("sub_id=CID&payout=10.5&tid=5&status=cancelled&currency=RUB", .updated),
            ],
            conversions: ["conversion/5: pending 10.5 RUB > approved 10.5 RUB > rejected 10.5 RUB"],
            told: [
                "id=EXT&v=10.5&c=RUB&s=pending&e=conversion&t=5&r=1",
                "id=EXT&v=10.5&c=RUB&s=approved&e=conversion&t=5&r=2",
                "id=EXT&v=10.5&c=RUB&s=rejected&e=conversion&t=5&r=3",
            ]),
        PostbackCase(
            "numbers as people write them",
            calls: [
                ("1", "12,5"), ("2", "1%20234.50"), ("3", "1,234.50"), ("4", "1.234,50"),
                ("5", "-3"), ("6", "%E2%88%923"), ("7", "+4"), ("8", "0.0000000005"),
                ("9", "0.0000000015"), ("10", "1'000'000"),
            ].map { .ok("cid=CID&txid=\($0.0)&payout=\($0.1)", .accepted) },
            conversions: [
                ("1", "12.5"), ("2", "1234.5"), ("3", "1234.5"), ("4", "1234.5"), ("5", "-3"),
                ("6", "-3"), ("7", "4"), ("8", "0"), ("9", "0.000000002"), ("10", "1000000"),
            ].map { "conversion/\($0.0): approved \($0.1) USD" },
            told: [
                ("1", "12.5"), ("2", "1234.5"), ("3", "1234.5"), ("4", "1234.5"), ("5", "-3"),
                ("6", "-3"), ("7", "4"), ("8", "0"), ("9", "0.000000002"), ("10", "1000000"),
            ].map { "id=EXT&v=\($0.1)&c=USD&s=approved&e=conversion&t=\($0.0)&r=1" }),
        PostbackCase(
            "a comma that the network says is decimal", network: ["number_format": "comma"],
            calls: [
                .ok("cid=CID&payout=1,234", .accepted), .ok("cid=CID&payout=1.234", .updated),
                .ok("cid=CID&payout=1234", .duplicate),
            ],
            conversions: ["conversion/: approved 1.234 USD > approved 1234 USD"],
            told: [
                "id=EXT&v=1.234&c=USD&s=approved&e=conversion&r=1",
                "id=EXT&v=1234&c=USD&s=approved&e=conversion&r=2",
            ]),
        PostbackCase(
            "status words in any case, and the network's default",
            network: ["default_status": "pending", "currency": "GBP", "default_event": "Lead"],
            calls: [
                .ok("cid=CID&payout=1", .accepted),
                .ok("cid=CID&payout=1&status=CONFIRMED", .updated),
                .ok("cid=CID&payout=1&conv_status=Declined", .updated),
                .ok("cid=CID&payout=1&cnv_status=spam", .updated),
                .ok("cid=CID&payout=1&status=refunded", .updated),
                .ok("cid=CID&payout=1&event=lead", .updated),
            ],
            conversions: [
                "lead/: pending 1 GBP > approved 1 GBP > rejected 1 GBP > trash 1 GBP > "
                    + "chargeback 1 GBP > pending 1 GBP"
            ],
            told: ["pending", "approved", "rejected", "trash", "chargeback", "pending"]
                .enumerated().map { "id=EXT&v=1&c=GBP&s=\($0.element)&e=lead&r=\($0.offset + 1)" }),
        PostbackCase(
            "a query comes before its body, and a body needs no type",
            calls: [
                Call.ok("cid=CID&payout=1", .accepted).with {
                    $0.method = "POST"
                    $0.type = "application/x-www-form-urlencoded"
                    $0.body = "payout=2&txid=8"
                },
                Call.ok("", .duplicate).with {
                    $0.method = "POST"
                    $0.body = "cid=CID&payout=1&txid=8"
                },
                Call.ok("", .duplicate).with {
                    $0.method = "POST"
                    $0.body = " {\"cid\":\"CID\",\"payout\":\"1\",\"txid\":8}"
                },
                Call.ok("", .updated).with {
                    $0.method = "POST"
                    $0.type = "text/plain"
                    $0.body = "{\"Cid\":\"CID\",\"payout\":1.50,\"txid\":8,\"test\":false}"
                },
            ],
            conversions: ["conversion/8: approved 1 USD > approved 1.5 USD"],
            told: [
                "id=EXT&v=1&c=USD&s=approved&e=conversion&t=8&r=1",
                "id=EXT&v=1.5&c=USD&s=approved&e=conversion&t=8&r=2",
            ]),
        PostbackCase(
            "a body that can't be read leaves the query alone",
            calls: [
                Call.ok("cid=CID&payout=1", .accepted, says: "not JSON").with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "{\"payout\": "
                },
                Call.ok("cid=CID&payout=1", .duplicate, says: "an array").with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "[1]"
                },
                Call.ok("cid=CID&payout=1", .duplicate, says: "multipart/form-data").with {
                    $0.method = "POST"
                    $0.type = "multipart/form-data; boundary=x"
                    $0.body = "--x"
                },
                Call.bad("", .clickIDMissing, says: "not JSON").with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "nonsense"
                },
            ],
            conversions: ["conversion/: approved 1 USD"],
            told: ["id=EXT&v=1&c=USD&s=approved&e=conversion&r=1"]),
        PostbackCase(
            "JSON numbers keep their text",
            calls: [
                Call.ok("", .accepted).with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "{\"cid\":\"CID\",\"payout\":12.500,\"txid\":10000000000000000001}"
                },
                Call.bad("", .payoutNotNumber, says: "1e3").with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "{\"cid\":\"CID\",\"payout\":1e3}"
                },
            ],
            conversions: ["conversion/10000000000000000001: approved 12.5 USD"],
            told: ["id=EXT&v=12.5&c=USD&s=approved&e=conversion&t=10000000000000000001&r=1"]),
        PostbackCase(
            "an amount in a JSON shape of its own is refused, not counted as zero",
            calls: [
                Call.bad("", .payoutNotNumber, says: "value").with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "{\"cid\":\"CID\",\"payout\":{\"value\":12.5}}"
                },
                Call.bad("", .payoutNotNumber, says: "[12.5,1]").with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "{\"cid\":\"CID\",\"payout\":[12.5,1]}"
                },
                Call.bad("", .clickIDMalformed).with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body = "{\"cid\":[\"CID\"],\"payout\":1}"
                },
                Call.ok("", .accepted).with {
                    $0.method = "POST"
                    $0.type = "application/json"
                    $0.body =
                        "{\"cid\":\"CID\",\"txid\":[],\"event\":{},\"payout\":2,\"x\":{\"y\":1}}"
                },
            ],
            conversions: ["conversion/: approved 2 USD"],
            told: ["id=EXT&v=2&c=USD&s=approved&e=conversion&r=1"]),
    ]
}
