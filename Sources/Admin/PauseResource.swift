internal import Domain
internal import Store

/// Destinations and hosts that are not called for now.
///
/// A pause holds from the moment it is answered: no further call begins, those in flight end by
/// themselves, and what waits goes on waiting, without time being counted for giving it up.
enum PauseResource {
    static let routes = [
        Route("GET", "/pauses", list), Route("POST", "/pauses", pause),
        Route("DELETE", "/pauses/{}", resume),
    ]

    /// Those that last.
    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor() ?? 0
        let lasting = call.catalog.pauses.lasting.filter { $0.id > cursor }
        return .done(.page(lasting, limit: limit, cursor: \.id) { $0.json })
    }

    @Sendable private static func pause(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let (scope, reason) = try order(try call.document())
        let destinations = call.catalog.destinations
        return .prepare { reader throws(StoreError) in
            try check(scope, destinations, reader)
            return .write { transaction throws(StoreError) in
                let pause = try transaction.pause(
                    scope, reason: reason, at: call.services.now())
                return .done(APIResponse(pause.json, status: 201))
            }
        }
    }

    @Sendable private static func resume(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        guard let id = Int64(call.parameter()) else {
            throw Problem(.notFound, "there is no pause \"\(call.parameter())\"")
        }
        return .write { transaction throws(StoreError) in
            .done(APIResponse(try transaction.resume(id, at: call.services.now()).json))
        }
    }

    private static func order(_ document: JSONValue) throws(Problem) -> (Pause.Scope, String) {
        guard let members = document.objectValue else { throw Problem("", "must be a JSON object") }
        let known = ["destination", "host", "reason"]
        for member in members where !known.contains(member.name) {
            let nearest = NearestName.suggestion(for: member.name, among: known)
            throw Problem(
                member.name,
                "is not a known field" + (nearest.map { "; did you mean \"\($0)\"?" } ?? ""))
        }
        var reason = ""
        if let value = document["reason"], value != .null {
            guard let text = value.stringValue, text.utf8.count <= Pause.reasonMax,
                !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
            else {
                throw Problem(
                    "reason",
                    "must be a text of at most \(Pause.reasonMax) bytes without control characters")
            }
            reason = text
        }
        switch (document["destination"]?.stringValue, document["host"]?.stringValue) {
        case (let name?, nil): return (.destination(name), reason)
        case (nil, let text?):
            guard let scope = Pause.Scope(host: text) else {
                throw Problem(
                    "host",
                    "must be a host name such as source.example, or an origin such as "
                        + "https://source.example:8443")
            }
            return (scope, reason)
        case (nil, nil), (.some, .some):
            throw Problem(
                "destination", "either this or \"host\" must be given, as a text, and not both")
        }
    }

    /// A name that is mistyped would hold nothing, and nobody would notice.
    private static func check(
        _ scope: Pause.Scope, _ destinations: [String: Destination], _ reader: LedgerReader
    ) throws(StoreError) {
        switch scope {
        case .destination(let name):
            if destinations[name] != nil { return }
            if try reader.hasDeliveries(destination: name) { return }
            let nearest = NearestName.suggestion(for: name, among: Array(destinations.keys))
            throw .invalid(
                ValidationError(
                    "destination",
                    "there is no destination \"\(name)\""
                        + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")))
        case .host(let host):
            let one = Pauses([
                Pause(
                    id: 0, scope: scope, reason: "", pausedAt: Instant(micros: 0), resumedAt: nil)
            ])
            let origins = destinations.values.map(\.url.origin)
            if origins.contains(where: { one.holds(origin: $0) }) { return }
            if try reader.waitingOrigins().contains(where: { one.holds(origin: $0) }) { return }
            throw .invalid(
                ValidationError(
                    "host", "no destination is at \"\(host)\", and nothing waits for it"))
        }
    }
}

extension Pause {
    var json: JSONValue {
        let (destination, host): (JSONValue, JSONValue) =
            switch scope {
            case .destination(let name): (.string(name), .null)
            case .host(let host): (.null, .string(host))
            }
        return [
            "id": .integer(id), "destination": destination, "host": host,
            "reason": reason.isEmpty ? .null : .string(reason), "paused_at": pausedAt.json,
            "resumed_at": resumedAt?.json ?? .null,
        ]
    }
}
