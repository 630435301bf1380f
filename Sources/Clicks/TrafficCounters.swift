public import Domain
public import Store
internal import Synchronization

/// The counters of everything that has caps: counted from what is on disk when a cap is set or the
/// server starts; kept up from then on, of clicks by the loops and of conversions after each commit
/// of the ledger.
///
/// A cap that is set while clicks of its scope are on their way to the disk misses those, some
/// milliseconds' worth, until the next start.
public final class TrafficCounters: Sendable {
    private let known = Mutex<[CapScope: CapCounter]>([:])
    /// Nil: counts begin at nothing.
    private let directory: DataDirectory?
    private let now: @Sendable () -> Instant
    private let log: @Sendable (_ event: String, _ detail: String) -> Void

    /// - Parameter log: takes a line's event name and details when something can't be read.
    public init(
        _ directory: DataDirectory? = nil,
        now: @escaping @Sendable () -> Instant = { Instant(micros: 0) },
        log: @escaping @Sendable (_ event: String, _ detail: String) -> Void = { _, _ in }
    ) {
        self.directory = directory
        self.now = now
        self.log = log
    }

    /// Makes counters for caps that are new, and forgets those of caps that are gone. Reads files:
    /// not on an event loop; on one thread at a time, as `count` and `countAnew`.
    public func follow(_ catalog: Catalog) {
        let scopes = Self.scopes(catalog)
        let kept = known.withLock { $0 }
            .filter { scope, counter in scopes[scope]?.timeZone == counter.timeZone }
        let missing = scopes.filter { kept[$0.key] == nil }.mapValues(\.timeZone)
        let made = missing.isEmpty ? [:] : counters(missing, catalog)
        known.withLock { $0 = kept.merging(made) { old, _ in old } }
    }

    /// Conversions of one commit.
    public func count(_ conversions: [CountedConversion]) {
        let known = known.withLock { $0 }
        if known.isEmpty { return }
        let history = CountedHistory(directory, known.keys, log)
        defer { history?.close() }
        for conversion in conversions {
            let way = conversion.way
            var scopes: [CapScope] = [.campaign(way.campaignID), .offer(way.offerID)]
            if let name = history?.pathName(
                way.campaignID, way.flowVersion, rule: way.rule, path: way.path)
            {
                scopes.append(.path(way.campaignID, name: name))
            }
            for scope in scopes {
                known[scope]?.add(conversion.sign, conversion.payout, at: conversion.at)
            }
        }
    }

    /// Of all conversions: nobody can say what a failed commit has kept.
    public func countAnew() {
        let known = known.withLock { $0 }
        if known.isEmpty { return }
        guard let history = CountedHistory(directory, known.keys, log) else { return }
        defer { history.close() }
        do throws(StoreError) {
            let tallies = try history.conversions(
                known.mapValues(\.timeZone), now: now())
            for (scope, counter) in known {
                counter.setConversions(tallies[scope] ?? ConversionTally())
            }
        } catch {
            log("caps_not_counted", "reason=\"\(error)\"")
        }
    }

    /// Nil where the scope has no caps.
    public func usage(of scope: CapScope, at instant: Instant) -> CapUsage? {
        counter(of: scope).map {
            let today = $0.timeZone.day(of: instant)
            let conversions = $0.conversions(on: today)
            return CapUsage(
                clicksToday: $0.clicks(on: today), clicksTotal: $0.clicksTotal,
                conversionsToday: conversions.day, conversionsTotal: conversions.all)
        }
    }

    func counter(of scope: CapScope) -> CapCounter? { known.withLock { $0[scope] } }

    private static func scopes(_ catalog: Catalog) -> [CapScope: TrafficCaps] {
        var scopes: [CapScope: TrafficCaps] = [:]
        for offer in catalog.offers.all where !offer.isArchived {
            scopes[.offer(offer.id)] = offer.value.trafficCaps
        }
        for campaign in catalog.campaigns.all where !campaign.isArchived {
            scopes[.campaign(campaign.id)] = campaign.value.trafficCaps
            for path in catalog.flow(of: campaign.value)?.cappedPaths ?? [] {
                scopes[.path(campaign.id, name: path.name)] = path.caps
            }
        }
        return scopes
    }

    private func counters(_ zones: [CapScope: TimeZoneRules], _ catalog: Catalog)
        -> [CapScope: CapCounter]
    {
        var totals: [CapScope: Int64] = [:]
        var days: [CapScope: [Day: Int64]] = [:]
        var conversions: [CapScope: ConversionTally] = [:]
        if let history = CountedHistory(directory, zones.keys, log) {
            defer { history.close() }
            do throws(StoreError) {
                (totals, days) = try history.clicks(zones, catalog, now: now())
                conversions = try history.conversions(zones, now: now())
            } catch {
                // Visitors don't wait for a disk that fails; the next start counts again.
                log("caps_not_counted", "reason=\"\(error)\"")
            }
        }
        return Dictionary(
            uniqueKeysWithValues: zones.map { scope, zone in
                (
                    scope,
                    CapCounter(
                        timeZone: zone, total: totals[scope] ?? 0, days: days[scope] ?? [:],
                        conversions: conversions[scope] ?? ConversionTally())
                )
            })
    }
}
