public import Domain
public import Store

/// What tests of destinations say. `help destinations` tells the invented values.
extension PostbackRecorder {
    public func render(
        _ sample: SampleConversion, for name: String, catalog: Catalog, now: Instant
    ) throws(StoreError) -> RenderedSample {
        guard let destination = catalog.destination(named: name),
            let owner = Self.owner(of: name, catalog)
        else { throw .notFound("there is no destination \(name)") }
        if let missing = destination.missingValue {
            throw .conflict("it can't be sent without your account's value for <\(missing)>")
        }
        var campaign = owner.campaign
        if let click = sample.click {
            guard let own = catalog.campaigns[click.campaignID] else {
                throw .notFound("the click's campaign is not there")
            }
            guard own.value.source == owner.source.value.key,
                campaign == nil || campaign?.id == own.id
            else {
                throw .conflict(
                    "the click is of campaign \(own.value.key) with source \(own.value.source), "
                        + "whose conversions are not told there")
            }
            campaign = own
        } else if campaign == nil {
            campaign = catalog.campaigns.all.first {
                !$0.isArchived && $0.value.source == owner.source.value.key
            }
        }
        let click =
            sample.click
            ?? Self.inventedClick(for: destination, owner.source.value, of: campaign?.id, at: now)
        let conversion = conversion(sample, of: click, owner.source, catalog, now)
        let rendered = DeliveryRenderer(
            conversion,
            clickID: clickIDs.seal(
                ClickIdentity(rowID: click.rowID, campaignID: click.campaignID)),
            campaign: campaign?.value.key ?? EntityKey(SampleReport.sampleText)
                ?? owner.source.value.key,
            source: owner.source, catalog: catalog, at: now
        ).delivery(to: destination, named: name)
        if let reason = rendered.deadReason {
            throw .conflict("it can't be sent: \(reason)")
        }
        return RenderedSample(
            delivery: Delivery(
                id: DeliveryID(0), conversionID: conversion.id, revision: 1, destination: name,
                state: .waiting, reason: nil, dueAt: now, convertedAt: now,
                request: rendered.request, attemptCount: 0),
            refusal: destination.refusal(
                status: conversion.status, event: conversion.event, payout: conversion.payout,
                isFirst: true))
    }

    /// Whose a destination is: a source's own, or a campaign's.
    private static func owner(of name: String, _ catalog: Catalog)
        -> (source: Stored<Source>, campaign: Stored<Campaign>?)?
    {
        let key = name.prefix { $0 != "/" }
        let prefix = "campaign:"
        guard key.hasPrefix(prefix) else {
            return EntityKey(String(key)).flatMap { catalog.sources[$0] }.map { ($0, nil) }
        }
        guard
            let campaign = EntityKey(String(key.dropFirst(prefix.count)))
                .flatMap({ catalog.campaigns[$0] }),
            let source = catalog.sources[campaign.value.source]
        else { return nil }
        return (source, campaign)
    }

    private func conversion(
        _ sample: SampleConversion, of click: Click, _ source: Stored<Source>, _ catalog: Catalog,
        _ now: Instant
    ) -> Conversion {
        let offer = catalog.offer(ofVersion: click.offerVersion)
        return Conversion(
            id: ConversionID(0), click: click, sourceID: source.id,
            networkID: offer?.version.networkID ?? NetworkID(1),
            offerID: offer?.version.offerID ?? OfferID(1), event: sample.event,
            transactionID: SampleReport.sampleText, ordinal: 0, status: sample.status,
            networkStatus: nil,
            payout: Money(
                nanos: sample.payoutNanos ?? 1_000_000_000, currency: source.value.currency),
            extras: (1...Token.extraMax).map { _ in "1" }, convertedAt: now, isTest: true,
            revision: 1)
    }

    /// Of now, with a value for everything that a template may ask for.
    private static func inventedClick(
        for destination: Destination, _ source: Source, of campaign: CampaignID?, at now: Instant
    ) -> Click {
        // "1" passes for a text and for a number.
        let names =
            source.parameters.map(\.name)
            + (1...Token.variableMax).map { "var\($0)" }
            + destination.parameterNames
        return Click(
            rowID: .sample(at: now),
            campaignID: campaign ?? CampaignID(1), externalID: Array(SampleReport.sampleText.utf8),
            cost: Money(nanos: 10_000_000, currency: source.currency),
            parameters: names.map { Click.Parameter(name: $0, value: Array("1".utf8)) },
            // From the block for documentation (RFC 5737).
            ip: IPAddress(ipv4: 0xc000_0201),
            userAgent: Array("Mozilla/5.0 (X11; Linux x86_64) \(SampleReport.sampleText)".utf8),
            referrer: Array("https://\(SampleReport.sampleText).example/".utf8), path: 1,
            offerVersion: 0)
    }
}
