public import Domain
public import Store

extension PostbackRecorder {
    public func renderAgain(_ id: DeliveryID, in tx: LedgerTransaction, now: Instant)
        throws(StoreError) -> Delivery
    {
        let delivery = try tx.delivery(id)
        guard delivery.state != .delivered else {
            throw .conflict("delivery \(id) was delivered already")
        }
        guard
            let (conversion, revision) = try tx.conversion(
                delivery.conversionID, asOf: delivery.revision),
            let campaign = tx.catalog.campaigns[conversion.click.campaignID],
            let source = tx.catalog.sources[conversion.sourceID]
        else {
            throw .conflict("the conversion of delivery \(id), its campaign or its source is gone")
        }
        guard
            let destination = Self.destinations(of: campaign, source)
                .first(where: { $0.name == delivery.destination })?.destination
        else {
            throw .conflict(
                "destination \(delivery.destination) does not exist any more: it can't be "
                    + "rendered again")
        }
        let click = conversion.click
        let renderer = DeliveryRenderer(
            conversion,
            clickID: clickIDs.seal(
                ClickIdentity(rowID: click.rowID, campaignID: click.campaignID)),
            campaign: campaign.value.key, source: source,
            catalog: tx.catalog, at: revision.at)
        let rendered = renderer.delivery(to: destination, named: delivery.destination)
        if let reason = rendered.deadReason {
            throw .conflict("delivery \(id) can't be sent by today's template either: \(reason)")
        }
        return try tx.replace(id, by: rendered, at: now)
    }

    /// Everything that is told of a campaign's conversions, with the names of `Delivery`.
    static func destinations(of campaign: Stored<Campaign>, _ source: Stored<Source>)
        -> [(name: String, destination: Destination)]
    {
        // A source and a campaign may have the same key, but no key has a colon.
        source.value.destinations.map {
            (name: "\(source.value.key.text)/\($0.key.text)", destination: $0)
        }
            + campaign.value.destinations.map {
                (name: "campaign:\(campaign.value.key.text)/\($0.key.text)", destination: $0)
            }
    }
}
