import Domain
import Store
import StoreSupport
import TestSupport
import Testing

/// Clicks, and what networks report of them, written as the tracker writes them.
extension Bench {
    /// Needs `EntityTests.bench()`: campaign 1 leads to offer 1 of network 1.
    @discardableResult
    func click(
        at instant: Instant? = nil, sequence: Int = 0, campaign: Int64 = 1,
        externalID: [UInt8] = [], costNanos: Int64? = 12_000_000, currency: String = "USD",
        parameters: [(name: String, value: [UInt8])] = []
    ) throws -> ClickIdentity {
        let micros = (instant ?? clock.now).micros
        let rowID = ClickRowID(
            milliseconds: micros / 1000 - ClickRowID.epochMilliseconds, node: 0,
            sequence: sequence)
        var batch = ClickBatch()
        func keep(_ bytes: [UInt8]) -> NewClick.Bytes {
            bytes.withUnsafeBytes { batch.keep($0) }
        }
        let kept = batch.keep(parameters)
        batch.rows.append(
            NewClick(
                rowID: rowID, campaignID: CampaignID(campaign), flowVersion: 1, rule: 0, path: 1,
                landerVersion: nil, offerVersion: 1,
                costNanos: costNanos, currency: try #require(Currency(currency)),
                externalID: keep(externalID), ip: IPAddress("203.0.113.9"),
                userAgent: keep(Array("Mozilla".utf8)),
                referrer: keep(Array("https://r.example/".utf8)),
                parameterNames: kept.names, parameterValues: kept.values))
        let outcome = try Waiting<ClickOutcome>.value { done in
            clickStore.store(batch, finished: done)
        }
        guard case .stored = outcome else { throw TestFailure("the click was not stored") }
        return ClickIdentity(rowID: rowID, campaignID: CampaignID(campaign))
    }

    func text(_ identity: ClickIdentity) -> String { clickIDs.seal(identity).text }

    /// A conversion with its call, its revision and, if asked for, a delivery.
    @discardableResult
    func convert(
        _ identity: ClickIdentity, status: ConversionStatus = .approved,
        payoutNanos: Int64 = 12_500_000_000, currency: String = "USD", event: String = "sale",
        transactionID: String = "", isTest: Bool = false, delivery: NewDelivery? = nil,
        costRule: ConversionCost? = nil
    ) throws -> ConversionID {
        let now = clock.now
        let payout = Money(nanos: payoutNanos, currency: try #require(Currency(currency)))
        return try write { transaction throws(StoreError) in
            guard let click = try transaction.click(identity.rowID) else {
                throw .notFound("there is no such click")
            }
            let conversion = try transaction.insertConversion(
                Conversion(
                    id: ConversionID(0), click: click, sourceID: SourceID(1),
                    networkID: NetworkID(1), offerID: OfferID(1), event: event,
                    transactionID: transactionID, ordinal: 0, status: status, networkStatus: "1",
                    payout: payout, extras: [nil, "two"], convertedAt: now, isTest: isTest,
                    revision: 1, costRule: costRule))
            let call = try transaction.insert(
                Self.call(at: now), networkID: NetworkID(1), clickRowID: identity.rowID,
                conversionID: conversion.id, verdict: .accepted, message: "recorded")
            try transaction.insertRevision(of: conversion, at: now, by: call)
            if let delivery { try transaction.insert(delivery, of: conversion, at: now) }
            return conversion.id
        }
    }

    /// A second report of a conversion, with another status.
    func revise(_ identity: ClickIdentity, _ transactionID: String, to status: ConversionStatus)
        throws
    {
        let now = clock.now
        try write { transaction throws(StoreError) in
            guard
                let known = try transaction.conversion(
                    clickRowID: identity.rowID, event: "sale", transactionID: transactionID,
                    isTest: false)
            else { throw .notFound("there is no such conversion") }
            let revised = Conversion(
                id: known.id, click: known.click, sourceID: known.sourceID,
                networkID: known.networkID, offerID: known.offerID, event: known.event,
                transactionID: known.transactionID, ordinal: known.ordinal, status: status,
                networkStatus: status.rawValue, payout: known.payout, extras: known.extras,
                convertedAt: known.convertedAt, isTest: known.isTest,
                revision: known.revision + 1)
            try transaction.update(revised)
            let call = try transaction.insert(
                Self.call(at: now), networkID: NetworkID(1), clickRowID: identity.rowID,
                conversionID: known.id, verdict: .updated, message: "changed")
            try transaction.insertRevision(of: revised, at: now, by: call)
        }
    }

    /// A call that no conversion came of.
    @discardableResult
    func refuse(
        _ verdict: PostbackVerdict, network: NetworkID? = NetworkID(1),
        click: ClickRowID? = nil, query: String? = nil, body: String = "a=1"
    ) throws -> PostbackID {
        let now = clock.now
        return try write { transaction throws(StoreError) in
            try transaction.insert(
                Self.call(at: now, query: query, body: body), networkID: network, clickRowID: click,
                conversionID: nil,
                verdict: verdict, message: "refused")
        }
    }

    /// - Parameter query: nil: one that is no UTF-8.
    static func call(at: Instant, query: String? = nil, body: String = "a=1") -> Postback {
        Postback(
            receivedAt: at, sender: IPAddress("198.51.100.7"), method: "POST",
            target: Array("/postback/k?".utf8)
                + (query.map { Array($0.utf8) } ?? Array("cid=".utf8) + [0xFF]),
            headers: [
                Postback.Header(name: "Host", value: Array("t.example".utf8)),
                Postback.Header(name: "X-A", value: Array("1".utf8)),
                Postback.Header(name: "x-a", value: Array("2".utf8)),
            ],
            body: Array(body.utf8))
    }

    static let delivery = NewDelivery(
        destination: "push/main",
        request: OutboundRequest(
            origin: "https://source.example", method: .post,
            url: "https://source.example/conv?id=W8d",
            headers: [OutboundRequest.Header(name: "X-Note", value: "k")],
            body: Array("{\"a\":1}".utf8), success: SuccessRule(), allowsPrivate: false),
        deadReason: nil)
}

extension LedgerTransaction {
    /// Keeps a single attempt.
    func record(_ attempt: Attempt, of id: DeliveryID, outcome: AttemptOutcome) throws(StoreError) {
        try record([DeliveryResult(of: try delivery(id), attempt, outcome: outcome)])
    }
}
