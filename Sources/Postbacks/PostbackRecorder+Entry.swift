public import Domain
public import Store

extension PostbackRecorder {
    public func enter(
        _ row: JSONValue, network: EntityKey?, suppressesOutbound: Bool, in tx: LedgerTransaction,
        now: Instant
    ) throws(StoreError) -> PostbackOutcome {
        // The row alone is kept, so what was said of all rows is said in its address.
        let query = suppressesOutbound ? "?\(PostbackParameter.disablePostback.rawValue)=1" : ""
        let call = Postback(
            receivedAt: now, sender: nil, method: "POST",
            target: Array((Postback.entryPath + query).utf8),
            headers: [
                Postback.Header(name: "Content-Type", value: Array("application/json".utf8))
            ],
            body: row.encodedBytes())
        let catalog = tx.catalog
        let stored: Stored<Network>
        do throws(EntryRefusal) {
            stored = try self.network(of: row, network, tx, catalog)
        } catch {
            switch error {
            case .store(let error): throw error
            case .row(let refusal):
                return PostbackOutcome(verdict: refusal.verdict, message: refusal.message)
            }
        }
        var recording = PostbackRecording(
            call: call, network: stored, clickIDs: clickIDs, tx: tx, catalog: catalog, now: now)
        return try recording.run().outcome
    }

    private enum EntryRefusal: Error {
        case row(PostbackRefusal)
        case store(StoreError)
    }

    /// The network that the row names, or all rows, or that of the click's offer.
    private func network(
        of row: JSONValue, _ given: EntityKey?, _ tx: LedgerTransaction, _ catalog: Catalog
    ) throws(EntryRefusal) -> Stored<Network> {
        let named = row[ConversionEntry.networkName]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        if let text = named ?? given?.text {
            if let network = EntityKey(text).flatMap({ catalog.networks[$0] }) { return network }
            throw .row(
                PostbackRefusal(
                    .networkUnknown, "there is no network \"\(text.prefix(utf8Count: 64))\""))
        }
        let fields = PostbackFields(
            entry: (row.objectValue ?? []).map { member in
                (member.name, Array((member.value.stringValue ?? "").utf8))
            })
        let clickID: ClickID
        do throws(PostbackRefusal) {
            clickID = try PostbackReport.requiredClickID(fields)
        } catch {
            throw .row(error)
        }
        guard let identity = clickIDs.open(clickID) else {
            throw .row(
                PostbackRefusal(
                    .clickForeign, "click ID \(clickID.text) was not issued by this installation"))
        }
        let click: Click?
        do throws(StoreError) {
            click = try tx.click(identity.rowID)
        } catch {
            throw .store(error)
        }
        guard let version = click.flatMap({ catalog.offerVersions[$0.offerVersion] }),
            let network = catalog.networks[version.networkID]
        else {
            throw .row(
                PostbackRefusal(
                    .networkUnknown, "the click is not stored, so name the network that reported it"
                ))
        }
        return network
    }
}
