public import Domain

extension Catalog {
    /// The destination that a delivery's name means now; nil when it or its owner is gone.
    public func destination(named name: String) -> Destination? {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let campaignPrefix = "campaign:"
        let destinations: [Destination]?
        if parts[0].hasPrefix(campaignPrefix) {
            let key = EntityKey(String(parts[0].dropFirst(campaignPrefix.count)))
            destinations = key.flatMap { campaigns[$0]?.value.destinations }
        } else {
            destinations = EntityKey(String(parts[0])).flatMap { sources[$0]?.value.destinations }
        }
        return destinations?.first { $0.key.text == parts[1] }
    }
}
