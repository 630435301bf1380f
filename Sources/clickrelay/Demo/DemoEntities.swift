internal import Domain

/// The demo's sample source, network, offer and campaign, made through the API as a user would.
struct DemoEntities {
    static let documents: @Sendable (DemoWorld) -> [(EntityKind, JSONValue)] = { world in
        [
            (
                .source,
                [
                    "key": "pushads", "name": "Push Ads", "external_id_param": "subid",
                    "cost_param": "cost", "currency": "USD",
                    "params": ["zone": "var1", "creative": "var2"],
                    "destinations": [
                        [
                            "key": "main", "method": "GET",
                            "url": .string(
                                world.source.url + "/conv?id={external_id}&value={payout}"),
                            "statuses": ["approved"],
                            // The demo's source is on this machine.
                            "allow_private": true,
                        ]
                    ],
                ]
            ),
            (
                .network,
                [
                    "key": "goodnet", "name": "Good Network", "click_id_param": "s2",
                    "currency": "USD",
                ]
            ),
            (
                .offer,
                [
                    "key": "fit", "name": "FitTracker", "network": "goodnet",
                    "url": .string(world.offerPage.url + "/land?s2={click_id}"),
                    "payout": ["amount": "9.99", "currency": "USD"],
                ]
            ),
            (
                .campaign,
                [
                    "key": "summer", "name": "Summer", "source": "pushads",
                    "cost": ["model": "param"],
                    "flow": [
                        "paths": [["weight": 100, "offers": [["offer": "fit", "weight": 100]]]]
                    ],
                ]
            ),
        ]
    }

    /// What a campaign URL of this source looks like, with the source's own macros filled in.
    static func visit(externalID: String) -> String {
        "/c/summer?subid=\(externalID)&zone=39485&creative=7&cost=0.012"
    }

    /// Makes them; returns the secret part of the network's postback URL.
    static func make(_ world: DemoWorld, _ api: API) throws(CommandFailure) -> String {
        var postbackKey: String?
        for (kind, document) in documents(world) {
            let made = try api.call("POST", kind.path, body: document)
            if kind == .network { postbackKey = made["postback_key"]?.stringValue }
        }
        guard let postbackKey else {
            throw CommandFailure(.failed, "the network has no postback key")
        }
        return postbackKey
    }
}
