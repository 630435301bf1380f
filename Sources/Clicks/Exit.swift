internal import Crypto
internal import Domain
internal import Store

/// Where a visitor goes on to from a lander.
struct Exit {
    let route: Route
    /// Nil: to the campaign's fallback URL.
    let landing: Landing?
    let url: URLTemplate
    let landerID: LanderID?

    /// Appends the address, filled with what the click came with, and the parameters that are
    /// passed on.
    func append(to bytes: inout [UInt8], for click: Click, _ clickID: ClickID) {
        let start = bytes.count
        url.fill(values(of: click, clickID), into: &bytes)
        route.passing?.append(
            click.parametersToPass(
                from: route.source, costIsParameter: route.urlCost != nil),
            toAddressFrom: start, in: &bytes)
    }

    func values(of click: Click, _ clickID: ClickID) -> ClickValues {
        let names = ClickValues.Names(
            campaign: route.campaignKey, sourceID: route.sourceID, networkID: landing?.networkID,
            offerID: landing?.offerID, landerID: landerID, variables: route.variableNames)
        return ClickValues(
            click: click, clickID: clickID, names: names,
            sha256Hex: { Array(SHA256.hex(Array($0)).utf8) })
    }
}

extension RoutingTable {
    /// Nil when there is nowhere to go: the campaign is not known any more, or leads to no offer.
    ///
    /// A number that the click's path doesn't have means the offer that was chosen for the click: a
    /// lander may be older than the flow, and the visitor shall arrive. Of a click that can't be
    /// read, what would be chosen for it now.
    ///
    /// A full offer sends on to its overflow, or where that is full too, to the click's own offer:
    /// that one has counted the visitor already.
    func exit(
        _ number: OfferNumber, of identity: ClickIdentity, _ found: ClickLookUps.Found,
        at instant: Instant
    ) -> Exit? {
        guard let route = route(identity.campaignID) else { return nil }
        let lander = found.click?.landerVersion.flatMap { landerIDs[$0] }
        let landing: Landing?
        if let click = found.click {
            let own = self.landing(ofVersion: click.offerVersion)
            landing = path(found.path, number).flatMap { $0.taking(own, at: instant) } ?? own
        } else {
            let sheet = FactSheet()
            sheet.begin(at: identity.rowID.instant, ip: nil)
            let decision = route.router.decide(identity.rowID, sheet)
            landing = decision.flatMap {
                route.landing(number, $0) ?? route.landing(.any, $0)
            }
        }
        guard let url = landing?.url ?? route.fallback else { return nil }
        return Exit(route: route, landing: landing, url: url, landerID: lander)
    }

    private func path(_ path: Path?, _ number: OfferNumber) -> Landing? {
        guard case .nth(let number) = number, let path, path.offers.indices.contains(number - 1)
        else { return nil }
        return landing(of: path.offers[number - 1].offer)
    }
}

extension Landing {
    /// Where a visitor goes on to whom `own` has counted; nil where this one is full.
    func taking(_ own: Landing?, at instant: Instant) -> Landing? {
        if let own,
            own.offerID == offerID || overflow.contains(where: { $0.offerID == own.offerID })
        {
            return own
        }
        return open(at: instant)?.landing
    }
}
