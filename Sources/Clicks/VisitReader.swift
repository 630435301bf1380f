internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// Reads visits, one after another: what each request says, who sent it and from where. One for each
/// event loop, used again for each click.
struct VisitReader {
    var request = CampaignRequest()
    /// What the flow's rules ask for, once `fillSheet` was called.
    private(set) var sheet = FactSheet()
    private var places: PlaceFinder
    private var devices = DeviceCache()
    private var visitRules = VisitRules()
    private var visitRulesSeen = -1
    private let settings: ClickHandler.Settings

    init(_ settings: ClickHandler.Settings) {
        self.settings = settings
        places = PlaceFinder(settings.locations)
    }

    /// - Parameter batch: takes the bytes.
    mutating func read(
        _ http: borrowing Request, _ route: Route, rowID: ClickRowID, ip: IPAddress?,
        into batch: inout ClickBatch
    ) {
        request.read(http.query, route, into: &batch)
        let headers = VisitorHeaders(http)
        request.identify(headers, rowID: rowID, ip: ip, settings.ipPolicy)
        let told = devices.device(of: headers.agent)
        request.recognize(told, kind(told, headers, ip, at: rowID.instant), places.place(of: ip))
    }

    /// Who sends a request that is no click.
    mutating func kind(of http: borrowing Request, _ ip: IPAddress?) -> VisitKind {
        let headers = VisitorHeaders(http)
        return kind(
            devices.device(of: headers.agent), headers, ip,
            at: Instant(micros: http.receivedAtMicros))
    }

    private mutating func kind(
        _ told: ReadDevice, _ headers: VisitorHeaders, _ ip: IPAddress?, at instant: Instant
    ) -> VisitKind {
        settings.visits.refresh(&visitRules, seen: &visitRulesSeen)
        return visitRules.kind(told.device, headers.agent, headers.marks, address: ip, at: instant)
    }

    /// Fills in what the flow's rules ask for of the visit that was read last.
    mutating func fillSheet(_ http: borrowing Request, _ route: Route, in batch: ClickBatch) {
        sheet.begin(at: Instant(micros: http.receivedAtMicros), ip: request.ip)
        for fact in route.router.facts {
            let isKnown = request.append(fact, of: http, in: batch, to: &sheet.bytes)
            sheet.endFact(isKnown: isKnown)
        }
    }

    /// The visit that was read last as a click that is sent there.
    func click(_ choice: Choice, _ route: Route, in batch: inout ClickBatch) -> NewClick {
        NewClick(
            rowID: request.rowID, campaignID: route.campaignID, flowVersion: route.router.version,
            rule: choice.decision.rule, path: choice.decision.path,
            landerVersion: choice.lander?.versionID,
            offerVersion: choice.offer?.versionID ?? 0, costNanos: request.costNanos,
            currency: request.currency ?? route.currency,
            externalID: request.externalID ?? .none,
            ip: request.keptIP,
            userAgent: batch.keep(request.userAgent), referrer: batch.keep(request.referrer),
            parameterNames: request.packNames(in: &batch),
            parameterValues: request.packValues(in: &batch), visit: request.visit,
            device: request.told.packed.withUnsafeBytes { batch.keep($0) },
            place: request.found.packed.withUnsafeBytes { batch.keep($0) },
            visitor: request.known?.number,
            visitNumber: request.known.map { Int64($0.record.visits) })
    }
}
