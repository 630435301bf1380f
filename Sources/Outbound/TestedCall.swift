internal import Domain
internal import HTTP

/// What there was to see of a test call.
struct TestedCall {
    let delivery: Delivery
    /// As sent; empty when nothing was.
    var headers: [(name: String, value: String)] = []
    var report: CallReport?
    var response: ClientResponse?
    var redirects: [Redirect] = []
    var isAccepted = false
    /// Why it isn't accepted.
    var reason: String?

    /// Where an answer points instead of answering.
    struct Redirect {
        let status: Int
        let location: String
        /// What the location means there; nil when it's no address.
        var url: String?
        var addresses: [CallReport.Address] = []
        /// The status of a call there.
        var answered: Int?
        /// Why there was none.
        var error: String?

        init(status: Int, location: String) {
            self.status = status
            self.location = location
        }
    }

    init(_ delivery: Delivery) { self.delivery = delivery }

    var json: JSONValue {
        let request = delivery.request
        return [
            "destination": .string(delivery.destination),
            "accepted": .bool(isAccepted),
            "reason": .string(orNull: reason),
            "request": [
                "method": .string(request.method.rawValue), "url": .string(request.url),
                "headers": Self.headers(
                    headers.map { ($0.name, SecretHeader.shown($0.name, $0.value)) }),
                "body": .string(orNull: request.body.map { Self.text($0) }),
            ],
            "addresses": Self.json(report?.addresses ?? []),
            "connected_to": .string(orNull: report?.connectedTo),
            "tls": report?.tls.map(Self.json) ?? .null,
            "redirects": .array(redirects.map(Self.json)),
            "response": response.map(Self.json) ?? .null,
            "ms": [
                "resolve": Self.milliseconds(report?.resolveNanos),
                "connect": Self.milliseconds(report?.connectNanos),
                "tls": Self.milliseconds(report?.handshakeNanos),
                "first_byte": Self.milliseconds(report?.firstByteNanos),
                "total": Self.milliseconds(report?.totalNanos),
            ],
        ]
    }

    private static func json(_ tls: CallReport.TLS) -> JSONValue {
        [
            "version": .string(orNull: tls.version), "cipher": .string(orNull: tls.cipher),
            "verified": .bool(tls.problem == nil), "problem": .string(orNull: tls.problem),
            "certificate": tls.certificate.map { certificate in
                [
                    "subject": .string(certificate.subject),
                    "issuer": .string(certificate.issuer),
                    "names": .array(certificate.names.map { .string($0) }),
                    "not_before": time(certificate.notBefore),
                    "not_after": time(certificate.notAfter),
                ]
            } ?? .null,
        ]
    }

    /// A date that nobody can write is shown as none.
    private static func time(_ seconds: Int64?) -> JSONValue {
        guard let seconds, (0...253_402_300_799).contains(seconds) else { return .null }
        return .string(Instant(micros: seconds * 1_000_000).rfc3339)
    }

    private static func json(_ addresses: [CallReport.Address]) -> JSONValue {
        .array(
            addresses.map {
                ["address": .string($0.text), "refused": .string(orNull: $0.refusal)]
            })
    }

    private static func json(_ redirect: Redirect) -> JSONValue {
        [
            "status": .integer(redirect.status), "location": .string(redirect.location),
            "url": .string(orNull: redirect.url), "addresses": json(redirect.addresses),
            "answered": redirect.answered.map { .integer($0) } ?? .null,
            "error": .string(orNull: redirect.error),
        ]
    }

    private static func json(_ response: ClientResponse) -> JSONValue {
        let body = response.body.prefix(Attempt.excerptMax)
        return [
            "status": .integer(response.status), "reason": .string(response.reason),
            "headers": headers(response.headers.map { ($0.name, $0.value) }),
            "body": .string(text(Array(body))),
            "body_bytes": .integer(response.bodyBytesRead),
            "truncated": .bool(response.isTruncated || response.bodyBytesRead > body.count),
        ]
    }

    /// One member a name: a list where there are more (RFC 9110 section 5.2).
    private static func headers(_ fields: [(name: String, value: String)]) -> JSONValue {
        var members: [JSONMember] = []
        for field in fields {
            let name = field.name.lowercased()
            if let place = members.firstIndex(where: { $0.name.lowercased() == name }),
                let before = members[place].value.stringValue
            {
                members[place].value = .string("\(before), \(field.value)")
            } else {
                members.append(JSONMember(name: field.name, value: .string(field.value)))
            }
        }
        return .object(members)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// With its microseconds.
    private static func milliseconds(_ nanos: UInt64?) -> JSONValue {
        guard let nanos else { return .null }
        let micros = nanos / 1000
        let fraction = String(1000 + micros % 1000).dropFirst()
        return .number("\(micros / 1000).\(fraction)")
    }
}
