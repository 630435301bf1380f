internal import Domain
internal import Store

/// From an ID, whosever it is, to the whole journey of its click.
enum TraceResource {
    /// Journeys in one answer; where there are more it says `truncated`.
    static let journeysMax = 50
    /// Days, back from the newest, whose clicks are searched for an external ID: they have no index
    /// by it, so each day is read from end to end.
    static let daysMax = 31

    static let routes = [
        Route("GET", "/clicks/{}", click), Route("GET", "/trace/{}", trace),
    ]

    private enum Kind: String {
        case click
        case conversion
        case delivery
        case transactionID = "transaction_id"
        case externalID = "external_id"
    }

    /// The journey itself where there is one, as for every click ID; else what a trace answers.
    @Sendable private static func click(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        answer(call) { traced in
            traced.journeys.count == 1 && !traced.isTruncated ? traced.journeys[0] : traced.json
        }
    }

    @Sendable private static func trace(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        answer(call, shown: \.json)
    }

    private static func answer(_ call: Call, shown: @escaping @Sendable (Traced) -> JSONValue)
        -> Work
    {
        // Bytes, because external IDs are.
        let id = call.parameters[0]
        let presenter = Presenter(call)
        return .read { reader throws(StoreError) in
            let found = try find(id, reader, presenter)
            let journey = Journey(reader: reader, presenter: presenter)
            var journeys: [JSONValue] = []
            for identity in found.identities.prefix(journeysMax) {
                if let json = try journey.json(identity) { journeys.append(json) }
            }
            guard let kind = found.kind, !journeys.isEmpty else {
                if let identity = found.identities.first {
                    throw .notFound(missing(identity, presenter))
                }
                let text = String(decoding: id, as: UTF8.self)
                let foreign =
                    ClickID(text) == nil ? "" : "; it is a click ID that was not issued here"
                throw .notFound(
                    "no click, conversion or delivery has the ID \"\(text)\"\(foreign); clicks were "
                        + "searched for the external ID back to "
                        + (found.searchedFrom?.text ?? "the first"))
            }
            return APIResponse(
                shown(
                    Traced(
                        kind: kind, journeys: journeys,
                        isTruncated: found.identities.count > journeysMax)))
        }
    }

    /// What an ID leads to.
    private struct Traced {
        let kind: Kind
        /// At least one.
        let journeys: [JSONValue]
        let isTruncated: Bool

        var json: JSONValue {
            var members = [
                JSONMember(name: "kind", value: .string(kind.rawValue)),
                JSONMember(name: "journeys", value: .array(journeys)),
            ]
            if isTruncated { members.append(JSONMember(name: "truncated", value: true)) }
            return .object(members)
        }
    }

    private struct Found {
        var kind: Kind?
        var identities: [ClickIdentity] = []
        /// The oldest day whose clicks were read.
        var searchedFrom: Day?

        mutating func add(_ identity: ClickIdentity, _ kind: Kind) {
            self.kind = kind
            if !identities.contains(identity) { identities.append(identity) }
        }
    }

    /// Tries the meanings an ID can have, from the one that can't be mistaken to the one that costs
    /// most to look for, and stops at the first that is known.
    private static func find(_ id: [UInt8], _ reader: LedgerReader, _ presenter: Presenter)
        throws(StoreError) -> Found
    {
        var found = Found()
        let text = String(decoding: id, as: UTF8.self)
        if let identity = ClickID(text).flatMap({ presenter.services.clickIDs.open($0) }) {
            found.add(identity, .click)
            return found
        }
        if let id = ConversionID(text), let conversion = try reader.conversion(id) {
            found.add(conversion.click.identity, .conversion)
            return found
        }
        if let delivery = try delivery(text, reader),
            let conversion = try reader.conversion(delivery.conversionID)
        {
            found.add(conversion.click.identity, .delivery)
            return found
        }
        var filter = ConversionFilter()
        filter.transactionID = text
        for conversion in try reader.conversions(filter, limit: journeysMax + 1, cursor: nil).items
        {
            found.add(conversion.click.identity, .transactionID)
        }
        if found.kind == nil { try findExternal(id, reader, &found) }
        return found
    }

    /// By the `Idempotency-Key` that receivers see.
    private static func delivery(_ text: String, _ reader: LedgerReader) throws(StoreError)
        -> Delivery?
    {
        guard let id = Delivery.id(idempotencyKey: text) else { return nil }
        return try reader.delivery(id)
    }

    private static func findExternal(_ id: [UInt8], _ reader: LedgerReader, _ found: inout Found)
        throws(StoreError)
    {
        var filter = ConversionFilter()
        filter.externalID = id
        for conversion in try reader.conversions(filter, limit: journeysMax + 1, cursor: nil).items
        {
            found.add(conversion.click.identity, .externalID)
        }
        for day in try reader.clickDays().suffix(daysMax).reversed() {
            if found.identities.count > journeysMax { return }
            for click in try reader.clicks.clicks(externalID: id, on: day, limit: journeysMax + 1) {
                found.add(click.identity, .externalID)
            }
            found.searchedFrom = day
        }
    }

    private static func missing(_ identity: ClickIdentity, _ presenter: Presenter) -> String {
        let campaign = presenter.catalog.campaigns[identity.campaignID]?.value.key.text
        return "this click ID was issued at \(identity.rowID.instant.rfc3339)"
            + (campaign.map { " for campaign \"\($0)\"" } ?? "")
            + ", but its click is not stored (any more)"
    }
}
