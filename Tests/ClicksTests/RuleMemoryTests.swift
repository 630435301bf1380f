import Domain
import TestSupport
import Testing

/// What rules make of a device is worked out once: not for another device, another campaign, or
/// once the flow was changed.
@Suite struct RuleMemoryTests {
    private static let agents = [
        "iOS":
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        "Android":
            "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
        "Windows":
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0",
    ]

    /// Each system has its offer, but for visitors of one zone.
    private static func campaign(_ key: String, _ systems: [String]) -> JSONValue {
        let rules = systems.enumerated().map { index, system in
            [
                "when": ["os": .string(system), "var1": ["not_in": ["7"]]],
                "paths": [["offers": [["offer": .string("offer\(index + 1)")]]]],
            ] as JSONValue
        }
        return [
            "key": .string(key), "source": "src",
            "flow": ["rules": .array(rules), "paths": [["offers": [["offer": "offer4"]]]]],
        ]
    }

    @Test func `each device, campaign and flow is looked at anew`() throws {
        let harness = try ClickHarness()
        defer { harness.stop() }
        try harness.set(offers: (1...4).map { "http://o.example/\($0)?s2={click_id}" })
        let orders = [
            "one": ["iOS", "Android", "Windows"], "two": ["Windows", "iOS", "Android"],
        ]
        for (key, systems) in orders {
            try harness.put(campaign: Self.campaign(key, systems))
        }
        for turn in 0..<3 {
            var orders = orders
            if turn == 2 {
                orders["one"] = ["Android", "Windows", "iOS"]
                try harness.put(campaign: Self.campaign("one", orders["one"] ?? []))
            }
            for (key, systems) in orders {
                for (index, system) in systems.enumerated() {
                    for (zone, offer) in [("1", index + 1), ("7", 4)] {
                        let response = try harness.get(
                            "/c/\(key)?zone=\(zone)",
                            fields: ["User-Agent": Self.agents[system] ?? ""])
                        #expect(
                            response.location?.hasPrefix("http://o.example/\(offer)?") == true,
                            "\(key), \(system), zone \(zone), turn \(turn)")
                    }
                }
            }
        }
    }
}
