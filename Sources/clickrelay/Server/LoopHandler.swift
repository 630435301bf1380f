internal import Admin
internal import Clicks
internal import Crypto
internal import Domain
internal import HTTP
internal import Postbacks
internal import Store
internal import Visitors

/// One event loop's way from a path to whoever answers it.
// Unchecked: confined to its loop's thread.
final class LoopHandler: RequestHandler, @unchecked Sendable {
    private let services: Tracker.Services
    private let clicks: ClickHandler
    private let landerClicks: LanderClickHandler
    private let directClicks: DirectClickHandler
    private let onward: OnwardHandler
    private let postbacks: PostbackHandler
    private let pixels: PixelHandler
    private let admin: AdminHandler

    /// - Parameter isTrusted: requests come through the control socket and need no token.
    init(_ loop: LoopHandle, _ services: Tracker.Services, isTrusted: Bool) throws(CryptoError) {
        self.services = services
        let settings = ClickHandler.Settings(
            services.configuration, services.visitRules, services.installation.geo)
        let clientAddress = settings.clientAddress
        clicks = try ClickHandler(
            loop: loop, store: services.clickStore, routing: services.routing,
            visitors: services.visitors, rowIDs: services.rowIDs,
            clickIDs: services.installation.clickIDs,
            settings: settings)
        onward = OnwardHandler(OnwardSigner(services.installation.clickIDs))
        landerClicks = LanderClickHandler(
            clicks, lookUps: services.clickLookUps, clickIDs: services.installation.clickIDs,
            ledger: services.installation.ledger,
            redirectsOnFailure: services.configuration.onStorageFailure == .redirect)
        directClicks = DirectClickHandler(
            clicks,
            hasToken: { [ledger = services.installation.ledger] in ledger.hasToken(sha256: $0) },
            publicURL: services.configuration.publicURL)
        let sender: @Sendable (borrowing Request) -> IPAddress? = { request in
            clientAddress.client(of: request)
        }
        postbacks = PostbackHandler(intake: services.postbacks, loop: loop, sender: sender)
        pixels = PixelHandler(intake: services.postbacks, sender: sender)
        admin = AdminHandler(services.api, isTrusted: isTrusted, sender: sender)
    }

    private static let root = Array("/".utf8)
    private static let campaignPrefix = Array("/c/".utf8)
    private static let apiPrefix = Array("/api/".utf8)

    func handle(_ request: borrowing Request, _ responder: Responder) {
        let path = request.path
        if path.starts(with: Self.campaignPrefix) {
            clicks.handle(
                request, key: UnsafeRawBufferPointer(rebasing: path.dropFirst(3)), responder)
        } else if path.elementsEqual(Self.root) {
            clicks.handleRoot(request, responder)
        } else if LanderClickHandler.takes(path: path) {
            landerClicks.handle(request, responder)
        } else if DirectClickHandler.takes(path: path) {
            directClicks.handle(request, responder)
        } else if LanderScript.takes(path: path) {
            LanderScript.handle(request, responder)
        } else if PostbackHandler.takes(path: path) {
            postbacks.handle(request, responder)
        } else if PixelHandler.takes(path: path) {
            pixels.handle(request, responder)
        } else if path.starts(with: Self.apiPrefix) {
            admin.handle(request, responder)
        } else if OnwardHandler.takes(path: path) {
            onward.handle(request, responder)
        } else {
            answerOther(request, responder)
        }
    }

    func handleOversized(
        _ request: borrowing Request, _ oversize: Oversize, _ responder: Responder
    ) -> Bool {
        guard PostbackHandler.takes(path: request.path) else { return false }
        postbacks.handleOversized(request, oversize, responder)
        return true
    }

    func turnEnded() { clicks.turnEnded() }

    func cannotAccept(_ failure: AcceptFailure) {
        let reason =
            switch failure {
            case .tooManyConnections: "raise MAX_CONNECTIONS: so many wait for their answers"
            case .exhausted(let error): "\(error): raise LimitNOFILE or lower MAX_CONNECTIONS"
            }
        services.installation.incidents.report(
            "connections_not_accepted", "reason=\"\(reason)\"")
    }

    private func answerOther(_ request: borrowing Request, _ responder: Responder) {
        switch String(decoding: request.path, as: UTF8.self) {
        case "/healthz": responder.text(200, "ok")
        case "/readyz":
            let reasons = services.unreadiness
            if reasons.isEmpty {
                let recent = services.installation.incidents.recent
                responder.text(
                    200,
                    recent.isEmpty
                        ? "ready" : "ready\nin the last minute:\n" + recent.joined(separator: "\n"))
            } else {
                responder.text(503, reasons.joined(separator: "\n"))
            }
        default: responder.text(404, "there is nothing at this address")
        }
    }
}

extension ClickHandler.Settings {
    init(_ configuration: Configuration, _ visits: SharedVisitRules, _ locations: GeoDirectory) {
        self.init()
        ipPolicy = configuration.ipPolicy
        self.visits = visits
        self.locations = locations
        clientAddress = ClientAddress(trustedProxies: configuration.trustedProxies)
        isSecure =
            configuration.publicURL?.hasPrefix("https:") ?? (configuration.scheme == "https")
    }
}

extension Responder {
    func text(_ status: Int, _ sentence: String) {
        respond(
            status,
            headers: [
                ("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ], body: Array((sentence + "\n").utf8))
    }
}
