internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// Reads visits, one after another: what each request says, who sent it and from where. One for each
/// event loop, used again for each click.
final class VisitReader {
    let request = CampaignRequest()
    /// What the flow's rules ask for, once `fillSheet` was called.
    let sheet = FactSheet()
    private let places: PlaceFinder
    private let devices = DeviceCache()
    private var rulesByDevice = RuleMemory<ReadDevice>()
    private var rulesByPlace = RuleMemory<FoundPlace>()
    private var visitRules = VisitRules()
    private var visitRulesVersion = -1
    private let settings: ClickHandler.Settings

    init(_ settings: ClickHandler.Settings) {
        self.settings = settings
        places = PlaceFinder(settings.locations)
    }

    func read(_ http: borrowing Request, _ route: Route, rowID: ClickRowID, ip: IPAddress?) {
        request.read(http.query, route)
        let headers = VisitorHeaders(http)
        request.identify(headers, rowID: rowID, ip: ip, settings.ipPolicy)
        let told = devices.device(of: headers.agent)
        request.recognize(
            told, kind(told, headers, ip, at: http.method == .head ? nil : rowID.instant),
            places.place(of: ip))
    }

    /// Who sends a request that is no click.
    func kind(of http: borrowing Request, _ ip: IPAddress?) -> VisitKind {
        let headers = VisitorHeaders(http)
        return kind(
            devices.device(of: headers.agent), headers, ip, at: nil)
    }

    private func kind(
        _ told: ReadDevice, _ headers: VisitorHeaders, _ ip: IPAddress?, at instant: Instant?
    ) -> VisitKind {
        let version = settings.visits.version
        if version != visitRulesVersion {
            visitRules = settings.visits.newest
            visitRulesVersion = version
        }
        return visitRules.kind(told.device, headers.agent, headers.marks, address: ip, at: instant)
    }

    /// Fills in what the flow's rules ask for of the visit that was read last; of its device and
    /// place only what isn't remembered.
    func fillSheet(_ http: borrowing Request, _ route: Route) {
        let router = route.router
        let byDevice = rulesByDevice.rules(of: request.told, router)
        let byPlace = rulesByPlace.rules(of: request.found, router)
        guard let byDevice, let byPlace else {
            fillWholeSheet(http, route)
            if byDevice == nil {
                rulesByDevice.remember(
                    router.rulesLeftByDevice(sheet), of: request.told, router)
            }
            if byPlace == nil {
                rulesByPlace.remember(
                    router.rulesLeftByPlace(sheet), of: request.found, router)
            }
            return
        }
        request.fill(sheet, router.facts[..<router.clickFactCount], of: http)
        sheet.remember(leftByDevice: byDevice, leftByPlace: byPlace)
    }

    /// As `fillSheet`, with all that the rules ask for.
    func fillWholeSheet(_ http: borrowing Request, _ route: Route) {
        request.fill(sheet, route.router.facts[...], of: http)
    }

    /// Of routers that nobody asks any more, nothing needs to be remembered.
    func forgetRules() {
        rulesByDevice.forget()
        rulesByPlace.forget()
    }

    /// The visit that was read last as a click that is sent there, its texts in the batch.
    func click(_ choice: Choice, _ route: Route, in batch: inout ClickBatch) -> NewClick {
        var click = NewClick(
            rowID: request.rowID, campaignID: route.campaignID, flowVersion: route.router.version,
            rule: choice.decision.rule, path: choice.decision.path,
            landerVersion: choice.lander?.versionID,
            offerVersion: choice.offer?.versionID ?? 0, costNanos: request.costNanos,
            currency: request.currency ?? route.currency,
            ip: request.keptIP, visit: request.visit,
            visitor: request.known?.number,
            visitNumber: request.known.map { Int64($0.record.visits) })
        request.keepTexts(of: &click, in: &batch)
        return click
    }
}
