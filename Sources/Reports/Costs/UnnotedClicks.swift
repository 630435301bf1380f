public import Domain
public import Store

extension CampaignReport {
    /// Days whose clicks may still become more, and some for a server that was not running: beyond
    /// them a day's number was noted when it was final.
    private static let unsettledDays = 4

    /// The numbers of clicks that cost layers are about and that differ from what is noted, of the
    /// days that ended lately. They are noted so that a total is not dealt out anew over fewer clicks
    /// once retention has deleted a day.
    public static func unnotedClicks(_ reader: LedgerReader, at now: Instant)
        throws(StoreError) -> [Int64: [Day: Int64]]
    {
        let today = now.day
        let first = today.advanced(by: -unsettledDays)
        let days = Set(try reader.clickDays().filter { first <= $0 && $0 < today })
        let layers = try reader.costLayers(from: first.start, to: today.start, showingRemoved: true)
        var unnoted: [Int64: [Day: Int64]] = [:]
        for (campaign, layers) in Dictionary(grouping: layers, by: \.campaignID) {
            let counts = LayerCounts(campaign, reader, days, try reader.offerKeys())
            for (id, live) in try counts.counts(of: layers) {
                let noted = try reader.notedClicks(ofCostLayer: id)
                let changed = live.filter { days.contains($0.key) && noted[$0.key] != $0.value }
                if !changed.isEmpty { unnoted[id] = changed }
            }
        }
        return unnoted
    }
}
