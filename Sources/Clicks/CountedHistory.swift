internal import Domain
internal import Store

/// What is on disk, summed by the scopes that have caps.
final class CountedHistory {
    private let history: TrafficHistory
    private let log: (_ event: String, _ detail: String) -> Void
    private let scopes: Set<CapScope>
    /// Those of which a path has caps.
    private let campaigns: Set<CampaignID>
    private var names: [Int64: PathNames?] = [:]

    /// Nil without a directory.
    init?(
        _ directory: DataDirectory?, _ scopes: some Collection<CapScope>,
        _ log: @escaping (_ event: String, _ detail: String) -> Void
    ) {
        guard let directory else { return nil }
        history = TrafficHistory(directory, log: log)
        self.log = log
        self.scopes = Set(scopes)
        campaigns = Set(
            scopes.compactMap { scope in
                if case .path(let campaignID, _) = scope { campaignID } else { nil }
            })
    }

    func close() { history.close() }

    /// In all, and on the present day and the one before.
    func clicks(_ zones: [CapScope: TimeZoneRules], _ catalog: Catalog, now: Instant)
        throws(StoreError) -> (totals: [CapScope: Int64], days: [CapScope: [Day: Int64]])
    {
        let totals = sums(try history.allClicks(today: now.day), catalog)
        var days: [CapScope: [Day: Int64]] = [:]
        for (zone, day) in Self.days(zones, now: now) {
            let clicks = try history.clicks(
                from: zone.start(of: day), to: zone.start(of: day.advanced(by: 1)))
            for (scope, count) in sums(clicks, catalog) where zones[scope] == zone {
                days[scope, default: [:]][day] = count
            }
        }
        return (totals, days)
    }

    func conversions(_ zones: [CapScope: TimeZoneRules], now: Instant) throws(StoreError)
        -> [CapScope: ConversionTally]
    {
        let totals = sums(try history.allConversions())
        var days: [CapScope: [Day: LimitUsage]] = [:]
        for (zone, day) in Self.days(zones, now: now) {
            let usage = sums(
                try history.conversions(
                    from: zone.start(of: day), to: zone.start(of: day.advanced(by: 1))))
            for scope in scopes where zones[scope] == zone {
                days[scope, default: [:]][day] = usage[scope] ?? LimitUsage()
            }
        }
        return Dictionary(
            uniqueKeysWithValues: scopes.map {
                ($0, ConversionTally(total: totals[$0] ?? LimitUsage(), days: days[$0] ?? [:]))
            })
    }

    /// Nil where the path had no name, and where no path of the campaign has caps.
    func pathName(_ campaignID: CampaignID, _ version: Int64, rule: Int, path: Int) -> String? {
        guard campaigns.contains(campaignID) else { return nil }
        if let known = names[version] { return known?.name(rule: rule, path: path) }
        do throws(StoreError) {
            names[version] = .some(try history.pathNames(ofVersion: version))
        } catch {
            log("caps_not_counted", "reason=\"\(error)\"")
            names[version] = .some(nil)
        }
        return names[version]??.name(rule: rule, path: path)
    }

    private static func days(_ zones: [CapScope: TimeZoneRules], now: Instant)
        -> [(TimeZoneRules, Day)]
    {
        Set(zones.values).flatMap { zone in
            let today = zone.day(of: now)
            return [(zone, today.advanced(by: -1)), (zone, today)]
        }
    }

    private func sums(_ ways: [ClickWay: Int64], _ catalog: Catalog) -> [CapScope: Int64] {
        var sums: [CapScope: Int64] = [:]
        for (way, clicks) in ways {
            let scopes = scopes(
                way.campaignID, catalog.offerVersions[way.offerVersion]?.offerID,
                way.flowVersion, rule: way.rule, path: way.path)
            for scope in scopes { sums[scope, default: 0] += clicks }
        }
        return sums
    }

    private func sums(_ ways: [ConversionWay: LimitUsage]) -> [CapScope: LimitUsage] {
        var sums: [CapScope: LimitUsage] = [:]
        for (way, usage) in ways {
            let scopes = scopes(
                way.campaignID, way.offerID, way.flowVersion, rule: way.rule, path: way.path)
            for scope in scopes { sums[scope, default: LimitUsage()].add(usage) }
        }
        return sums
    }

    private func scopes(
        _ campaignID: CampaignID, _ offerID: OfferID?, _ version: Int64, rule: Int, path: Int
    ) -> [CapScope] {
        var found = [CapScope.campaign(campaignID)]
        if let offerID { found.append(.offer(offerID)) }
        if let name = pathName(campaignID, version, rule: rule, path: path) {
            found.append(.path(campaignID, name: name))
        }
        return found.filter { scopes.contains($0) }
    }
}
