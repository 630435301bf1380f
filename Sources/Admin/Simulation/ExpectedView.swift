internal import Domain
internal import Store

extension Presenter {
    /// What a network is expected to report, and who would be told of it.
    func members(_ expected: ExpectedReport) -> [JSONMember] {
        [
            JSONMember(name: "postback", value: postback(expected)),
            JSONMember(
                name: "calls",
                value: .array(expected.calls.map(call) + expected.notSent.map(Self.notSent))),
        ]
    }

    private func postback(_ expected: ExpectedReport) -> JSONValue {
        let network = expected.network.value
        let query = String(decoding: expected.query, as: UTF8.self)
        return [
            "network": .string(network.key.text), "method": "GET",
            // Whoever knows the key may report conversions.
            "url": .string(services.publicURL("/postback/<key>?\(query)")),
            "signature": network.signature.map(Self.signature) ?? .null,
            "allowed_ips": network.document["allowed_ips"] ?? .null,
            "verdict": .string(expected.verdict.rawValue),
            "message": .string(expected.message),
            "conversion": expected.conversion.map { conversion in
                [
                    "event": .string(conversion.event),
                    "status": .string(conversion.status.rawValue),
                    "network_status": .string(orNull: conversion.networkStatus),
                    "payout": conversion.payout.document,
                    "transaction_id": .string(conversion.transactionID),
                    "cost": conversion.cost?.document ?? .null,
                ]
            } ?? .null,
        ]
    }

    private static func signature(_ rule: SignatureRule) -> JSONValue {
        let time =
            rule.timestampParameter.map {
                ", with the time in seconds since 1970 in \($0), at most \(rule.windowSeconds) s off"
            } ?? ""
        return .string(
            "the query is to be signed: \(rule.parameter) holds the HMAC-SHA256 of all the rest of "
                + "it in hexadecimal digits\(time)")
    }

    private func call(_ call: ExpectedReport.Call) -> JSONValue {
        let delivery = call.delivery
        let secrets = catalog.accountSecrets(of: delivery.destination)
        return [
            "destination": .string(delivery.destination),
            "sent": .bool(delivery.state == .waiting),
            "why": .string(orNull: delivery.reason.map(secrets.masked)),
            "delay_seconds": .integer(call.delaySeconds),
            "paused": held(delivery)?.json ?? .null,
            "empty_tokens": .array(call.emptyTokens.map { .string($0) }),
            "request": request(of: delivery, secrets),
        ]
    }

    private static func notSent(_ notSent: NotSent) -> JSONValue {
        [
            "destination": .string(notSent.destination), "sent": false,
            "why": .string(notSent.reason), "delay_seconds": 0, "paused": .null,
            "empty_tokens": [], "request": .null,
        ]
    }
}
