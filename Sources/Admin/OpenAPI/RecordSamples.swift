internal import Domain

/// What is read back, and the bodies of orders, by example. Members may be added, these stay.
enum RecordSamples {
    static let all: [(name: String, sample: JSONValue)] = [
        ("Problem", problem), ("Conversion", conversion), ("Postback", postback),
        ("Delivery", delivery), ("Click", click), ("Pause", pause),
        ("PauseOrder", ["destination": "push/main", "host": "source.example", "reason": "…"]),
        ("TokenOrder", ["name": "dashboard"]), ("Settings", ["reporting_currency": "USD"]),
        ("AssignOrder", ["click_id": "…", "force": true]),
        ("SampleVisit", sampleVisit), ("SimulatedVisit", simulatedVisit),
        (
            "TestOrder",
            ["status": "approved", "event": "sale", "payout": "12.5", "click_id": "…"]
        ),
    ]

    private static let money: JSONValue = ["amount": "12.5", "currency": "USD"]
    private static let time: JSONValue = "2026-11-20T22:45:36.123456Z"

    private static let problem: JSONValue = [
        "type": "urn:clickrelay:problem:validation", "title": "…", "status": 422,
        "detail": "…", "errors": [["field": "destinations[0].url", "message": "…"]],
    ]

    private static let conversion: JSONValue = [
        "id": "cv12", "click_id": "…", "campaign": "summer", "source": "push", "network": "net",
        "offer": "fit", "event": "sale", "transaction_id": "77", "status": "approved",
        "network_status": "1", "payout": money, "clicked_at": time, "converted_at": time,
        "test": false,
        "revisions": [
            [
                "revision": 1, "status": "pending", "payout": money, "at": time, "postback": 9,
            ]
        ],
    ]

    private static let postback: JSONValue = [
        "id": 9, "received_at": time, "network": "net", "sender": "203.0.113.9",
        "verdict": "accepted", "message": "…", "conversion": "cv12",
        "request": [
            "method": "GET", "target": "/postback/…", "headers": ["Host": "…"], "body": "",
        ],
    ]

    private static let delivery: JSONValue = [
        "id": 4, "conversion": "cv12", "revision": 1, "destination": "push/main",
        "state": "waiting", "reason": "…", "due_at": time,
        "request": ["method": "GET", "url": "…", "headers": ["X": "…"], "body": "…"],
        "attempts": [
            ["at": time, "status": 500, "ms": 12, "error": "…", "excerpt": "…"]
        ],
    ]

    private static let click: JSONValue = [
        "click_id": "…", "campaign": "summer", "source": "push", "external_id": "…", "at": time,
        "cost": money, "vars": ["zone": "39485"], "ip": "203.0.113.9", "user_agent": "…",
        "referrer": "…", "rule": 1, "path": 1, "lander": "quiz", "offer": "fit",
        "visit": "visitor", "device": "mobile", "brand": "Apple", "model": "iPhone", "os": "iOS",
        "os_version": "17.4.1", "browser": "Safari", "browser_version": "17.4.1",
        "in_app": "Instagram", "language": "pt-br",
        "country": "BR", "region": "SP", "city": "São Paulo", "isp": "…", "asn": 64_496,
        "connection_type": "Cellular",
        "location": "https://offer.example/…",
        // `number` is left out: it may be a text, too ("any").
        "lander_clicks": [["at": time, "offer": "fit", "location": "https://offer.example/…"]],
        "conversions": [conversion],
        "postbacks": [postback], "deliveries": [delivery],
    ]

    private static let pause: JSONValue = [
        "id": 3, "destination": "push/main", "host": "source.example", "reason": "…",
    ]

    private static let sampleVisit: JSONValue = [
        "query": "subid=W8d&cost=0.12", "params": ["zone": "39485"], "ip": "203.0.113.9",
        "user_agent": "…", "referrer": "…", "language": "de", "headers": ["X": "…"],
        "host": "go.example", "at": time, "click_id": "…", "flow_version": 3,
        "visits": 1,
        "country": "DE", "region": "BE",
        "city": "Berlin", "isp": "…", "asn": 64_496, "connection_type": "Cellular",
        "conversion": [
            "status": "approved", "event": "sale", "payout": "12.5", "currency": "USD",
            "transaction_id": "77",
        ],
    ]

    private static let simulatedVisit: JSONValue = [
        "campaign": [
            "key": "summer", "name": "…", "archived": false, "source": "push",
            "flow_version": 3, "flow_is_current": true, "redirect": "302",
            "referrer_policy": "strict-origin-when-cross-origin",
        ],
        "visit": [
            "at": time, "click_id": "…", "recorded": true, "counted": true, "visit": "visitor",
            "params": [["name": "zone", "value": "39485"]],
        ],
        "rules": [
            [
                "rule": 1, "result": "condition_failed", "why": "country in US, CA: it is DE",
                "failed": [["condition": "country in US, CA", "value": "DE", "unknown": false]],
                "paths": [simulatedPath],
            ]
        ],
        "paths": [simulatedPath],
        "decision": [
            "rule": 1, "path": 1, "lander": "quiz", "offer": "fit", "why": "…",
            "drawn": ["path": "0.4231", "lander": "0.1", "offer": "0.7"], "flow_version": 3,
        ],
        "recorded": [
            "flow_version": 3, "rule": 1, "path": 1, "lander": "quiz", "offer": "fit",
            "same": true,
        ],
        "caps": [
            [
                "scope": "offer", "name": "fit", "open": true, "limits": ["clicks_per_day": 1000],
                "used": ["clicks_today": 12],
            ]
        ],
        "answer": ["status": 302, "headers": ["Location": "…"], "body": ""],
        "urls": [
            [
                "to": "offer", "key": "fit", "link": "…", "template": "…", "url": "…",
                "empty_tokens": ["{var3}"],
            ]
        ],
        "postback": [
            "network": "net", "method": "GET", "url": "https://t.example/postback/<key>?cid=…",
            "verdict": "accepted", "message": "…",
        ],
        "calls": [
            [
                "destination": "push/main", "sent": true, "why": "…", "delay_seconds": 0,
                "empty_tokens": ["{var3}"],
                "request": ["method": "GET", "url": "…", "headers": ["X": "…"], "body": "…"],
            ]
        ],
    ]

    private static let simulatedPath: JSONValue = [
        "path": 1, "name": "…", "weight": 100, "state": "open", "share": "0.6",
        "landers": [["lander": "quiz", "weight": 100, "state": "open", "share": "1"]],
        "offers": [["offer": "fit", "weight": 100, "state": "open", "share": "1"]],
    ]
}
