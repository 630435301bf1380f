internal import Domain
internal import Store

/// What a webhook posts of one revision of a conversion, in the form of Standard Webhooks.
struct WebhookBody {
    let conversion: Conversion
    let clickID: ClickID
    let campaign: EntityKey
    let source: Stored<Source>
    let network: EntityKey?
    let offer: EntityKey?
    /// When the revision was made.
    let at: Instant

    static let contentType = "application/json"

    var bytes: [UInt8] {
        let document: JSONValue = [
            "type": .string(
                conversion.revision == 1 ? "conversion.created" : "conversion.updated"),
            "timestamp": .string(at.rfc3339),
            "data": data,
        ]
        return document.encodedBytes()
    }

    private var data: JSONValue {
        let click = conversion.click
        return [
            "id": .string(conversion.id.description),
            "revision": .integer(conversion.revision),
            "event": .string(conversion.event),
            "transaction_id": conversion.transactionID.isEmpty
                ? .null : .string(conversion.transactionID),
            "status": .string(conversion.status.rawValue),
            "network_status": .string(orNull: conversion.networkStatus),
            "payout": conversion.payout.document,
            "reporting": conversion.reporting.map(\.money.document) ?? .null,
            "clicked_at": .string(click.rowID.instant.rfc3339),
            "converted_at": .string(conversion.convertedAt.rfc3339),
            "click_id": .string(clickID.text),
            "external_id": click.externalID.map(Self.text) ?? .null,
            "campaign": .string(campaign.text),
            "source": .string(source.value.key.text),
            "network": .string(orNull: network?.text),
            "offer": .string(orNull: offer?.text),
            "params": .object(
                conversion.extras.enumerated().compactMap { index, value in
                    value.map { JSONMember(name: "param\(index + 1)", value: .string($0)) }
                }),
            "vars": .object(variables),
        ]
    }

    /// The source's parameters by the names that it gives them.
    private var variables: [JSONMember] {
        source.value.parameters.compactMap { parameter in
            conversion.click.parameters.first { $0.name == parameter.name }
                .map { JSONMember(name: parameter.name, value: Self.text($0.value)) }
        }
    }

    private static func text(_ bytes: [UInt8]) -> JSONValue {
        .string(String(decoding: bytes, as: UTF8.self))
    }
}
