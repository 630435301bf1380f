internal import Domain
internal import Store

/// Everything that is known of one click: where its visitor was sent, what the network reported,
/// and what the traffic source was told.
struct Journey {
    /// Of each kind of item; a journey that has more says `truncated`.
    static let itemsMax = 1000

    let reader: LedgerReader
    let presenter: Presenter

    /// Nil when nothing is left of the click but its ID.
    func json(_ identity: ClickIdentity) throws(StoreError) -> JSONValue? {
        let row = try reader.clicks.click(identity.rowID)
        let conversions = try conversions(identity.rowID)
        let postbacks = try postbacks(identity.rowID)
        let deliveries = try deliveries(identity.rowID)
        if row == nil, conversions.items.isEmpty, postbacks.items.isEmpty { return nil }

        // A conversion has a copy of its click, which outlives the click's day file.
        let conversion = conversions.items.last
        let kept = row ?? conversion?.click
        let source = conversion?.sourceID ?? self.source(ofCampaign: identity.campaignID)
        // What decided about the visitor, read once for all locations.
        let decided = try kept?.flowVersion.flatMap { (id) throws(StoreError) in
            try reader.flowVersion(id)
        }
        var members = click(kept, identity, decided, source: source)
        if row == nil { members.append(JSONMember(name: "purged", value: true)) }
        var items: [JSONValue] = []
        let landerClicks = try reader.landerClicks(of: identity.rowID)
        for landerClick in landerClicks.prefix(Self.itemsMax) {
            items.append(self.landerClick(landerClick, kept, decided, source: source))
        }
        members.append(JSONMember(name: "lander_clicks", value: .array(items)))
        items.removeAll()
        for conversion in conversions.items.reversed() {
            items.append(try reader.json(conversion, presenter))
        }
        members.append(JSONMember(name: "conversions", value: .array(items)))
        members.append(
            JSONMember(
                name: "postbacks",
                value: .array(
                    postbacks.items.reversed().map { presenter.postback($0, click: identity) })))
        items.removeAll()
        for delivery in deliveries.items.reversed() {
            items.append(try reader.json(delivery, presenter))
        }
        members.append(JSONMember(name: "deliveries", value: .array(items)))
        let cursors = [conversions.nextCursor, postbacks.nextCursor, deliveries.nextCursor]
        if landerClicks.count > Self.itemsMax || cursors.contains(where: { $0 != nil }) {
            members.append(JSONMember(name: "truncated", value: true))
        }
        return .object(members)
    }

    /// The click's own fields; without a click, those that its ID tells.
    private func click(
        _ click: Click?, _ identity: ClickIdentity, _ decided: FlowVersion?, source: SourceID?
    ) -> [JSONMember] {
        let campaign = presenter.catalog.campaigns[click?.campaignID ?? identity.campaignID]
        let version = click.flatMap { presenter.catalog.offerVersions[$0.offerVersion] }
        let lander = click?.landerVersion.flatMap { presenter.catalog.landerVersions[$0] }
        let location = location(
            click, decided, lander?.url ?? version?.url, lander, version, source: source)
        let fields: JSONValue = [
            "click_id": presenter.clickID(identity),
            "campaign": .string(orNull: campaign?.value.key.text),
            "source": source.map { presenter.key($0) } ?? .null,
            "external_id": click?.externalID.map { .text($0) } ?? .null,
            "at": identity.rowID.instant.json,
            "cost": click?.cost?.document ?? .null,
            "vars": click.map { variables($0) } ?? .null,
            "ip": .string(orNull: click?.ip?.text),
            "user_agent": click.map { .text($0.userAgent) } ?? .null,
            "referrer": click.map { .text($0.referrer) } ?? .null,
            "flow_version": .integer(orNull: click?.flowVersion),
            // The default paths are no rule.
            "rule": .integer(orNull: click?.rule.flatMap { $0 == 0 ? nil : $0 }),
            "path": click.map { .integer($0.path) } ?? .null,
            "lander": lander.flatMap { presenter.catalog.landers[$0.landerID] }
                .map { .string($0.value.key.text) } ?? .null,
            "offer": version.map { presenter.key($0.offerID) } ?? .null,
            "location": location ?? .null,
        ]
        return (fields.objectValue ?? []) + visitor(click)
    }

    /// Who came, under the names that conditions have for it.
    private func visitor(_ click: Click?) -> [JSONMember] {
        [
            JSONMember(name: "visit", value: .string(orNull: click?.visit.name)),
            JSONMember(name: "click_number", value: .integer(orNull: click?.visitNumber)),
        ]
            + Device.facts.map { fact in
                JSONMember(
                    name: fact.name, value: .string(orNull: click?.device?.value(of: fact)))
            } + (click?.place ?? .unknown).members
    }

    private func source(ofCampaign id: CampaignID) -> SourceID? {
        presenter.catalog.campaigns[id].flatMap {
            presenter.catalog.sources[$0.value.source]?.id
        }
    }

    private func landerClick(
        _ landerClick: LanderClick, _ click: Click?, _ decided: FlowVersion?, source: SourceID?
    ) -> JSONValue {
        let version = presenter.catalog.offerVersions[landerClick.offerVersion]
        let number: JSONValue =
            switch landerClick.number {
            case .nth(let number): .integer(number)
            case .any: "any"
            }
        return [
            "at": landerClick.id.instant.json, "number": number,
            "offer": version.map { presenter.key($0.offerID) } ?? .null,
            "location": location(
                click, decided, version?.url,
                click?.landerVersion.flatMap { presenter.catalog.landerVersions[$0] }, version,
                source: source) ?? .null,
        ]
    }

    /// By the names in the campaign URL; of a repeated one the first, which tokens use too.
    private func variables(_ click: Click) -> JSONValue {
        var members: [JSONMember] = []
        var names: Set<String> = []
        for parameter in click.parameters where names.insert(parameter.name).inserted {
            members.append(JSONMember(name: parameter.name, value: .text(parameter.value)))
        }
        return .object(members)
    }

    /// Where the visitor was sent: the wording the page had then, filled again. Without one it was
    /// the fallback URL.
    private func location(
        _ click: Click?, _ decided: FlowVersion?, _ text: String?, _ lander: LanderVersion?,
        _ version: OfferVersion?, source: SourceID?
    ) -> JSONValue? {
        guard let click else { return nil }
        let text = text ?? decided?.document["fallback_url"]?.stringValue
        // It was checked when it was saved; one that can't be read any more can't be shown.
        guard let text, let url = try? URLTemplate(text) else { return nil }
        let catalog = presenter.catalog
        let values = ClickValues(
            click: click, clickID: presenter.services.clickIDs.seal(click.identity),
            names: ClickValues.Names(
                campaign: catalog.campaigns[click.campaignID]?.value.key, sourceID: source,
                networkID: version?.networkID, offerID: version?.offerID,
                landerID: lander?.landerID,
                variables: source.flatMap { catalog.sources[$0] }
                    .map { catalog.variables(of: $0.value) } ?? [:]),
            sha256Hex: presenter.services.sha256Hex)
        var bytes: [UInt8] = []
        url.fill(values, into: &bytes)
        if let decided, let source = source.flatMap({ catalog.sources[$0] })?.value,
            let passing = ParameterPassing(decided.passedParameters, from: source)
        {
            let costModel = catalog.campaigns[click.campaignID]?.value.cost.model
            passing.append(
                click.parametersToPass(from: source, costIsParameter: costModel == .param),
                toAddressFrom: 0, in: &bytes)
        }
        return .text(bytes)
    }

    private func conversions(_ rowID: ClickRowID) throws(StoreError) -> Page<Conversion> {
        var filter = ConversionFilter()
        filter.clickRowID = rowID
        return try reader.conversions(filter, limit: Self.itemsMax, cursor: nil)
    }

    private func postbacks(_ rowID: ClickRowID) throws(StoreError) -> Page<StoredPostback> {
        var filter = PostbackFilter()
        filter.clickRowID = rowID
        return try reader.postbacks(filter, limit: Self.itemsMax, cursor: nil)
    }

    private func deliveries(_ rowID: ClickRowID) throws(StoreError) -> Page<Delivery> {
        var filter = DeliveryFilter()
        filter.clickRowID = rowID
        return try reader.deliveries(filter, limit: Self.itemsMax, cursor: nil)
    }
}
