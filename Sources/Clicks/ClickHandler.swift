public import Crypto
public import Domain
public import HTTP
public import Store

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

        public init() {}
    }

    private let loop: LoopHandle
    private let store: ClickStore
    private let routing: Routing
    private let rowIDs: ClickRowIDs
    private let cipher: ClickIDCipher
    private let settings: Settings
    private var table: RoutingTable?
    private var tableSeen = -1
    private var request = CampaignRequest()
    private var sheet = FactSheet()
    private let signer: OnwardSigner
    private var turn: Turn
    /// Of a campaign URL's path.
    private static let depth = 1

    public init(
        loop: LoopHandle, store: ClickStore, routing: Routing, rowIDs: ClickRowIDs,
        clickIDs: ClickIDKeys, settings: Settings
    ) throws(CryptoError) {
        self.loop = loop
        self.store = store
        self.routing = routing
        self.rowIDs = rowIDs
        self.settings = settings
        signer = OnwardSigner(clickIDs)
        turn = Turn(signer)
        cipher = try ClickIDCipher(key: clickIDs.newestKey)
    }

    /// - Parameter key: the campaign key, as it stands in the path.
    public func handle(
        _ http: borrowing Request, key: UnsafeRawBufferPointer, _ responder: Responder
    ) {
        routing.refresh(&table, seen: &tableSeen)
        switch table?.domains.place(of: http.host) {
        case .anywhere: handle(http, table?.route(key), at: nil, responder)
        case .domain(let domain): handle(http, table?.route(key), at: domain, responder)
        case .unknown, nil: responder.refuse(404, Self.unknownHost)
        }
    }

    private static let unknownHost = "this host is none of this tracker's domains"

    /// A host by itself: its domain's campaign, or fallback URL.
    public func handleRoot(_ http: borrowing Request, _ responder: Responder) {
        routing.refresh(&table, seen: &tableSeen)
        switch table?.domains.place(of: http.host) {
        case .domain(let domain): handle(http, domain.root, at: domain, responder)
        case .anywhere: responder.refuse(404, "there is nothing at this address")
        case .unknown, nil: responder.refuse(404, Self.unknownHost)
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
        guard let route else { return answerNoClick(at: domain, responder) }
        request.read(http.query, route, into: &turn.batch)
        let rowID = rowIDs.next(micros: http.receivedAtMicros)
        let ip = clientAddress(http)
        request.identify(http, rowID: rowID, ip: ip)
        if route.router.hasRules { fillSheet(http, route, ip) }
        guard let choice = route.choose(rowID, sheet) ?? domain?.fallbackChoice else {
            return responder.refuse(404, "this campaign has nowhere to send you now")
        }
        request.decide(choice)
        if method == .head {
            request.clickID = nil
            answerHead(route, choice.url, responder)
            return
        }
        let identity = ClickIdentity(rowID: rowID, campaignID: route.campaignID)
        let clickID = ClickID(block: cipher.encrypt(identity.plainBlock))
        request.clickID = clickID
        turn.batch.rows.append(
            NewClick(
                rowID: rowID, campaignID: route.campaignID, flowVersion: route.router.version,
                rule: choice.decision.rule, path: choice.decision.path,
                landerVersion: choice.lander?.versionID,
                offerVersion: choice.offer?.versionID ?? 0, costNanos: request.costNanos,
                currency: request.currency ?? route.currency,
                externalID: request.externalID ?? .none,
                ip: settings.ipPolicy.apply(to: ip),
                userAgent: turn.batch.keep(request.userAgent),
                referrer: turn.batch.keep(request.referrer),
                parameterNames: request.packNames(in: &turn.batch),
                parameterValues: request.packValues(in: &turn.batch)))
        turn.append(
            responder, route.redirect, depth: Self.depth,
            cookie: settings.isSecure ? clickID : nil
        ) { bytes in
            request.appendLocation(choice.url, in: turn.batch, to: &bytes)
        }
    }

    private func fillSheet(
        _ http: borrowing Request, _ route: Route, _ ip: IPAddress?
    ) {
        sheet.begin(at: Instant(micros: http.receivedAtMicros), ip: ip)
        for fact in route.router.facts {
            let isKnown = request.append(fact, of: http, in: turn.batch, to: &sheet.bytes)
            sheet.endFact(isKnown: isKnown)
        }
    }

    /// Hands this turn's clicks to the writer.
    public func turnEnded() {
        guard !turn.batch.rows.isEmpty else {
            // HEAD requests leave bytes but no rows.
            turn.batch.arena.removeAll(keepingCapacity: true)
            return
        }
        let turn = self.turn
        self.turn = Turn(like: turn)
        let loop = self.loop
        store.store(turn.batch) { outcome in
            loop.post { turn.answer(outcome) }
        }
    }

    private func clientAddress(_ http: borrowing Request) -> IPAddress? {
        let peer = http.peerAddress.map { IPAddress(bits: $0) }
        guard settings.clientAddress.usesForwardedFor else { return peer }
        return settings.clientAddress.client(
            peer: peer, forwardedFor: http.headers("x-forwarded-for"))
    }

    /// Of a visitor whom no campaign takes: nothing is recorded.
    private func answerNoClick(at domain: DomainRoute?, _ responder: Responder) {
        guard let url = domain?.fallback else {
            return responder.refuse(404, "there is no such campaign")
        }
        answer(.plain, responder) { bytes in url.fill(NoValues(), into: &bytes) }
    }

    private func answerHead(_ route: Route, _ url: URLTemplate, _ responder: Responder) {
        answer(route.redirect, responder) { bytes in
            request.appendLocation(url, in: turn.batch, to: &bytes)
        }
    }

    /// Without a click that waits for the disk.
    private func answer(
        _ redirect: Redirect, _ responder: Responder, location: (inout [UInt8]) -> Void
    ) {
        var lines: [UInt8] = []
        var body: [UInt8] = []
        redirect.append(depth: Self.depth, signer, lines: &lines, body: &body, location: location)
        lines.withUnsafeBytes { lines in
            body.withUnsafeBytes { body in
                responder.respond(redirect.status, headerLines: lines, body: body)
            }
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
}
