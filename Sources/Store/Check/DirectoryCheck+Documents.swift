internal import Domain
internal import SQLite

/// What lies in the ledger as text and is more than that.
extension DirectoryCheck {
    /// The entities' documents are JSON that has the row's own key.
    func checkDocuments(_ connection: Connection) throws(SQLiteError) {
        for table in ["source", "network", "offer", "lander", "flow", "campaign", "domain"] {
            guard try connection.hasTable(table) else { continue }
            let documents = try connection.rows("SELECT key, document FROM \(table)") {
                (row) throws(SQLiteError) in (row.text(0), row.text(1))
            }
            for (key, document) in documents {
                do {
                    let json = try JSONValue(parsing: document)
                    if let own = json["key"]?.stringValue, own != key {
                        fault(Self.ledgerName, "the document of \(table) \(key) is that of \(own)")
                    }
                } catch {
                    fault(Self.ledgerName, "the document of \(table) \(key) is not JSON: \(error)")
                }
            }
        }
    }

    /// A layer that can't be read fails every report of its times.
    func checkCostLayers(_ connection: Connection) throws(SQLiteError) {
        guard try connection.hasTable("cost_layer") else { return }
        let layers = try connection.prepare(
            """
            SELECT layer.id, layer.document, from_quarter, to_quarter, campaign.key
            FROM cost_layer AS layer JOIN campaign ON campaign.id = campaign_id
            """)
        var wrong = 0
        while try layers.step() {
            guard let message = costLayerFault(layers) else { continue }
            wrong += 1
            if wrong <= Self.faultsPerKindMax { fault(Self.ledgerName, message) }
        }
        if wrong > Self.faultsPerKindMax {
            fault(Self.ledgerName, "\(wrong) such cost layers in all")
        }
    }

    private func costLayerFault(_ row: Statement) -> String? {
        do {
            let layer = try CostLayer(
                kept: JSONValue(parsing: row.text(1)), from: QuarterHour(number: row.int64(2)),
                to: QuarterHour(number: row.int64(3)))
            if layer.campaign.text == row.text(4) { return nil }
            return "cost layer \(row.int64(0)) of campaign \(row.text(4)) names \(layer.campaign)"
        } catch {
            return "cost layer \(row.int64(0)) can't be read"
        }
    }

    /// A server doesn't start with a rate that it can't read, and finds none of a currency that is
    /// written in another way.
    func checkRates(_ connection: Connection) throws(SQLiteError) {
        guard try connection.hasTable("exchange_rate") else { return }
        let codes = try connection.rows(
            """
            SELECT value FROM setting WHERE name = 'reporting_currency'
            UNION SELECT reporting_currency FROM exchange_rate
            UNION SELECT currency FROM exchange_rate
            """
        ) { (row) throws(SQLiteError) in row.text(0) }
        let unknown = codes.filter { Currency($0)?.code != $0 }
        for code in unknown.prefix(Self.faultsPerKindMax) {
            fault(
                Self.ledgerName,
                "the reporting currency or an exchange rate is of \"\(code)\", which is no currency"
            )
        }
    }
}
