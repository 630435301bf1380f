public import Domain

extension Catalog {
    /// As things were for a campaign's visitors while that version of its flow decided: its flow,
    /// redirect and fallback URL of then, all else of today. Nil where it can't be read any more.
    public func asOf(_ version: FlowVersion, _ campaign: Stored<Campaign>) -> (
        catalog: Catalog, campaign: Stored<Campaign>
    )? {
        let then = version.document.objectValue ?? []
        let kept = (campaign.value.document.objectValue ?? []).filter { member in
            !then.contains { $0.name == member.name }
        }
        // It was saved once: what can't be read is of a later version of this program.
        guard let value = try? Campaign(document: .object(kept + then)) else { return nil }
        let stored = Stored(
            id: campaign.id, value: value, createdAt: campaign.createdAt,
            updatedAt: campaign.updatedAt, archivedAt: campaign.archivedAt)
        var catalog = self
        catalog.campaigns.set(stored)
        catalog.flowVersions[campaign.id] = version
        return (catalog, stored)
    }
}
