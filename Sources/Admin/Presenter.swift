internal import Domain
internal import Store

/// Turns what was read into the API's JSON: numbers become keys, bytes become text.
struct Presenter: Sendable {
    let catalog: Catalog
    let services: Services

    init(_ call: Call) {
        catalog = call.catalog
        services = call.services
    }

    func key(_ id: CampaignID) -> JSONValue {
        .string(orNull: catalog.campaigns[id]?.value.key.text)
    }
    func key(_ id: SourceID) -> JSONValue { .string(orNull: catalog.sources[id]?.value.key.text) }
    func key(_ id: NetworkID) -> JSONValue { .string(orNull: catalog.networks[id]?.value.key.text) }
    func key(_ id: OfferID) -> JSONValue { .string(orNull: catalog.offers[id]?.value.key.text) }

    func clickID(_ identity: ClickIdentity) -> JSONValue {
        .string(services.clickIDs.seal(identity).text)
    }

    func clickID(_ click: Click) -> JSONValue { clickID(click.identity) }

    func conversion(_ conversion: Conversion, _ revisions: [ConversionRevision]) -> JSONValue {
        [
            "id": .string(conversion.id.description),
            "click_id": clickID(conversion.click),
            "campaign": key(conversion.click.campaignID),
            "source": key(conversion.sourceID),
            "network": key(conversion.networkID),
            "offer": key(conversion.offerID),
            "external_id": conversion.click.externalID.map { .text($0) } ?? .null,
            "event": .string(conversion.event),
            "transaction_id": conversion.transactionID.isEmpty
                ? .null : .string(conversion.transactionID),
            "status": .string(conversion.status.rawValue),
            "network_status": .string(orNull: conversion.networkStatus),
            "payout": conversion.payout.document,
            "reporting": conversion.reporting?.json ?? .null,
            "cost": conversion.cost?.document ?? .null,
            "clicked_at": conversion.click.rowID.instant.json,
            "converted_at": conversion.convertedAt.json,
            "test": .bool(conversion.isTest),
            "params": .object(
                conversion.extras.enumerated().compactMap { index, value in
                    value.map { JSONMember(name: "param\(index + 1)", value: .string($0)) }
                }),
            "revision": .integer(conversion.revision),
            "revisions": .array(revisions.map(revision)),
        ]
    }

    private func revision(_ revision: ConversionRevision) -> JSONValue {
        [
            "revision": .integer(revision.number), "status": .string(revision.status.rawValue),
            "network_status": .string(orNull: revision.networkStatus),
            "payout": revision.payout.document,
            "reporting": revision.reporting?.json ?? .null, "at": revision.at.json,
            "postback": .integer(revision.postbackID.rawValue),
            "not_sent": .array(
                revision.notSent.map {
                    ["destination": .string($0.destination), "reason": .string($0.reason)]
                }),
        ]
    }

    /// - Parameter click: whose journey it belongs to; nil when that is not known.
    func postback(_ postback: StoredPostback, click: ClickIdentity?) -> JSONValue {
        let call = postback.call
        var request: [JSONMember] = [
            JSONMember(name: "method", value: .string(call.method)),
            JSONMember(name: "target", value: .text(call.target)),
            JSONMember(
                name: "headers", value: headers(call.headers.map { ($0.name, $0.value) })),
            JSONMember(name: "body", value: .text(call.body)),
        ]
        if call.body.count < postback.bodyCount {
            // The whole of it is at the postback's own address.
            request.append(JSONMember(name: "body_truncated", value: true))
        }
        return [
            "id": .integer(postback.id.rawValue),
            "received_at": call.receivedAt.json,
            "network": postback.networkID.map { key($0) } ?? .null,
            "sender": .string(orNull: call.sender?.text),
            "verdict": .string(postback.verdict),
            "message": .string(postback.message),
            "click_id": click.map { clickID($0) } ?? .null,
            "conversion": .string(orNull: postback.conversionID?.description),
            "waiting": .bool(postback.isWaiting),
            "replay_of": postback.replayOf.map { .integer($0.rawValue) } ?? .null,
            "request": .object(request),
        ]
    }

    /// The click that a call itself names, where it can be read from it.
    func namedClick(of postback: StoredPostback) -> ClickIdentity? {
        guard let network = postback.networkID.flatMap({ catalog.networks[$0] }),
            let clickID = services.rules.clickID(of: postback.call, network: network.value),
            let named = services.clickIDs.open(clickID), named.rowID == postback.clickRowID
        else { return nil }
        return named
    }

    func delivery(_ delivery: Delivery, _ attempts: [Attempt]) -> JSONValue {
        let secrets = catalog.accountSecrets(of: delivery.destination)
        return [
            "id": .integer(delivery.id.rawValue),
            "conversion": .string(delivery.conversionID.description),
            "revision": .integer(delivery.revision),
            "destination": .string(delivery.destination),
            "state": .string(delivery.state.rawValue),
            "reason": .string(orNull: delivery.reason.map(secrets.masked)),
            "due_at": delivery.dueAt.json,
            "paused": held(delivery)?.json ?? .null,
            "idempotency_key": .string(delivery.idempotencyKey),
            "request": request(of: delivery, secrets),
            "attempts": .array(attempts.map { attempt($0, secrets) }),
        ]
    }

    /// As it is sent, without what proves who sends it.
    func request(of delivery: Delivery, _ secrets: AccountSecrets) -> JSONValue {
        let request = delivery.request
        return [
            "method": .string(request.method.rawValue),
            "url": .string(secrets.masked(request.url)),
            "headers": headers(
                request.headers.map { header in
                    let value = SecretHeader.shown(header.name, secrets.masked(header.value))
                    return (header.name, Array(value.utf8))
                }),
            "body": request.body.map { .text(secrets.masked($0)) } ?? .null,
        ]
    }

    /// What keeps a waiting delivery from being sent.
    func held(_ delivery: Delivery) -> Pause? {
        guard delivery.state == .waiting else { return nil }
        return catalog.pauses.holding(
            destination: delivery.destination, origin: delivery.request.origin)
    }

    /// What a receiver says may repeat what it was told.
    private func attempt(_ attempt: Attempt, _ secrets: AccountSecrets) -> JSONValue {
        [
            "at": attempt.at.json,
            "status": attempt.status.map { .integer($0) } ?? .null,
            "ms": .integer(attempt.milliseconds),
            "error": .string(orNull: attempt.error.map(secrets.masked)),
            "excerpt": .text(secrets.masked(attempt.excerpt)),
        ]
    }

    /// One member a name, whatever its case: repeated fields are one list (RFC 9110 section 5.2),
    /// and an object that has a name twice could be read in two ways.
    private func headers(_ fields: [(name: String, value: [UInt8])]) -> JSONValue {
        var members: [JSONMember] = []
        var places: [String: Int] = [:]
        for field in fields {
            let value = String(decoding: field.value, as: UTF8.self)
            let name = field.name.lowercased()
            if let place = places[name], let before = members[place].value.stringValue {
                members[place].value = .string("\(before), \(value)")
            } else {
                places[name] = members.count
                members.append(JSONMember(name: field.name, value: .string(value)))
            }
        }
        return .object(members)
    }
}

extension ReportingAmount {
    var json: JSONValue {
        [
            "amount": .string(money.amountText), "currency": .string(money.currency.code),
            "rate": .string(Amount.format(rateNanos)),
        ]
    }
}

extension Click {
    var identity: ClickIdentity { ClickIdentity(rowID: rowID, campaignID: campaignID) }
}

extension LedgerReader {
    /// With its revisions.
    func json(_ conversion: Conversion, _ presenter: Presenter) throws(StoreError) -> JSONValue {
        presenter.conversion(conversion, try revisions(of: conversion.id))
    }

    /// With the click whose journey shows it.
    func json(_ postback: StoredPostback, _ presenter: Presenter) throws(StoreError) -> JSONValue {
        presenter.postback(postback, click: try click(of: postback, presenter))
    }

    /// A call is kept with its click's row ID, and a click ID names the campaign, too: that of the
    /// call itself where it can be read, as most can without another look at the disk; else that of
    /// the click it was assigned to, or of one that came in a body too long for a list.
    private func click(of postback: StoredPostback, _ presenter: Presenter) throws(StoreError)
        -> ClickIdentity?
    {
        guard let rowID = postback.clickRowID else { return nil }
        if let named = presenter.namedClick(of: postback) { return named }
        var filter = ConversionFilter()
        filter.clickRowID = rowID
        if let conversion = try conversions(filter, limit: 1, cursor: nil).items.first {
            return conversion.click.identity
        }
        return try clicks.click(rowID)?.identity
    }

    /// With its attempts.
    func json(_ delivery: Delivery, _ presenter: Presenter) throws(StoreError) -> JSONValue {
        presenter.delivery(delivery, try attempts(of: delivery.id))
    }
}

extension Page {
    /// This page as an answer.
    func response(_ json: (Item) throws(StoreError) -> JSONValue) throws(StoreError)
        -> APIResponse
    {
        var shown: [JSONValue] = []
        for item in items { shown.append(try json(item)) }
        return .page(shown, nextCursor: nextCursor)
    }
}
