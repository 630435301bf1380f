import Domain
import Foundation
import Store
import TestSupport

/// The installation that every simulation begins with, made once for each process: its directory is
/// copied.
enum Template {
    static let start = Instant(micros: 1_795_176_000_000_000)
    static let clickKey = [UInt8](1...16)
    static let postbackKeys = ["update": "k-update", "ignore": "k-ignore", "add": "k-add"]

    /// Names of hosts, as destinations have them.
    static let hosts = ["one.example", "two.example", "three.example"]

    static func make(at path: String) throws {
        let directory = DataDirectory(path: path)
        try directory.create()
        var options = Ledger.Options()
        options.isDriven = true
        options.isFullyDurable = false
        let ledger = try Ledger(directory, options: options, observers: Ledger.Observers())
        let failure = Locked<StoreError?>(nil)
        let entities = try Entities()
        ledger.perform { (tx) throws(StoreError) in
            try tx.addClickKey(clickKey, at: start)
            for source in entities.sources { _ = try tx.put(source, at: start) }
            for network in entities.networks {
                _ = try tx.put(
                    network, newPostbackKey: postbackKeys[network.key.text] ?? "", at: start)
            }
            for offer in entities.offers { _ = try tx.put(offer, at: start) }
            for lander in entities.landers { _ = try tx.put(lander, at: start) }
            for campaign in entities.campaigns { _ = try tx.put(campaign, at: start) }
        } finished: { result in
            if case .failure(let error) = result { failure.with { $0 = error } }
        }
        ledger.turn()
        ledger.stop()
        if let failure = failure.current { throw failure }
    }

    /// A copy of it for one simulation.
    static func copy(_ template: String, to path: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: path + "/clicks", withIntermediateDirectories: true)
        try files.copyItem(atPath: template + "/clickrelay.db", toPath: path + "/clickrelay.db")
    }

    /// What every conversion's destinations are, by the key of the campaign: their names, and what
    /// they are told.
    static let destinations: [String: [ModelDestination]] = [
        "summer": pushed, "quiz": pushed,
        "winter": [
            ModelDestination(
                name: "pop/main", url: "http://one.example/pop", parameters: ["id", "r"]),
            ModelDestination(
                name: "pop/slow", url: "http://three.example/slow",
                parameters: ["id", "v", "r"]),
            ModelDestination(
                name: "campaign:winter/own", url: "http://two.example/own",
                parameters: ["id", "s", "r"], statuses: [.approved, .rejected]),
        ],
    ]

    private static let pushed = [
        ModelDestination(
            name: "push/all", url: "http://one.example/all",
            parameters: ["id", "v", "s", "e", "t", "r"]),
        ModelDestination(
            name: "push/paid", url: "http://two.example/paid", parameters: ["id", "v", "r"],
            statuses: [.approved]),
    ]

    private static let tokens = [
        "id": "{external_id}", "v": "{payout}", "s": "{status}", "e": "{event}", "t": "{txid}",
        "r": "{revision}",
    ]

    private static func document(_ destination: ModelDestination) -> JSONValue {
        let query = destination.parameters.map { "\($0)=\(tokens[$0] ?? "")" }
        return [
            "key": .string(String(destination.name.split(separator: "/")[1])),
            "url": .string(destination.url + "?" + query.joined(separator: "&")),
            "statuses": .array(destination.statuses.map { .string($0.rawValue) }),
        ]
    }

    private struct Entities {
        let sources: [Source]
        let networks: [Network]
        let offers: [Offer]
        let landers: [Lander]
        let campaigns: [Campaign]

        init() throws {
            func destinations(_ campaign: String, _ owner: String) -> JSONValue {
                .array(
                    (Template.destinations[campaign] ?? [])
                        .filter { $0.name.hasPrefix(owner + "/") }.map(Template.document))
            }
            sources = [
                try Source(document: [
                    "key": "push", "external_id_param": "subid",
                    "destinations": destinations("summer", "push"),
                ]),
                try Source(document: [
                    "key": "pop", "external_id_param": "subid",
                    "destinations": destinations("winter", "pop"),
                ]),
            ]
            networks = try ["update", "ignore", "add"].map { key in
                try Network(document: [
                    "key": .string(key), "click_id_param": "s2", "repeat": .string(key),
                ])
            }
            offers = try ["update", "ignore", "add"].map { key in
                var document: [JSONMember] = [
                    JSONMember(name: "key", value: .string("offer-" + key)),
                    JSONMember(name: "network", value: .string(key)),
                    JSONMember(
                        name: "url", value: .string("https://o.example/\(key)?s2={click_id}")),
                ]
                if key == "ignore" {
                    document.append(
                        JSONMember(
                            name: "payout", value: ["amount": "2.5", "currency": "USD"]))
                }
                return try Offer(document: .object(document))
            }
            landers = [
                try Lander(document: ["key": "page", "url": "https://l.example/?cid={click_id}"])
            ]
            campaigns = [
                try Campaign(document: [
                    "key": "summer", "source": "push", "cost": ["model": "cpc", "amount": "0.012"],
                    "flow": ["paths": [["offers": [["offer": "offer-update"]]]]],
                ]),
                try Campaign(document: [
                    "key": "winter", "source": "pop",
                    "destinations": destinations("winter", "campaign:winter"),
                    "flow": [
                        "paths": [
                            [
                                "offers": [
                                    ["offer": "offer-ignore", "weight": 50],
                                    ["offer": "offer-add", "weight": 50],
                                ]
                            ]
                        ]
                    ],
                ]),
                try Campaign(document: [
                    "key": "quiz", "source": "push",
                    "flow": [
                        "paths": [
                            [
                                "landers": [["lander": "page"]],
                                "offers": [["offer": "offer-update"]],
                            ]
                        ]
                    ],
                ]),
            ]
        }
    }
}
