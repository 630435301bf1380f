internal import Crypto
internal import Domain
internal import HTTP
internal import Store

/// Renders what destinations are told of a conversion's newest revision, as it will be sent.
struct DeliveryRenderer {
    private let click: ClickValues
    private let conversion: Conversion
    private let webhook: WebhookBody

    /// Of a rendered address (no longer one can be called), and of a rendered body: a visitor
    /// chooses how long some values are.
    static let urlBytesMax = URL.bytesMax
    static let bodyBytesMax = 262_144

    init(
        _ conversion: Conversion, clickID: ClickID, campaign: EntityKey,
        source: Stored<Source>, catalog: Catalog, at: Instant
    ) {
        self.conversion = conversion
        let names = ClickValues.Names(
            campaign: campaign, sourceID: source.id, networkID: conversion.networkID,
            offerID: conversion.offerID,
            landerID: conversion.click.landerVersion.flatMap {
                catalog.landerVersions[$0]?.landerID
            },
            variables: catalog.variables(of: source.value))
        click = ClickValues(
            click: conversion.click, clickID: clickID, names: names,
            sha256Hex: { Array(SHA256.hex(Array($0)).utf8) })
        webhook = WebhookBody(
            conversion: conversion, clickID: clickID, campaign: campaign, source: source,
            network: catalog.networks[conversion.networkID]?.value.key,
            offer: catalog.offers[conversion.offerID]?.value.key, at: at)
    }

    func delivery(to destination: Destination, named name: String) -> NewDelivery {
        let values = values(for: destination)
        var url: [UInt8] = []
        destination.url.fillDroppingEmpty(values, into: &url)
        var body: [UInt8]?
        switch destination.kind {
        case .postback:
            if let template = destination.body {
                var bytes: [UInt8] = []
                template.fill(values, into: &bytes)
                body = bytes
            }
        case .webhook: body = webhook.bytes
        }
        var deadReason: String?
        if destination.needsExternalID, conversion.click.externalID?.isEmpty ?? true {
            deadReason =
                "the click came without an external ID: check the source's external_id_param "
                + "and its campaign URL"
        } else if url.count > Self.urlBytesMax {
            deadReason = "the URL is longer than \(Self.urlBytesMax) bytes"
        } else if let count = body?.count, count > Self.bodyBytesMax {
            deadReason = "the body is longer than \(Self.bodyBytesMax) bytes"
        }
        let request = OutboundRequest(
            origin: destination.url.origin, method: destination.method,
            // What is too long is never sent: its start is enough to see what it was.
            url: String(decoding: url.prefix(Self.urlBytesMax), as: UTF8.self),
            headers: headers(of: destination, values),
            body: body.map { Array($0.prefix(Self.bodyBytesMax)) },
            success: destination.success, allowsPrivate: destination.allowsPrivate,
            auth: destination.auth)
        return NewDelivery(
            destination: name, request: request, deadReason: deadReason,
            delaySeconds: destination.delaySeconds)
    }

    /// The destination's tokens that have no value, as `{name}`.
    func emptyTokens(of destination: Destination) -> [String] {
        destination.emptyTokens(values(for: destination))
    }

    private func values(for destination: Destination) -> ConversionValues {
        ConversionValues(
            conversion: conversion, click: click,
            payout: destination.value.value(of: conversion.payout))
    }

    private func headers(of destination: Destination, _ values: ConversionValues)
        -> [OutboundRequest.Header]
    {
        var headers: [OutboundRequest.Header] = []
        var hasContentType = false
        for header in destination.headers {
            var value: [UInt8] = []
            header.value.fill(values, as: .line, into: &value)
            headers.append(
                OutboundRequest.Header(
                    name: header.name, value: String(decoding: value, as: UTF8.self)))
            if header.name.lowercased() == "content-type" { hasContentType = true }
        }
        let contentType =
            switch destination.kind {
            case .postback: destination.body?.defaultContentType
            case .webhook: WebhookBody.contentType
            }
        if let contentType, !hasContentType {
            headers.append(OutboundRequest.Header(name: "Content-Type", value: contentType))
        }
        return headers
    }
}
