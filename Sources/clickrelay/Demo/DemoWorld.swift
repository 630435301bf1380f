internal import Domain
internal import HTTP
internal import Net
internal import Synchronization

/// Everybody around the tracker: the advertiser's offer page, the affiliate network and the traffic
/// source.
final class DemoWorld {
    /// What the fakes and the demo's own thread share.
    final class State: Sendable {
        struct SourceCall: Sendable {
            let externalID: String
            let target: String
        }

        /// The network's postback URL at our tracker, known once the network is set up there.
        let postbackURL = Mutex("")
        /// Calls the traffic source received, the newest last; the oldest are forgotten.
        let sourceCalls = Mutex<[SourceCall]>([])
        /// Hops are told by the fakes themselves once the demo's own walk is over.
        let isLive = Atomic<Bool>(false)

        static let sourceCallsMax = 200
    }

    let state = State()
    let offerPage: DemoPlace
    let network: DemoPlace
    let source: DemoPlace

    static let payout = "12.50"

    init(_ narrator: DemoNarrator) throws(CommandFailure) {
        let state = state
        source = try DemoPlace("source") { _ in Self.source(state, narrator) }
        do {
            network = try DemoPlace("network") { Self.network($0, state, narrator) }
        } catch {
            source.stop()
            throw error
        }
        do {
            let convertURL = network.url + "/convert"
            offerPage = try DemoPlace("offer-page") { _ in Self.offerPage(convertURL) }
        } catch {
            source.stop()
            network.stop()
            throw error
        }
    }

    func stop() {
        offerPage.stop()
        network.stop()
        source.stop()
    }

    // MARK: The advertiser

    private static func offerPage(_ convertURL: String) -> DemoPlace.Answer {
        { request, responder in
            let clickID = request.query.text(named: "s2") ?? ""
            var page = DemoPage("The offer")
            page.paragraph("You were redirected here with the click ID")
            page.code(clickID.isEmpty ? "(none: come through the campaign URL)" : clickID)
            page.paragraph(
                "Press the link to buy. The affiliate network then reports a conversion of "
                    + "\(payout) USD to Clickrelay, with this click ID.")
            page.link("Convert", to: "\(convertURL)?s2=\(API.encoded(clickID))")
            responder.html(request.path == "/land" ? 200 : 404, page)
        }
    }

    // MARK: The affiliate network

    /// Reports a conversion to the tracker and says what it was answered.
    private static func network(_ loop: EventLoop, _ state: State, _ narrator: DemoNarrator)
        -> DemoPlace.Answer
    {
        let client = Client(loop: loop, resolver: Resolver(threadsMax: 1), tls: nil)
        return { request, responder in
            guard request.path == "/convert" else { return responder.html(404, DemoPage("404")) }
            let clickID = request.query.text(named: "s2") ?? ""
            // The order stays the same when the link is pressed twice: the repeat is a duplicate.
            let url =
                state.postbackURL.withLock { $0 } + "?cid=\(API.encoded(clickID))&payout=\(payout)"
                + "&currency=USD&txid=ORDER-\(API.encoded(String(clickID.prefix(6))))"
                + "&status=approved"
            let wantsJSON = request.query.text(named: "format") == "json"
            guard let parsed = try? URL(url), let call = try? ClientRequest("GET", parsed) else {
                // A click ID that makes the URL too long; nothing else in it can be wrong.
                return responder.html(400, DemoPage("That is no click ID"))
            }
            client.send(call) { result in
                let (status, text) =
                    switch result {
                    case .success(let answer):
                        (answer.status, String(decoding: answer.body, as: UTF8.self))
                    case .failure(let error): (0, error.text)
                    }
                if state.isLive.load(ordering: .relaxed) {
                    narrator.live(
                        "The network reports a conversion", "GET", url, "\(status) \(text)")
                }
                if wantsJSON {
                    return responder.json(
                        200,
                        [
                            "url": .string(url), "status": .integer(status),
                            "answer": .string(text),
                        ])
                }
                var page = DemoPage("Thank you for your order")
                page.paragraph("The affiliate network has just called Clickrelay:")
                page.code("GET \(url)")
                page.paragraph("and was answered:")
                page.code("\(status) \(text)")
                responder.html(200, page)
            }
        }
    }

    // MARK: The traffic source

    private static func source(_ state: State, _ narrator: DemoNarrator) -> DemoPlace.Answer {
        { request, responder in
            guard request.path == "/conv" else { return showCalls(state, responder) }
            let call = State.SourceCall(
                externalID: request.query.text(named: "id") ?? "", target: request.target)
            state.sourceCalls.withLock {
                if $0.count >= State.sourceCallsMax { $0.removeFirst() }
                $0.append(call)
            }
            if state.isLive.load(ordering: .relaxed) {
                narrator.live(
                    "Clickrelay tells the traffic source", "GET",
                    "http://\(request.host)\(request.target)", "200 OK")
            }
            responder.respond(
                200, headers: [("Content-Type", "text/plain")], body: Array("OK".utf8))
        }
    }

    private static func showCalls(_ state: State, _ responder: Responder) {
        var page = DemoPage("The traffic source")
        page.paragraph("Conversions that Clickrelay reported here, the newest first:")
        let calls = state.sourceCalls.withLock { $0 }
        if calls.isEmpty { page.paragraph("none yet") }
        for call in calls.reversed() { page.code("GET \(call.target)") }
        responder.html(200, page)
    }
}
