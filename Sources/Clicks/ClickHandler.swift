public import Crypto
public import Domain
public import HTTP
public import Store
public import Visitors

/// Answers campaign URLs on one event loop: decides, remembers the click for this turn's batch, and
/// redirects once the batch is on disk.
// Unchecked: confined to its loop's thread; what crosses threads is a `Turn`, which nobody changes
// after it was handed over.
public final class ClickHandler: @unchecked Sendable {
    public struct Settings: Sendable {
        public var ipPolicy = IPPolicy.full
        public var clientAddress = ClientAddress(trustedProxies: [])
        /// Visitors reach us over https, so that a cookie can serve a pixel.
        public var isSecure = false
        /// Who counts as a visitor.
        public var visits = SharedVisitRules()
        /// Where visitors are looked up; one that nothing was loaded from knows no place.
        public var locations = GeoDirectory(path: "")

        public init() {}
    }

    private let loop: LoopHandle
    private let store: ClickStore
    private let routing: Routing
    let rowIDs: ClickRowIDs
    private let cipher: ClickIDCipher
    private let identity: VisitorIdentity
    private let visitors: VisitorMemory
    let settings: Settings
    private var table: RoutingTable
    private var tableVersion: Int
    private let visit: VisitReader
    let signer: OnwardSigner
    var turn: Turn
    /// Of a campaign URL's path.
    static let depth = 1

    public init(
        loop: LoopHandle, store: ClickStore, routing: Routing, visitors: VisitorMemory,
        rowIDs: ClickRowIDs, clickIDs: ClickIDKeys, settings: Settings
    ) throws(CryptoError) {
        self.loop = loop
        self.store = store
        self.routing = routing
        self.rowIDs = rowIDs
        self.settings = settings
        tableVersion = routing.version
        table = routing.newest
        visit = VisitReader(settings)
        signer = OnwardSigner(clickIDs)
        self.visitors = visitors
        turn = Turn(signer, visitors)
        identity = try VisitorIdentity(clickIDs)
        cipher = try ClickIDCipher(key: clickIDs.newestKey)
    }

    /// The routes of the newest commit.
    var routes: RoutingTable {
        let version = routing.version
        if version != tableVersion {
            table = routing.newest
            tableVersion = version
            visit.forgetRules()
        }
        return table
    }

    /// - Parameter key: the campaign key, as it stands in the path.
    public func handle(
        _ http: borrowing Request, key: UnsafeRawBufferPointer, _ responder: Responder
    ) {
        let routes = self.routes
        switch routes.domains.place(of: http.host) {
        case .anywhere: handle(http, routes.route(key), at: nil, responder)
        case .domain(let domain): handle(http, routes.route(key), at: domain, responder)
        case .unknown: responder.refuse(404, Self.unknownHost)
        }
    }

    static let unknownHost = "this host is none of this tracker's domains"

    /// A host by itself: its domain's campaign, or fallback URL.
    public func handleRoot(_ http: borrowing Request, _ responder: Responder) {
        switch routes.domains.place(of: http.host) {
        case .domain(let domain): handle(http, domain.root, at: domain, responder)
        case .anywhere: responder.refuse(404, "there is nothing at this address")
        case .unknown: responder.refuse(404, Self.unknownHost)
        }
    }

    /// - Parameter route: nil where there is no such campaign.
    private func handle(
        _ http: borrowing Request, _ route: Route?, at domain: DomainRoute?, _ responder: Responder
    ) {
        let method = http.method
        guard method == .get || method == .head else {
            return responder.refuse(405, "only GET and HEAD", allow: "GET, HEAD")
        }
        guard let route else {
            return answerNoClick(at: domain, else: Self.noCampaign, responder)
        }
        let choice = decide(http, route, at: domain)
        send(choice, choice.url, route, isHead: method == .head, depth: Self.depth, responder)
    }

    /// A lander's link with no click of ours: the visitor came to the lander by another way. It is a
    /// click of this campaign now, and goes on at once.
    func handle(
        _ http: borrowing Request, _ route: Route, at domain: DomainRoute?,
        going number: OfferNumber, depth: Int, _ responder: Responder
    ) {
        var choice = decide(http, route, at: domain)
        switch number {
        // What was decided, an overflow included.
        case .any: break
        case .nth:
            choice.go(to: route.landing(number, choice.decision), at: visit.request.rowID.instant)
        }
        let isHead = http.method == .head
        let rowID = send(
            choice, choice.offer?.url ?? choice.url, route, isHead: isHead, depth: depth, responder)
        if isHead || choice.url == nil || visit.request.visit != .visitor { return }
        turn.batch.landerClicks.append(
            LanderClick(
                id: rowIDs.next(micros: http.receivedAtMicros), clickRowID: rowID,
                campaignID: route.campaignID, number: number,
                offerVersion: choice.offer?.versionID ?? 0))
    }

    /// Records the click, unless it is only asked about, and answers once it is on disk.
    ///
    /// - Parameter url: nil: nothing takes the visitor. The click was paid for, so it is recorded.
    @discardableResult
    private func send(
        _ choice: Choice, _ url: URLTemplate?, _ route: Route, isHead: Bool, depth: Int,
        _ responder: Responder
    ) -> ClickRowID {
        let request = visit.request
        request.decide(choice)
        guard let url else {
            if isHead {
                responder.refuse(404, Self.nowhere)
            } else {
                _ = record(choice, route)
                turn.append(
                    responder, status: 404, headerLines: Self.nowhereLines,
                    body: Array("\(Self.nowhere)\n".utf8))
            }
            return request.rowID
        }
        if isHead {
            request.clickID = nil
            responder.respond(route.redirect, depth: depth, signer) { bytes in
                request.appendLocation(url, to: &bytes)
            }
            return request.rowID
        }
        let clickID = record(choice, route)
        turn.append(
            responder, route.redirect, depth: depth,
            cookie: ClickCookie.kind(isSecure: settings.isSecure, hasLander: choice.lander != nil)
                .map { (clickID, $0) },
            visitor: request.known.map { ($0.number, isSecure: settings.isSecure) }
        ) { bytes in
            request.appendLocation(url, to: &bytes)
        }
        return request.rowID
    }

    static let noCampaign = "there is no such campaign"
    static let nowhere = "this campaign has nowhere to send a visitor now"
    private static let nowhereLines = Array(
        "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n".utf8)

    /// Reads a visit and decides where it goes. Who does not record it then calls `giveBack`.
    func decide(_ http: borrowing Request, _ route: Route, at domain: DomainRoute?) -> Choice {
        let rowID = rowIDs.next(micros: http.receivedAtMicros)
        let ip = clientAddress(http)
        visit.read(http, route, rowID: rowID, ip: ip)
        let request = visit.request
        // Who takes room is who counts on disk: `NewClick.countsTowardsCaps`.
        let counts = http.method != .head && request.visit == .visitor
        if let memory = route.memory, request.visit == .visitor {
            request.known = know(http, memory, counts: counts)
        }
        if route.router.hasRules { visit.fillSheet(http, route) }
        // By `??` each choice would be copied and its references counted.
        if let choice = route.choose(
            rowID, visit.sheet, request.known, takesRoom: counts)
        {
            return choice
        }
        return domain?.fallbackChoice ?? .nowhere
    }

    private func know(
        _ http: borrowing Request, _ memory: RouteMemory, counts: Bool
    ) -> KnownVisitor {
        let number = identity.visitor(
            http, visit.request.rowID, ip: visit.request.keptIP,
            userAgent: visit.request.userAgent)
        let key = VisitorKey(number, memory.scope, window: memory.windowSeconds)
        let second = visit.request.rowID.instant.seconds
        let record =
            counts
            ? visitors.visit(key, at: second, window: memory.windowSeconds)
            : visitors.peek(key, at: second, window: memory.windowSeconds)
        return KnownVisitor(number: number, key: key, record: record)
    }

    /// Undoes what the visit that was decided last has taken.
    func giveBack(_ choice: Choice) {
        choice.taken?.giveBack()
        if let known = visit.request.known { visitors.takeBack(known.key) }
    }

    /// Records a visit that nobody is redirected for.
    /// - Returns: where a redirect would have led, too; nil: nowhere.
    func recordDirect(_ choice: Choice, _ route: Route) -> (ClickID, location: [UInt8]?) {
        visit.request.decide(choice)
        let clickID = record(choice, route)
        guard let url = choice.url else { return (clickID, nil) }
        var location: [UInt8] = []
        visit.request.appendLocation(url, to: &location)
        return (clickID, location)
    }

    /// Adds the visit that was decided last to the turn's batch.
    private func record(_ choice: Choice, _ route: Route) -> ClickID {
        let request = visit.request
        let identity = ClickIdentity(rowID: request.rowID, campaignID: route.campaignID)
        let clickID = ClickID(block: cipher.encrypt(identity.plainBlock))
        request.clickID = clickID
        let turn = turn
        let click = visit.click(choice, route, in: &turn.batch)
        turn.batch.rows.append(click)
        if let taken = choice.taken { turn.taken.append(taken) }
        if let known = request.known, let memory = route.memory {
            remember(known, choice, memory)
        }
        return clickID
    }

    private func remember(_ known: KnownVisitor, _ choice: Choice, _ memory: RouteMemory) {
        turn.counted.append(known.key)
        guard let offer = choice.offer, memory.keepsPlaces else { return }
        visitors.note(
            known.key,
            VisitedPlace(
                flow: memory.flow, second: visit.request.rowID.instant.seconds,
                rule: choice.decision.rule, path: choice.decision.path,
                lander: choice.lander?.landerID, offer: offer.offerID))
    }

    /// Who sends a request that is no click.
    func kind(of http: borrowing Request) -> VisitKind { visit.kind(of: http, clientAddress(http)) }

    /// Hands this turn's clicks to the writer.
    public func turnEnded() {
        guard turn.batch.count > 0 else { return }
        let turn = self.turn
        self.turn = Turn(like: turn)
        let loop = self.loop
        store.store(turn.batch) { outcome in
            loop.post { turn.answer(outcome) }
        }
    }

    func clientAddress(_ http: borrowing Request) -> IPAddress? {
        settings.clientAddress.client(of: http)
    }

    /// Of a visitor whom no campaign takes: nothing is recorded.
    func answerNoClick(at domain: DomainRoute?, else sentence: String, _ responder: Responder) {
        guard let url = domain?.fallback else { return responder.refuse(404, sentence) }
        responder.respond(.plain, depth: Self.depth, signer) { bytes in
            url.fill(NoValues(), into: &bytes)
        }
    }
}

extension Responder {
    /// A short answer in plain text to a request that is no click.
    func refuse(_ status: Int, _ sentence: String, allow: String? = nil) {
        var headers = [
            ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
        ]
        if let allow { headers.append(("Allow", allow)) }
        respond(status, headers: headers, body: Array((sentence + "\n").utf8))
    }

    /// Sends a visitor on at once, without a click that waits for the disk.
    func respond(
        _ redirect: Redirect, depth: Int, _ signer: OnwardSigner, location: (inout [UInt8]) -> Void
    ) {
        var lines: [UInt8] = []
        var body: [UInt8] = []
        redirect.append(depth: depth, signer, lines: &lines, body: &body, location: location)
        lines.withUnsafeBytes { lines in
            body.withUnsafeBytes { respond(redirect.status, headerLines: lines, body: $0) }
        }
    }
}
