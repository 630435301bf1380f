internal import Domain
internal import Store

/// What would become of a visit, and why. It writes nothing.
enum SimulationResource {
    static let routes = [Route("POST", "/campaigns/{}/simulate", simulate)]

    @Sendable private static func simulate(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let presenter = Presenter(call)
        let key = EntityKey(call.parameter())
        guard let campaign = key.flatMap({ presenter.catalog.campaigns[$0] }) else {
            throw Problem(.notFound, "there is no campaign \"\(call.parameter())\"")
        }
        let document = call.request.body.isEmpty ? [:] : try call.document()
        let sample: SampleVisit
        do throws(ValidationError) {
            sample = try SampleVisit(document: document)
        } catch {
            throw Problem(error)
        }
        return .prepare { reader throws(StoreError) in
            let stage = try Stage(sample, document, campaign, presenter, reader)
            let now = presenter.services.now()
            let visit = try presenter.services.simulate(
                stage.sample, stage.campaign, stage.catalog, now)
            var members = SimulationView(presenter, stage, campaign).members(visit)
            members += try expected(visit, sample.report, presenter, now)
            return .done(APIResponse(.object(members)))
        }
    }

    /// What comes after the visit: the network's call, and the calls that follow from it.
    private static func expected(
        _ visit: SimulatedVisit, _ report: SampleReport, _ presenter: Presenter, _ now: Instant
    ) throws(StoreError) -> [JSONMember] {
        guard visit.click.offerVersion != 0 else {
            return [
                JSONMember(name: "postback", value: .null),
                JSONMember(name: "calls", value: []),
            ]
        }
        // A conversion comes after its click.
        let expected = try presenter.services.rules.expect(
            report, of: visit.click, visit.clickID, catalog: presenter.catalog,
            now: max(now, visit.at))
        return presenter.members(expected)
    }

    /// What a visit is simulated with: things as they are now, or as they were for a recorded click.
    struct Stage {
        let sample: SampleVisit
        let campaign: Stored<Campaign>
        let catalog: Catalog
        /// The recorded click that the sample recalls.
        let past: Click?

        init(
            _ sample: SampleVisit, _ document: JSONValue, _ campaign: Stored<Campaign>,
            _ presenter: Presenter, _ reader: LedgerReader
        ) throws(StoreError) {
            let catalog = presenter.catalog
            let identity = sample.clickID.flatMap { presenter.services.clickIDs.open($0) }
            past = try identity.flatMap { identity throws(StoreError) in
                identity.campaignID == campaign.id ? try reader.click(identity) : nil
            }
            do throws(ValidationError) {
                self.sample =
                    past == nil
                    ? sample
                    : try SampleVisit(
                        document: document, recalling: past,
                        of: catalog.sources[campaign.value.source].map {
                            (campaign.value.cost, $0.value)
                        })
            } catch {
                throw .invalid(error)
            }
            let version = sample.flowVersion ?? past?.flowVersion
            guard let version, version != catalog.flowVersions[campaign.id]?.id else {
                (self.campaign, self.catalog) = (campaign, catalog)
                return
            }
            let known = try reader.flowVersion(version, of: campaign.id)
            if known == nil, sample.flowVersion != nil {
                throw .invalid(
                    ValidationError("flow_version", "is no version of this campaign's flow"))
            }
            let then = known.flatMap { catalog.asOf($0, campaign) }
            self.campaign = then?.campaign ?? campaign
            self.catalog = then?.catalog ?? catalog
        }
    }
}
