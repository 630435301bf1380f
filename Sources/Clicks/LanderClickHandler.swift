public import Crypto
internal import Domain
public import HTTP
public import Store

/// `/o`, `/o/{n}` and `/o/any` of one loop: a visitor presses a lander's button and goes on to an
/// offer of the click's path.
///
/// The click is read off the loop; the lander click is on disk before the visitor goes on, like a
/// click. A visitor whose click can't be read goes on all the same: the click ID alone says which
/// campaign it is of.
// Unchecked: confined to its loop's thread, on which look-ups end too.
public final class LanderClickHandler: @unchecked Sendable {
    private let clicks: ClickHandler
    private let lookUps: ClickLookUps
    private let clickIDs: ClickIDKeys
    private let ledger: Ledger
    private let redirectsOnFailure: Bool

    private static let prefix = Array("/o".utf8)

    /// - Parameter redirectsOnFailure: visitors go on even where nothing can be recorded.
    public init(
        _ clicks: ClickHandler, lookUps: ClickLookUps, clickIDs: ClickIDKeys, ledger: Ledger,
        redirectsOnFailure: Bool
    ) {
        self.clicks = clicks
        self.lookUps = lookUps
        self.clickIDs = clickIDs
        self.ledger = ledger
        self.redirectsOnFailure = redirectsOnFailure
    }

    /// Whether a request is for this handler.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool {
        path.starts(with: prefix)
            && (path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/"))
    }

    /// - Parameter request: one that `takes(path:)` is true for.
    public func handle(_ request: borrowing Request, _ responder: Responder) {
        let method = request.method
        guard method == .get || method == .head else {
            return responder.refuse(405, "only GET and HEAD", allow: "GET, HEAD")
        }
        guard let number = OfferNumber(pathSuffix: request.path.dropFirst(Self.prefix.count)) else {
            return responder.refuse(
                404, "offers are numbered: /o/1 to /o/\(OfferNumber.max), or /o/any")
        }
        let domain: DomainRoute?
        switch clicks.routes.domains.place(of: request.host) {
        case .anywhere: domain = nil
        case .domain(let known): domain = known
        case .unknown: return responder.refuse(404, ClickHandler.unknownHost)
        }
        let link = LanderLink(request.query)
        let depth = request.path.count > Self.prefix.count ? 1 : 0
        guard let (clickID, identity) = identity(link, cookie: request.header("cookie")) else {
            return handleUnknown(request, link, at: domain, number, depth: depth, responder)
        }
        let now = Instant(micros: request.receivedAtMicros)
        let press = Press(
            id: clicks.rowIDs.next(micros: now.micros), clickID: clickID, identity: identity,
            number: number, depth: depth, isHead: method == .head,
            isLate: ClickStore.isFinished(identity.rowID.day, at: now),
            visit: clicks.kind(of: request))
        lookUps.find(identity.rowID, for: press.id, now: now) { [self] found in
            responder.loop.post { self.goOn(press, found, responder) }
        }
    }

    /// What is left of a request while its click is looked for.
    private struct Press: Sendable {
        let id: ClickRowID
        let clickID: ClickID
        let identity: ClickIdentity
        let number: OfferNumber
        let depth: Int
        let isHead: Bool
        /// The click's day takes nothing any more.
        let isLate: Bool
        let visit: VisitKind

        /// Whoever is no visitor may follow a link, and counts nowhere; a person may come to a lander
        /// that its browser has loaded ahead. Nobody comes by a sample's click ID but who looks where
        /// it leads.
        func counts(_ click: Click?) -> Bool {
            let rowID = identity.rowID
            return visit == .visitor && click?.visit != .bot && click?.visit != .preview
                && rowID != .sample(at: rowID.instant)
        }
    }

    /// The link's own click ID before the cookie's: a visitor may have come twice. One that is not
    /// ours counts as none.
    private func identity(_ link: LanderLink, cookie: UnsafeRawBufferPointer?)
        -> (ClickID, ClickIdentity)?
    {
        var candidates = link.clickIDs
        if let cookie, let clickID = ClickCookie.clickID(in: cookie) { candidates.append(clickID) }
        for clickID in candidates {
            if let identity = clickIDs.open(clickID) { return (clickID, identity) }
        }
        return nil
    }

    /// Of a visitor whose click can't be told: the campaign that the link names takes it, or the
    /// domain's.
    private func handleUnknown(
        _ request: borrowing Request, _ link: LanderLink, at domain: DomainRoute?,
        _ number: OfferNumber, depth: Int, _ responder: Responder
    ) {
        let named = link.campaign.flatMap { key in
            key.withUnsafeBytes { clicks.routes.route($0) }
        }
        guard let route = named ?? domain?.root else {
            return clicks.answerNoClick(
                at: domain,
                else: "whose click this is can't be told: the lander's link needs ?cid= with the "
                    + "click ID, or ?campaign= with the campaign's key", responder)
        }
        clicks.handle(request, route, at: domain, going: number, depth: depth, responder)
    }

    private func goOn(_ press: Press, _ found: ClickLookUps.Found, _ responder: Responder) {
        guard
            let exit = clicks.routes.exit(
                press.number, of: press.identity, found, at: press.id.instant)
        else {
            return responder.refuse(404, "this click's campaign has no offer to send you to")
        }
        func location(_ bytes: inout [UInt8]) {
            exit.append(
                to: &bytes, for: found.click ?? Click(unknown: press.identity), press.clickID)
        }
        let redirect = exit.route.redirect
        if press.isHead || !press.counts(found.click) {
            return responder.respond(
                redirect, depth: press.depth, clicks.signer, location: location)
        }
        var id = press.id
        while found.takenIDs.contains(id) { id = clicks.rowIDs.next(micros: id.instant.micros) }
        let landerClick = LanderClick(
            id: id, clickRowID: press.identity.rowID, campaignID: press.identity.campaignID,
            number: press.number, offerVersion: exit.landing?.versionID ?? 0)
        if press.isLate {
            var address: [UInt8] = []
            location(&address)
            return recordLate(
                landerClick, isFirst: !found.hasLanderClicks, redirect, press.depth, address,
                responder)
        }
        clicks.turn.batch.landerClicks.append(landerClick)
        clicks.turn.append(
            responder, redirect, depth: press.depth, cookie: nil, visitor: nil, location: location)
    }

    /// The file of its click's day is finished: it is kept in the ledger.
    private func recordLate(
        _ landerClick: LanderClick, isFirst: Bool, _ redirect: Redirect, _ depth: Int,
        _ address: [UInt8], _ responder: Responder
    ) {
        let signer = clicks.signer
        let redirectsOnFailure = self.redirectsOnFailure
        ledger.perform { tx throws(StoreError) in
            try tx.insertLate(landerClick, isFirst: isFirst)
        } finished: { result in
            responder.loop.post {
                switch result {
                case .success: break
                case .failure:
                    if !redirectsOnFailure { return responder.askToComeAgain() }
                }
                responder.respond(redirect, depth: depth, signer) {
                    $0.append(contentsOf: address)
                }
            }
        }
    }
}

extension Click {
    /// One that can't be read, by what its click ID says.
    init(unknown identity: ClickIdentity) {
        self.init(
            rowID: identity.rowID, campaignID: identity.campaignID, externalID: nil, cost: nil,
            parameters: [], ip: nil, userAgent: [], referrer: [], path: 0, offerVersion: 0)
    }
}
