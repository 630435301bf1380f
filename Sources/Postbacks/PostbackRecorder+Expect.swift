public import Domain
public import Store

/// What a click that never was would earn.
extension PostbackRecorder {
    public func expect(
        _ sample: SampleReport, of click: Click, _ clickID: ClickID, catalog: Catalog, now: Instant
    ) throws(StoreError) -> ExpectedReport {
        guard let campaign = catalog.campaigns[click.campaignID],
            let source = catalog.sources[campaign.value.source],
            let offer = catalog.offer(ofVersion: click.offerVersion),
            let network = catalog.networks[offer.version.networkID]
        else { throw .notFound("the click's campaign, source, offer or network is not there") }
        let query = network.value.query(reporting: sample, of: clickID)
        let parameters = PostbackParameters(
            Postback(
                receivedAt: now, sender: nil, method: "GET",
                target: Array("/postback/?".utf8) + query, headers: [], body: []),
            of: network.value)
        let report: PostbackReport
        do throws(PostbackRefusal) {
            report = try PostbackReport(parameters.fields, network: network.value)
        } catch {
            return ExpectedReport(
                network: network, query: query, verdict: error.verdict, message: error.message)
        }
        if report.isIgnored {
            return ExpectedReport(
                network: network, query: query, verdict: .ignored,
                message: "status \"\(report.networkStatus ?? "")\" is on the network's ignore list")
        }
        let decision = PostbackDecision.decide(
            report, existing: nil, repeats: network.value.repeats(of: report.event),
            offerPayout: offer.offer.value.payout)
        guard case .create(let status, let payout, let ordinal) = decision else {
            preconditionFailure("\(decision) without a conversion")
        }
        let conversion = Conversion(
            id: ConversionID(0), click: click, sourceID: source.id, networkID: network.id,
            offerID: offer.offer.id, event: report.event, transactionID: report.transactionID,
            ordinal: ordinal, status: status, networkStatus: report.networkStatus, payout: payout,
            extras: report.extras, convertedAt: now, isTest: false, revision: 1,
            costRule: campaign.value.costRule(of: click, source.value))
        let told = ToldDestinations(
            Self.destinations(of: campaign, source), of: conversion,
            refusesAll: report.suppressesOutbound ? "the call asks for no outbound postback" : nil,
            isFirst: true)
        let renderer = DeliveryRenderer(
            conversion, clickID: clickID, campaign: campaign.value.key, source: source,
            catalog: catalog, at: now)
        let calls = told.wanted.map { name, destination in
            ExpectedReport.Call(
                renderer.delivery(to: destination, named: name), of: conversion, at: now,
                emptyTokens: renderer.emptyTokens(of: destination))
        }
        let notes = report.notes + Self.limitNotes(offer.offer.value, campaign.value)
        return ExpectedReport(
            network: network, query: query, verdict: .accepted,
            message: (["it would be recorded as \(conversion.stateText)"] + notes)
                .joined(separator: "; "),
            conversion: conversion, calls: calls, notSent: told.notSent)
    }

    /// What is taken of them when the conversion comes nobody knows now.
    private static func limitNotes(_ offer: Offer, _ campaign: Campaign) -> [String] {
        [("offer \(offer.key)", offer.limits), ("campaign \(campaign.key)", campaign.limits)]
            .filter { $0.1.hasCaps }
            .map { "past \($0.0)'s caps it would be parked" }
    }
}

extension ExpectedReport.Call {
    fileprivate init(
        _ rendered: NewDelivery, of conversion: Conversion, at now: Instant, emptyTokens: [String]
    ) {
        self.init(
            delivery: Delivery(
                id: DeliveryID(0), conversionID: conversion.id, revision: conversion.revision,
                destination: rendered.destination,
                state: rendered.deadReason == nil ? .waiting : .dead,
                reason: rendered.deadReason, dueAt: now, convertedAt: conversion.convertedAt,
                request: rendered.request, attemptCount: 0),
            delaySeconds: rendered.delaySeconds, emptyTokens: emptyTokens)
    }
}
