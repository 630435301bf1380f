internal import Domain

/// Documents from which an entity's schema is made: one that says everything, and one that says
/// only what it must.
struct EntitySamples {
    let full: JSONValue
    let bare: JSONValue

    static let source = EntitySamples(
        full: [
            "key": "push", "name": "Push network", "external_id_param": "subid",
            "cost_param": "cost", "cost_currency_param": "cur", "currency": "USD",
            "params": ["zone": "var1"], "destinations": [destination],
        ], bare: ["key": "push"])

    private static let destination: JSONValue = [
        "key": "main", "method": "POST", "url": "https://source.example/conv?id={external_id}",
        "headers": ["X-Account": "7"], "body": ["value": "{payout}"], "statuses": ["approved"],
        "events": ["sale"], "payout": ["min": "1", "max": "100"], "value": ["percent": "80"],
        "first_only": false, "delay_seconds": 0, "enabled": true, "allow_private": false,
        "oauth": [
            "token_url": "https://oauth2.example/token", "client_id": "i", "client_secret": "c",
            "refresh_token": "r", "scopes": ["s"],
        ],
        "success": [
            "status": [200, 299], "body_contains": "ok",
            "body_json": ["path": "code", "equals": 0],
        ],
    ]

    static let network = EntitySamples(
        full: [
            "key": "net", "name": "Network", "click_id_param": "s2", "payout_unit": "decimal",
            "currency": "USD", "status_map": ["1": "approved"], "default_status": "approved",
            "default_event": "conversion", "ignore_statuses": ["test"], "number_format": "auto",
            "allowed_ips": ["203.0.113.0/24"], "repeat": "update", "strict_statuses": false,
            "strict_events": false, "events": ["sale"], "require_transaction_id": false,
            "always_200": false, "reply": "OK", "parameters": ["cid": ["subid"]],
            "signature": ["secret": "s", "timestamp_parameter": "ts"],
        ], bare: ["key": "net"])

    private static let caps: JSONValue = [
        "conversions_per_day": 100, "conversions_total": 1000, "payout_per_day": "500",
        "payout_total": "5000", "currency": "USD",
    ]

    private static let trafficCaps: JSONValue = [
        "clicks_per_day": 1000, "clicks_total": 50000, "conversions_per_day": 20,
        "conversions_total": 900, "payout_per_day": "250", "payout_total": "9000",
        "currency": "USD", "time_zone": "+01:00",
    ]

    static let offer = EntitySamples(
        full: [
            "key": "fit", "name": "FitTracker", "network": "net",
            "url": "https://offer.example/land?s2={click_id}",
            "payout": ["amount": "9.99", "currency": "USD"], "conversion_window_hours": 720,
            "caps": caps, "traffic_caps": trafficCaps, "overflow_offer": "slim",
        ], bare: ["key": "fit", "network": "net", "url": "https://offer.example/?s2={click_id}"])

    static let lander = EntitySamples(
        full: ["key": "quiz", "name": "Quiz", "url": "https://lp.example/?cid={click_id}"],
        bare: ["key": "quiz", "url": "https://lp.example/"])

    private static let paths: JSONValue = [
        [
            "name": "main", "weight": 100, "enabled": true,
            "landers": [["lander": "quiz", "weight": 100]],
            "offers": [["offer": "fit", "weight": 100]],
        ]
    ]

    private static let cappedPaths: JSONValue = [
        [
            "name": "rest", "weight": 100, "enabled": true,
            "landers": [["lander": "quiz", "weight": 100]],
            "offers": [["offer": "fit", "weight": 100]], "traffic_caps": trafficCaps,
        ]
    ]

    private static let rules: JSONValue = [
        [
            "name": "Europe", "enabled": true, "when": ["language": ["de", "fr"]],
            "schedule": [
                "from": "2026-11-01T00:00", "to": "2026-12-01T00:00", "days": ["mon"],
                "hours": ["09:00-18:00"], "time_zone": "+01:00",
            ], "paths": paths,
        ]
    ]

    static let flow = EntitySamples(
        full: ["key": "main", "name": "Main", "rules": rules, "paths": cappedPaths],
        bare: ["key": "main", "paths": paths])

    static let campaign = EntitySamples(
        full: [
            "key": "summer", "name": "Summer", "source": "push", "redirect": "302",
            "referrer_policy": "strict-origin-when-cross-origin", "pass_params": ["gclid"],
            "cost": ["model": "cpc", "amount": "0.012", "currency": "USD"],
            "destinations": [destination], "flow": ["rules": rules, "paths": cappedPaths],
            "fallback_url": "https://other.example/", "conversion_window_hours": 720, "caps": caps,
            "traffic_caps": trafficCaps,
            "uniqueness": ["scope": "campaign", "window_hours": 24], "rotation": "sticky",
        ], bare: ["key": "summer", "source": "push", "flow": ["paths": paths]])

    static let domain = EntitySamples(
        full: [
            "key": "go", "name": "go.example", "host": "go.example", "campaign": "summer",
            "fallback_url": "https://other.example/",
        ], bare: ["key": "go", "host": "go.example"])
}
