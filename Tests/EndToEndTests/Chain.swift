import TestSupport

/// A running tracker with one of everything between a fake traffic source and a fake network.
struct Chain {
    let tracker: TrackerProcess
    let source: FakeTrafficSource
    let network: FakeNetwork

    /// What the chain is made of, as the API's JSON; a test changes what it is about.
    struct Setup {
        let sourceURL: String
        /// Where the data lies; nil: in a directory of its own.
        var directory: TemporaryDirectory?
        var options = TrackerProcess.Options()
        var source: JSON
        var network: JSON = [
            "key": "net", "name": "Net", "click_id_param": "s2", "currency": "USD",
            "status_map": ["1": "approved"],
        ]
        var offer: JSON = [
            "key": "fit", "name": "FitTracker", "network": "net",
            "url": "https://offer.example/land?s2={click_id}",
            "payout": ["amount": "9.99", "currency": "USD"],
        ]
        var moreOffers: [JSON] = []
        var campaign: JSON = [
            "key": "summer", "name": "Summer", "source": "push", "redirect": "302",
            "cost": ["model": "cpc", "amount": "0.012"],
            "flow": ["paths": [["weight": 100, "offers": [["offer": "fit", "weight": 100]]]]],
        ]

        init(sourceURL: String) {
            self.sourceURL = sourceURL
            source = [
                "key": "push", "name": "Push", "external_id_param": "subid", "cost_param": "cost",
                "currency": "USD", "params": ["zone": "var1", "creative": "var2"],
            ]
            destinations = [
                destination("main", "/conv?id={external_id}&value={payout}", ["approved"])
            ]
        }

        var destinations: [JSON] {
            get { source["destinations"].array }
            set { source["destinations"] = .array(newValue) }
        }

        /// A destination at the fake traffic source.
        func destination(
            _ key: String, _ target: String, _ statuses: [String] = [], events: [String] = []
        ) -> JSON {
            [
                "key": .string(key), "method": "GET", "url": .string(sourceURL + target),
                "statuses": .array(statuses.map(JSON.string)),
                "events": .array(events.map(JSON.string)), "allow_private": true,
            ]
        }
    }

    static func start(_ change: (inout Setup) -> Void = { _ in }) throws -> Chain {
        try start(answer: { _, _ in .ok }, change)
    }

    static func start(
        answer: @escaping @Sendable (RecordedRequest, Int) -> FakeTrafficSource.Answer,
        _ change: (inout Setup) -> Void = { _ in }
    ) throws -> Chain {
        let source = try FakeTrafficSource(answer)
        var setup = Setup(sourceURL: source.url)
        change(&setup)
        let tracker = try TrackerProcess.start(setup.options, in: setup.directory)
        try tracker.call("POST", "/sources", setup.source)
        let network = try tracker.call("POST", "/networks", setup.network)
        for offer in [setup.offer] + setup.moreOffers {
            try tracker.call("POST", "/offers", offer)
        }
        try tracker.call("POST", "/campaigns", setup.campaign)
        guard let key = network["postback_key"].string else {
            throw TestFailure("a new network has no postback_key: \(network.text)")
        }
        return Chain(
            tracker: tracker, source: source, network: FakeNetwork(tracker: tracker, key: key))
    }

    /// What a visitor got for opening the campaign URL.
    struct Visit: Sendable {
        let clickID: String
        let location: String
    }

    /// Opens the campaign URL; the click ID is read from the `Location`'s `s2`.
    func visit(_ query: String = "", campaign: String = "summer", idParameter: String = "s2")
        throws -> Visit
    {
        try Chain.visit(
            tracker.get("/c/\(campaign)" + (query.isEmpty ? "" : "?\(query)")), idParameter)
    }

    static func visit(_ response: HTTPResponse, _ idParameter: String = "s2") throws -> Visit {
        guard response.status == 302, let location = response.location else {
            throw TestFailure("no redirect: \(response.status) \(response.text)")
        }
        guard let clickID = response.locationParameter(idParameter), clickID.utf8.count == 26 else {
            throw TestFailure("no click ID in \(location)")
        }
        return Visit(clickID: clickID, location: location)
    }

    /// The API's record of a click and everything that followed.
    func journey(_ clickID: String) throws -> JSON { try tracker.call("GET", "/clicks/\(clickID)") }

    func deliveries(_ clickID: String) throws -> [JSON] { try journey(clickID)["deliveries"].array }

    /// How many attempts of a delivery have ended; one that is under way shows, too.
    static func attempts(of delivery: JSON) -> Int {
        delivery["attempts"].array.filter { !$0["status"].isNull || !$0["error"].isNull }.count
    }

    /// The only delivery of a click, once `condition` holds for it.
    func delivery(
        of clickID: String, within seconds: Double = 20, _ what: String,
        where condition: (JSON) -> Bool
    ) throws -> JSON {
        try eventually(within: seconds, "delivery \(what)") {
            let all = try deliveries(clickID)
            // Not `: nil`, which is JSON's null too, and would end the wait at once.
            guard all.count == 1, condition(all[0]) else { return JSON?.none }
            return all[0]
        }
    }
}

/// Seconds between two RFC 3339 times, to the second's fraction.
func seconds(from: JSON, to: JSON) throws -> Double {
    try secondsSince1970(to) - secondsSince1970(from)
}

/// Reads `2026-11-20T22:45:36.123456Z`, the only form the API writes.
func secondsSince1970(_ time: JSON) throws -> Double {
    guard let text = time.string, text.hasSuffix("Z") else {
        throw TestFailure("not an RFC 3339 time in UTC: \(time.text)")
    }
    let numbers = text.dropLast().split { "-T:".contains($0) }
    guard numbers.count == 6, let year = Int(numbers[0]), let month = Int(numbers[1]),
        let day = Int(numbers[2]), let hour = Int(numbers[3]), let minute = Int(numbers[4]),
        let second = Double(numbers[5])
    else { throw TestFailure("not an RFC 3339 time in UTC: \(text)") }
    // Days by Howard Hinnant's civil-calendar algorithm.
    let shifted = month <= 2 ? year - 1 : year
    let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let ofEra = (shifted % 400) * 365 + (shifted % 400) / 4 - (shifted % 400) / 100 + ofYear
    let days = shifted / 400 * 146_097 + ofEra - 719_468
    return Double(days * 86_400 + hour * 3_600 + minute * 60) + second
}
