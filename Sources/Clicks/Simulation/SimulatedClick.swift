internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// One sample visit on its way.
struct SimulatedClick {
    private let route: Route
    private let flow: Flow
    private let identity: ClickIdentity
    private let sample: SampleVisit
    private let at: Instant
    private let clickID: ClickID
    private let reader: VisitReader
    private var batch = ClickBatch()

    init(
        _ route: Route, _ flow: Flow, _ identity: ClickIdentity, _ sample: SampleVisit,
        _ settings: ClickHandler.Settings, at: Instant, clickID: ClickID
    ) {
        self.route = route
        self.flow = flow
        self.identity = identity
        self.sample = sample
        self.at = at
        self.clickID = clickID
        reader = VisitReader(settings)
    }

    /// Reads the visit as a loop would.
    mutating func read(
        _ http: borrowing Request, _ who: VisitorIdentity, _ visitors: VisitorMemory
    ) {
        reader.read(http, route, rowID: identity.rowID, ip: sample.ip)
        let read = reader.request
        reader.request.recognize(
            sample.recalled?.device.map { ReadDevice($0) } ?? read.told,
            sample.recalled?.visit ?? read.visit,
            sample.place.isEmpty ? read.found : FoundPlace(read.found.place.with(sample.place)))
        if case .some(let cost)? = sample.recalled?.cost { reader.request.recall(cost) }
        if let memory = route.memory, reader.request.visit == .visitor {
            let number = who.visitor(
                http, identity.rowID, ip: reader.request.keptIP,
                userAgent: reader.request.userAgent)
            let key = VisitorKey(number, memory.scope, window: memory.windowSeconds)
            let record = visitors.peek(
                key, at: identity.rowID.instant.seconds, window: memory.windowSeconds)
            reader.request.known = KnownVisitor(
                number: number, key: key,
                record: sample.visits.map { record.with(visits: $0) } ?? record)
        }
        reader.fillWholeSheet(http, route)
    }

    /// What becomes of the visit that was read.
    mutating func result(
        _ campaign: Stored<Campaign>, _ catalog: Catalog, _ place: DomainTable.Place,
        _ signer: OnwardSigner, _ counters: TrafficCounters
    ) -> SimulatedVisit {
        let routing = route.explain(
            flow, identity.rowID, reader.sheet, reader.request.known)
        var choice =
            route.choose(
                identity.rowID, reader.sheet, reader.request.known, takesRoom: false)
            ?? place.fallbackChoice ?? .nowhere
        var end = end(choice, routing)
        let refusal = Self.refusal(campaign, place)
        if let refusal {
            choice = .nowhere
            end = .nowhere(because: refusal.why)
        }
        reader.request.decide(choice)
        reader.request.clickID = clickID
        let row = reader.click(choice, route, in: &batch)
        let click = batch.click(row)
        let answer =
            refusal.map { self.answer($0, at: place, signer) } ?? self.answer(choice, signer)
        return SimulatedVisit(
            clickID: clickID, at: at, ip: sample.ip, visit: reader.request.visit,
            device: reader.request.told.device, place: reader.request.found.place,
            version: route.router.version, routing: routing, end: end, click: click,
            isRecorded: refusal == nil, answer: answer, addresses: addresses(choice, click),
            caps: CapStates.all(of: campaign, flow, catalog, counters, at: identity.rowID.instant))
    }

    // MARK: Where to

    /// Why the request is no click at all.
    private struct Refusal {
        let sentence: String
        let why: String
    }

    private static func refusal(_ campaign: Stored<Campaign>, _ place: DomainTable.Place)
        -> Refusal?
    {
        if case .unknown = place {
            return Refusal(sentence: ClickHandler.unknownHost, why: ClickHandler.unknownHost)
        }
        guard campaign.isArchived else { return nil }
        return Refusal(sentence: ClickHandler.noCampaign, why: "the campaign is archived")
    }

    private func end(_ choice: Choice, _ routing: RoutingExplanation) -> SimulatedVisit.End {
        if let offer = choice.offer {
            let decision = choice.decision
            let decided = route.landing(.any, decision)
            return .path(
                SimulatedVisit.PathEnd(
                    decision: decision,
                    pathName: flow.path(decision.path, ofRule: decision.rule)?.name,
                    lander: choice.lander?.key, offer: offer.key,
                    overflowOf: decided.flatMap { $0.offerID == offer.offerID ? nil : $0.key }))
        }
        let reason =
            routing.decision == nil
            ? "no rule took the visitor, and no default path did"
            : "the campaign's own cap is reached"
        guard choice.url != nil else {
            return .nowhere(because: "\(reason); there is no fallback URL")
        }
        guard route.fallback == nil else { return .fallback(.campaign, because: reason) }
        return .fallback(.domain, because: "\(reason); the campaign has no fallback URL")
    }

    // MARK: Addresses

    private func location(_ url: URLTemplate) -> String {
        var bytes: [UInt8] = []
        reader.request.appendLocation(url, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func addresses(_ choice: Choice, _ click: Click) -> [SimulatedVisit.Address] {
        let kind: SimulatedVisit.Address.Kind =
            choice.lander.map { .lander($0.key) } ?? choice.offer.map { .offer($0.key) }
            ?? .fallback
        guard let url = choice.url else { return [] }
        let first = SimulatedVisit.Address(
            kind, template: url.text, url: location(url),
            emptyTokens: url.emptyTokens(reader.request))
        guard let lander = choice.lander else { return [first] }
        return [first]
            + route.offers(choice.decision).enumerated().map { index, landing in
                let exit = Exit(
                    route: route, landing: landing, url: landing.url, landerID: lander.landerID)
                var bytes: [UInt8] = []
                exit.append(to: &bytes, for: click, clickID)
                return SimulatedVisit.Address(
                    .offer(landing.key), number: index + 1, template: landing.url.text,
                    url: String(decoding: bytes, as: UTF8.self),
                    emptyTokens: landing.url.emptyTokens(exit.values(of: click, clickID)))
            }
    }

    private func answer(_ choice: Choice, _ signer: OnwardSigner) -> SimulatedVisit.Answer {
        guard let url = choice.url else {
            return SimulatedVisit.Answer(refusing: ClickHandler.nowhere)
        }
        return SimulatedVisit.Answer(route.redirect, signer) { bytes in
            reader.request.appendLocation(url, to: &bytes)
        }
    }

    /// As `ClickHandler.answerNoClick`.
    private func answer(
        _ refusal: Refusal, at place: DomainTable.Place, _ signer: OnwardSigner
    ) -> SimulatedVisit.Answer {
        guard case .domain(let domain) = place, let url = domain.fallback else {
            return SimulatedVisit.Answer(refusing: refusal.sentence)
        }
        return SimulatedVisit.Answer(.plain, signer) { url.fill(NoValues(), into: &$0) }
    }
}

extension SimulatedVisit.Answer {
    fileprivate init(
        _ redirect: Redirect, _ signer: OnwardSigner, location: (inout [UInt8]) -> Void
    ) {
        var lines: [UInt8] = []
        var body: [UInt8] = []
        redirect.append(
            depth: ClickHandler.depth, signer, lines: &lines, body: &body, location: location)
        let headers = lines.split(separator: UInt8(ascii: "\n")).map { line in
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            return (
                name: String(decoding: parts.first ?? [], as: UTF8.self),
                // Without the space before it and the line's end.
                value: String(
                    decoding: (parts.count == 2 ? parts[1] : []).dropFirst().dropLast(),
                    as: UTF8.self)
            )
        }
        self.init(
            status: redirect.status, headers: headers,
            body: String(decoding: body, as: UTF8.self))
    }

    /// As `Responder.refuse` does.
    fileprivate init(refusing sentence: String) {
        self.init(
            status: 404,
            headers: [
                ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
            ],
            body: sentence + "\n")
    }
}
