internal import Domain
internal import Store

/// What would become of a visit, and why. It writes nothing.
enum SimulationResource {
    static let routes = [Route("POST", "/campaigns/{}/simulate", simulate)]

    @Sendable private static func simulate(_ call: Call, _ query: inout QueryReader)
        throws(Problem) -> Work
    {
        let catalog = call.catalog
        guard let campaign = EntityKey(call.parameter()).flatMap({ catalog.campaigns[$0] }) else {
            throw Problem(.notFound, "there is no campaign \"\(call.parameter())\"")
        }
        let document = call.request.body.isEmpty ? [:] : try call.document()
        let sample: SampleVisit
        do throws(ValidationError) {
            sample = try SampleVisit(document: document)
        } catch {
            throw Problem(error)
        }
        let presenter = Presenter(call)
        return .prepare { _ throws(StoreError) in
            let services = presenter.services
            let now = services.now()
            let visit = try services.simulate(sample, campaign, catalog, now)
            let flow = catalog.flow(of: campaign.value)
            var members = SimulationView(presenter, campaign, flow).members(visit)
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
}
