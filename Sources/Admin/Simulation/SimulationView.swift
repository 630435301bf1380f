internal import Domain
internal import Store

/// A simulated visit as JSON.
struct SimulationView {
    private let presenter: Presenter
    private let campaign: Stored<Campaign>
    /// As it is now.
    private let present: Stored<Campaign>
    private let flow: Flow?
    private let past: Click?

    init(
        _ presenter: Presenter, _ stage: SimulationResource.Stage, _ present: Stored<Campaign>
    ) {
        self.presenter = presenter
        campaign = stage.campaign
        self.present = present
        flow = stage.catalog.flow(of: stage.campaign.value)
        past = stage.past
    }

    func members(_ visit: SimulatedVisit) -> [JSONMember] {
        let routing = RoutingView(flow, visit)
        let shown: JSONValue = [
            "campaign": campaignJSON(visit),
            "visit": visitJSON(visit),
            "rules": routing.rules,
            "paths": routing.defaults,
            "decision": routing.decision,
            "recorded": past.map { recorded($0, visit) } ?? .null,
            "caps": .array(visit.caps.map(cap)),
            "answer": answer(visit.answer),
            "urls": .array(visit.addresses.map { address($0, visit) }),
        ]
        return shown.objectValue ?? []
    }

    private func campaignJSON(_ visit: SimulatedVisit) -> JSONValue {
        let value = campaign.value
        let shared: String? =
            switch present.value.flow {
            case .own: nil
            case .shared(let key): key.text
            }
        return [
            "key": .string(value.key.text), "name": .string(value.name),
            "archived": .bool(campaign.isArchived), "source": .string(value.source.text),
            "flow": .string(orNull: shared), "flow_version": .integer(visit.version),
            "flow_is_current": .bool(
                presenter.catalog.flowVersions[campaign.id]?.id == visit.version),
            "redirect": .string(value.redirect.rawValue),
            "referrer_policy": .string(
                // What is sent, whatever the campaign says.
                value.redirect == .doubleMeta
                    ? ReferrerPolicy.noReferrer.rawValue : value.referrerPolicy.rawValue),
        ]
    }

    /// What the request was understood as, under the names that conditions have for it.
    private func visitJSON(_ visit: SimulatedVisit) -> JSONValue {
        var members = [
            JSONMember(name: "at", value: visit.at.json),
            JSONMember(name: "click_id", value: .string(visit.clickID.text)),
            JSONMember(name: "recorded", value: .bool(visit.isRecorded)),
            // In reports and towards caps.
            JSONMember(
                name: "counted", value: .bool(visit.isRecorded && visit.visit == .visitor)),
            JSONMember(name: "visit", value: .string(visit.visit.name)),
            // Null where the campaign doesn't know its visitors.
            JSONMember(
                name: "unique", value: visit.click.visitNumber.map { .bool($0 == 1) } ?? .null),
            JSONMember(name: "click_number", value: .integer(orNull: visit.click.visitNumber)),
            JSONMember(name: "ip", value: .string(orNull: visit.ip?.text)),
        ]
        members += Device.facts.map { fact in
            JSONMember(name: fact.name, value: .string(orNull: visit.device.value(of: fact)))
        }
        members += visit.place.members
        let click = visit.click
        members += [
            JSONMember(
                name: "external_id", value: click.externalID.map { .text($0) } ?? .null),
            JSONMember(name: "cost", value: click.cost?.document ?? .null),
            JSONMember(
                name: "params",
                value: .array(
                    click.parameters.map {
                        ["name": .string($0.name), "value": .text($0.value)]
                    })),
            JSONMember(name: "user_agent", value: .text(click.userAgent)),
            JSONMember(name: "referrer", value: .text(click.referrer)),
        ]
        return .object(members)
    }

    /// Where the click was sent, and whether it is sent there now. Caps, what its visitor had seen,
    /// and headers that aren't kept may have made a difference.
    private func recorded(_ past: Click, _ visit: SimulatedVisit) -> JSONValue {
        let click = visit.click
        return [
            "flow_version": .integer(orNull: past.flowVersion),
            "rule": .integer(orNull: past.rule.flatMap { $0 == 0 ? nil : $0 }),
            "path": .integer(past.path), "lander": lander(past), "offer": offer(past),
            "same": .bool(
                past.rule == click.rule && past.path == click.path
                    && lander(past) == lander(click) && offer(past) == offer(click)),
        ]
    }

    private func lander(_ click: Click) -> JSONValue {
        let version = click.landerVersion.flatMap { presenter.catalog.landerVersions[$0] }
        return version.flatMap { presenter.catalog.landers[$0.landerID] }
            .map { .string($0.value.key.text) } ?? .null
    }

    private func offer(_ click: Click) -> JSONValue {
        presenter.catalog.offerVersions[click.offerVersion].map { presenter.key($0.offerID) }
            ?? .null
    }

    private func cap(_ state: SimulatedVisit.CapState) -> JSONValue {
        let (scope, name): (String, String) =
            switch state.of {
            case .campaign: ("campaign", campaign.value.key.text)
            case .path(let name): ("path", name)
            case .offer(let key): ("offer", key.text)
            }
        return [
            "scope": .string(scope), "name": .string(name), "open": .bool(state.isOpen),
            "limits": state.caps.document, "used": .object(state.usage.members),
        ]
    }

    private func answer(_ answer: SimulatedVisit.Answer) -> JSONValue {
        [
            "status": .integer(answer.status),
            "headers": .object(
                answer.headers.map { JSONMember(name: $0.name, value: .string($0.value)) }),
            "body": .string(answer.body),
        ]
    }

    private func address(_ address: SimulatedVisit.Address, _ visit: SimulatedVisit) -> JSONValue {
        let (kind, key): (String, String?) =
            switch address.kind {
            case .lander(let key): ("lander", key.text)
            case .offer(let key): ("offer", key.text)
            case .fallback: ("fallback", nil)
            }
        return [
            "to": .string(kind), "key": .string(orNull: key),
            "link": .string(
                orNull: address.number.map {
                    presenter.services.publicURL("/o/\($0)?cid=\(visit.clickID.text)")
                }),
            "template": .string(address.template), "url": .string(address.url),
            "empty_tokens": .array(address.emptyTokens.map { .string($0) }),
        ]
    }
}
