internal import Crypto
internal import Domain
public import HTTP
internal import Store

/// `/api/click` of one loop: a visit that did not come through a campaign URL is a click too, and is
/// answered with its decision as JSON, once it is on disk.
///
/// Pages call it from browsers (`/t.js`), so it is open to every origin, without cookies and
/// without a token. Only who holds an API token may say whose address the visitor has.
// Unchecked: confined to its loop's thread.
public final class DirectClickHandler: @unchecked Sendable {
    private let clicks: ClickHandler
    private let hasToken: @Sendable (_ sha256: [UInt8]) -> Bool
    private let publicURL: String?
    private let maker = RequestMaker()

    private static let path = Array("/api/click".utf8)
    private static let form = Array("application/x-www-form-urlencoded".utf8)

    /// - Parameters:
    ///   - hasToken: whether the API token with this digest is valid.
    ///   - publicURL: where visitors reach us; nil: where this call did.
    public init(
        _ clicks: ClickHandler, hasToken: @escaping @Sendable (_ sha256: [UInt8]) -> Bool,
        publicURL: String?
    ) {
        self.clicks = clicks
        self.hasToken = hasToken
        self.publicURL = publicURL
    }

    /// Whether a request is for this handler.
    public static func takes(path: UnsafeRawBufferPointer) -> Bool { path.elementsEqual(Self.path) }

    /// - Parameter request: one that `takes(path:)` is true for.
    public func handle(_ request: borrowing Request, _ responder: Responder) {
        let domain: DomainRoute?
        switch clicks.routes.domains.place(of: request.host) {
        case .anywhere: domain = nil
        case .domain(let known): domain = known
        case .unknown:
            return Self.refuse(404, "not-found", ClickHandler.unknownHost, responder)
        }
        guard request.body.count <= DirectClick.bodyBytesMax else {
            return Self.refuse(
                413, "too-large",
                "a visit is told in at most \(DirectClick.bodyBytesMax) bytes", responder)
        }
        let told: DirectClick
        do throws(ValidationError) {
            switch request.method {
            case .get: told = try DirectClick(query: request.query)
            case .post: told = try Self.body(of: request)
            case .options: return Self.preflight(responder)
            case .head, .put, .patch, .delete, .other:
                return Self.refuse(
                    405, "method-not-allowed", "use GET, or POST with JSON or a form", responder,
                    headers: [("Allow", "GET, POST, OPTIONS")])
            }
        } catch {
            return Self.refuse(error, responder)
        }
        let key = Array(told.campaign.text.utf8)
        guard let route = key.withUnsafeBytes({ clicks.routes.route($0) }) else {
            return Self.refuse(
                404, "not-found", "there is no campaign \"\(told.campaign)\"", responder)
        }
        if told.ip != nil, !isTrusted(request) {
            return Self.refuse(
                401, "unauthorized",
                "only with \"Authorization: Bearer\" and an API token may a call say whose address "
                    + "the visitor has (ip)", responder,
                headers: [("WWW-Authenticate", "Bearer")])
        }
        let origin = origin(request)
        var ip = told.ip
        if ip == nil { ip = clicks.clientAddress(request) }
        let made: Void? = maker.withRequest(
            target: Array("/c/\(told.campaign)?".utf8) + told.query,
            fields: fields(of: request, told),
            peerAddress: ip?.bits,
            receivedAtMicros: request.receivedAtMicros
        ) { visit in
            answer(visit, told, route, at: domain, origin: origin, responder)
        }
        if made == nil {
            Self.refuse(
                ValidationError("params", "and headers make no request that could be sent"),
                responder)
        }
    }

    private static func body(of request: borrowing Request) throws(ValidationError) -> DirectClick {
        // curl calls a form whatever it sends.
        if request.body.first != UInt8(ascii: "{"), let type = request.header("content-type"),
            type.prefix(form.count).map({ $0 | 0x20 }).elementsEqual(form.map { $0 | 0x20 })
        {
            return try DirectClick(query: request.body)
        }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: Array(request.body))
        } catch {
            throw ValidationError("", "is no JSON: \(error)")
        }
        return try DirectClick(document: document)
    }

    private func isTrusted(_ request: borrowing Request) -> Bool {
        let scheme = Array("bearer ".utf8)
        guard let value = request.header("authorization"), value.count > scheme.count,
            zip(value, scheme).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
        else { return false }
        return hasToken(SHA256.digest(Array(value[scheme.count...])))
    }

    /// What the visitor's browser sent: told, or else that of the call itself, where the visitor
    /// makes it.
    private func fields(of request: borrowing Request, _ told: DirectClick)
        -> [(name: [UInt8], value: [UInt8])]
    {
        var fields = told.fields.map { (name: Array($0.name.utf8), value: Array($0.value.utf8)) }
        if told.ip != nil { return fields }
        var names = Set(told.fields.map { Array($0.name.utf8).map { $0 | 0x20 } })
        // The call's own business, not the visit's; and the page that calls is no referrer: it is
        // the one that the visitor is on.
        for name in [
            "host", "authorization", "cookie", "content-length", "content-type", "referer",
            "origin",
            "connection", "transfer-encoding", "expect", "x-forwarded-for",
        ] { names.insert(name.utf8.map { $0 | 0x20 }) }
        for index in 0..<request.headerCount {
            let name = Array(request.headerName(at: index))
            if names.contains(name.map { $0 | 0x20 }) { continue }
            fields.append((name, Array(request.headerValue(at: index))))
        }
        return fields
    }

    private func answer(
        _ visit: borrowing Request, _ told: DirectClick, _ route: Route, at domain: DomainRoute?,
        origin: String, _ responder: Responder
    ) {
        var choice = clicks.decide(visit, route, at: domain)
        if let key = told.lander {
            guard let lander = clicks.routes.lander(of: key) else {
                clicks.giveBack(choice)
                return Self.refuse(
                    ValidationError("lander", "there is no lander \"\(key)\""), responder)
            }
            choice.lander = lander
            choice.url = lander.url
        }
        let (clickID, location) = clicks.recordDirect(choice, route)
        guard let location else {
            let problem = Self.problem(
                404, "not-found", "\(ClickHandler.nowhere); the click is recorded")
            return clicks.turn.append(
                responder, status: 404, headerLines: Self.problemLines,
                body: Array(problem.encoded().utf8))
        }
        let offers = route.offers(choice.decision)
        let body: JSONValue = [
            "click_id": .string(clickID.text),
            "campaign": .string(told.campaign.text),
            "rule": choice.decision.rule == 0 ? .null : .integer(choice.decision.rule),
            "path": .integer(choice.decision.path),
            "lander": .string(orNull: choice.lander?.key.text),
            "offer": .string(orNull: choice.offer?.key.text),
            "location": .string(String(decoding: location, as: UTF8.self)),
            "offers": .array(
                offers.enumerated().map { index, offer in
                    [
                        "number": .integer(index + 1), "offer": .string(offer.key.text),
                        "url": .string("\(origin)/o/\(index + 1)?cid=\(clickID.text)"),
                    ]
                }),
            "cookie": [
                "name": .string(ClickCookie.name), "max_age": .integer(ClickCookie.maxAgeSeconds),
            ],
        ]
        clicks.turn.append(
            responder, status: 200, headerLines: Self.headerLines, body: Array(body.encoded().utf8))
    }

    /// Where visitors reach us: `https://t.example`.
    private func origin(_ request: borrowing Request) -> String {
        if let publicURL {
            return publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
        }
        let scheme = clicks.settings.isSecure ? "https" : "http"
        return "\(scheme)://\(String(decoding: request.host, as: UTF8.self))"
    }

    // MARK: Answers

    private static let crossOrigin = [
        ("Access-Control-Allow-Origin", "*"), ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]

    private static let headerLines = lines("application/json")
    private static let problemLines = lines("application/problem+json")

    private static func lines(_ type: String) -> [UInt8] {
        Array(
            (crossOrigin + [("Content-Type", type)]).map { "\($0): \($1)\r\n" }.joined().utf8)
    }

    /// Who sends another content type or a token from a page asks first (Fetch standard, "CORS-
    /// preflight fetch").
    private static func preflight(_ responder: Responder) {
        responder.respond(
            204,
            headers: crossOrigin + [
                ("Access-Control-Allow-Methods", "GET, POST"),
                ("Access-Control-Allow-Headers", "Content-Type"),
                ("Access-Control-Max-Age", "86400"),
            ], body: [])
    }

    private static func refuse(_ error: ValidationError, _ responder: Responder) {
        let detail = error.errors
            .map { $0.field.isEmpty ? "the body \($0.message)" : "\($0.field) \($0.message)" }
            .joined(separator: "; ")
        refuse(422, "validation", detail, responder, errors: error.errors)
    }

    private static func refuse(
        _ status: Int, _ kind: String, _ detail: String, _ responder: Responder,
        errors: [FieldError] = [], headers: [(String, String)] = []
    ) {
        responder.respond(
            status,
            headers: crossOrigin + [("Content-Type", "application/problem+json")] + headers,
            body: Array(problem(status, kind, detail, errors).encoded().utf8))
    }

    /// As the administration API refuses (RFC 9457).
    private static func problem(
        _ status: Int, _ kind: String, _ detail: String, _ errors: [FieldError] = []
    ) -> JSONValue {
        var members = [
            JSONMember(name: "type", value: .string("urn:clickrelay:problem:\(kind)")),
            JSONMember(name: "title", value: "This visit can't be sent on"),
            JSONMember(name: "status", value: .integer(status)),
            JSONMember(name: "detail", value: .string(detail)),
        ]
        if !errors.isEmpty {
            members.append(
                JSONMember(
                    name: "errors",
                    value: .array(
                        errors.map {
                            ["field": .string($0.field), "message": .string($0.message)]
                        })))
        }
        return .object(members)
    }
}
