internal import Domain
internal import Store

/// Limits of the click's offer and campaign.
extension PostbackRecording {
    /// The limit that a new conversion passes, in words; nil when there is room for it. Tests are
    /// counted nowhere, and limited by nothing.
    mutating func limitPassed(
        by conversion: Conversion, _ offer: Stored<Offer>, _ campaign: Stored<Campaign>
    ) throws(StoreError) -> String? {
        if conversion.isTest { return nil }
        for owner in owners(offer, campaign) {
            if let reason = owner.limits.windowPassed(
                clickedAt: conversion.click.rowID.instant, convertedAt: conversion.convertedAt)
            {
                return "\(owner.name)'s \(reason)"
            }
        }
        // One that will not be paid takes nobody's room.
        guard conversion.countsTowardsLimits else { return nil }
        for owner in owners(offer, campaign) where owner.limits.hasCaps {
            if let reason = try capPassed(by: conversion.payout, at: conversion, owner) {
                return "\(owner.name)'s \(reason)"
            }
            if let note = owner.limits.unlimited(conversion.payout) {
                notes.append("\(owner.name)'s \(note)")
            }
        }
        return nil
    }

    /// An update is what the network says of a conversion that we have: it always counts, and the
    /// message tells of a limit of money that it passes.
    mutating func noteLimits(passedBy revised: Conversion, after before: Conversion)
        throws(StoreError)
    {
        guard revised.countsTowardsLimits, let offer = catalog.offers[revised.offerID],
            let campaign = catalog.campaigns[revised.click.campaignID]
        else { return }
        let known =
            before.countsTowardsLimits && before.payout.currency == revised.payout.currency
            ? before.payout.nanos : 0
        // Beyond the range it is no increase that anybody could mean.
        let (more, overflow) = revised.payout.nanos.subtractingReportingOverflow(known)
        guard !overflow, more > 0 else { return }
        let increase = Money(nanos: more, currency: revised.payout.currency)
        for owner in owners(offer, campaign) where owner.limits.limitsMoney {
            if let reason = try capPassed(
                by: increase, at: revised, owner, countsConversions: false)
            {
                notes.append("the update passes a limit: \(owner.name)'s \(reason)")
            }
        }
    }

    private struct Owner {
        /// `offer fit`
        let name: String
        let scope: LimitScope
        let limits: ConversionLimits
    }

    private func owners(_ offer: Stored<Offer>, _ campaign: Stored<Campaign>) -> [Owner] {
        [
            Owner(
                name: "offer \(offer.value.key)", scope: .offer(offer.id),
                limits: offer.value.limits),
            Owner(
                name: "campaign \(campaign.value.key)", scope: .campaign(campaign.id),
                limits: campaign.value.limits),
        ]
    }

    private func capPassed(
        by payout: Money, at conversion: Conversion, _ owner: Owner, countsConversions: Bool = true
    ) throws(StoreError) -> String? {
        let limits = owner.limits
        var day = LimitUsage()
        var all = LimitUsage()
        if limits.limitsDays {
            day = try tx.usage(of: owner.scope, on: conversion.convertedAt.day)
        }
        if limits.limitsTotal { all = try tx.usage(of: owner.scope, on: nil) }
        return countsConversions
            ? limits.capPassed(by: payout, day: day, all: all)
            : limits.moneyPassed(by: payout, day: day, all: all)
    }
}
