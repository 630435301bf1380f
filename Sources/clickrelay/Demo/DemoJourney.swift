internal import Domain
internal import Glibc
internal import HTTP
internal import Synchronization

/// Walks one visitor through the chain over real sockets and tells every hop.
struct DemoJourney {
    let tracker: String
    let world: DemoWorld
    let api: API
    let narrator: DemoNarrator

    private static let externalID = "W8dQz3-PUSH-4711"
    private static let secondsMax = 15

    /// Returns the click ID.
    ///
    /// - Throws: when a hop did not happen as it should.
    func run() throws(CommandFailure) -> String {
        let clickID = try visit()
        try convert(clickID)
        try awaitSourceCall()
        try showJourney(clickID)
        return clickID
    }

    // MARK: Hops

    private func visit() throws(CommandFailure) -> String {
        narrator.step(
            1, "A visitor presses an ad; the traffic source sends them to the campaign URL")
        let url = tracker + DemoEntities.visit(externalID: Self.externalID)
        let answer = try get(url)
        let location = answer.headers["Location"] ?? ""
        narrator.answer(answer.status, "Location: \(location)")
        let expected = world.offerPage.url + "/land?s2="
        guard answer.status == 302, location.hasPrefix(expected) else {
            throw CommandFailure(.failed, "the campaign URL did not redirect to the offer")
        }
        let clickID = String(location.dropFirst(expected.count).prefix { $0 != "&" })

        narrator.step(2, "The click is on disk; the visitor follows the redirect to the offer")
        let page = try get(location)
        narrator.answer(page.status, "an offer page that knows the click ID \(clickID)")
        guard page.status == 200, String(decoding: page.body, as: UTF8.self).contains(clickID)
        else { throw CommandFailure(.failed, "the offer page did not get the click ID") }
        return clickID
    }

    private func convert(_ clickID: String) throws(CommandFailure) {
        narrator.step(3, "The visitor buys; the affiliate network reports it to the postback URL")
        let answer = try perform(
            "\(world.network.url)/convert?s2=\(API.encoded(clickID))&format=json")
        guard let report = try? JSONValue(parsing: answer.body),
            let url = report["url"]?.stringValue, let status = report["status"]?.int64Value,
            let text = report["answer"]?.stringValue
        else {
            // Whatever it was instead, it was not a report.
            throw CommandFailure(.failed, "the demo's network did not report the conversion")
        }
        narrator.request("GET", url)
        narrator.answer(Int(status), text)
        guard status == 200, let verdict = try? JSONValue(parsing: text),
            verdict["verdict"] == "accepted"
        else { throw CommandFailure(.failed, "the conversion was not accepted") }
    }

    private func awaitSourceCall() throws(CommandFailure) {
        narrator.step(4, "Clickrelay passes it on to the traffic source, with its own click ID")
        let calls = world.state
        let call = try waitFor(
            "the traffic source was not called",
            { () throws(CommandFailure) in
                calls.sourceCalls.withLock { $0.last { $0.externalID == Self.externalID } }
            }
        )
        narrator.request("GET", world.source.url + call.target)
        narrator.answer(200, "OK")
    }

    private func showJourney(_ clickID: String) throws(CommandFailure) {
        let journey = try waitFor(
            "the delivery was not recorded",
            { () throws(CommandFailure) -> JSONValue? in
                let journey = try api.call("GET", "/clicks/\(clickID)")
                let deliveries = journey["deliveries"]?.arrayValue ?? []
                let isDelivered =
                    !deliveries.isEmpty
                    && deliveries.allSatisfy { $0["state"]?.stringValue == "delivered" }
                return isDelivered ? journey : nil
            }
        )
        narrator.title("What Clickrelay knows about this click (clickrelay trace \(clickID))")
        narrator.lines(JourneyView(journey).text)
    }

    // MARK: Helpers

    /// A visitor's request, told.
    private func get(_ url: String) throws(CommandFailure) -> ClientResponse {
        narrator.request("GET", url)
        return try perform(url)
    }

    private func perform(_ url: String) throws(CommandFailure) -> ClientResponse {
        let request: ClientRequest
        do {
            request = try ClientRequest(
                "GET", try URL(url),
                headers: [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) ClickrelayDemo")])
        } catch {
            throw CommandFailure(.failed, "\(url): \(error)")
        }
        switch Client.perform(request) {
        case .success(let answer): return answer
        case .failure(let error): throw CommandFailure(.failed, "\(url): \(error.text)")
        }
    }

    /// Asks again until there is a value, for as long as anybody would watch.
    private func waitFor<Value>(
        _ failure: String, _ value: () throws(CommandFailure) -> Value?
    ) throws(CommandFailure) -> Value {
        for _ in 0..<(Self.secondsMax * 50) {
            if let value = try value() { return value }
            if Signals.isStopPending { throw CommandFailure(.failed, "stopped") }
            usleep(20_000)
        }
        throw CommandFailure(.failed, "\(failure) within \(Self.secondsMax) seconds")
    }
}
