internal import Domain

/// Why a visit is sent where it is, as JSON: every rule with what came of it, and the choices made.
struct RoutingView {
    private let flow: Flow?
    private let visit: SimulatedVisit

    init(_ flow: Flow?, _ visit: SimulatedVisit) {
        self.flow = flow
        self.visit = visit
    }

    var rules: JSONValue {
        let rules = flow?.rules ?? []
        return .array(
            zip(rules, visit.routing.rules).enumerated().map { index, pair in
                let (rule, explained) = pair
                return [
                    "rule": .integer(index + 1), "name": .string(orNull: rule.name),
                    "result": .string(explained.outcome.rawValue),
                    "why": .string(why(explained)),
                    "failed": .array(explained.failures.map(Self.failure)),
                    "clock": .string(orNull: explained.clock),
                    "paths": paths(rule.paths, explained.paths),
                ]
            })
    }

    var defaults: JSONValue { paths(flow?.paths ?? [], visit.routing.defaults) }

    private func why(_ rule: RuleExplanation) -> String {
        switch rule.outcome {
        case .disabled: "it is disabled"
        case .hasNoPath: "no path of it is enabled and has a weight"
        case .outOfSchedule: "its schedule is not in force: it is \(rule.clock ?? "")"
        case .conditionFailed: rule.failures.map(Self.sentence).joined(separator: "; ")
        case .closed: "it holds, but a cap closes each of its paths"
        case .taken: "it holds"
        case .notTried: "rule \(visit.routing.decision?.rule ?? 0) took the visitor before"
        }
    }

    private static func sentence(_ failure: ConditionFailure) -> String {
        if let value = failure.value { return "\(failure.condition): it is \(value)" }
        if failure.isUnknown { return "\(failure.condition): the location files don't tell" }
        return "\(failure.condition): it is not so"
    }

    private static func failure(_ failure: ConditionFailure) -> JSONValue {
        [
            "condition": .string(failure.condition), "value": .string(orNull: failure.value),
            "unknown": .bool(failure.isUnknown),
        ]
    }

    // MARK: Choices

    private func paths(_ paths: [Path], _ explained: [PathExplanation]) -> JSONValue {
        .array(
            zip(paths, explained).enumerated().map { index, pair in
                let (path, explained) = pair
                return .object(
                    [
                        JSONMember(name: "path", value: .integer(index + 1)),
                        JSONMember(name: "name", value: .string(orNull: path.name)),
                    ] + Self.members(explained.way) + [
                        JSONMember(
                            name: "landers",
                            value: Self.ways(
                                "lander", path.landers.map(\.lander), explained.landers)),
                        JSONMember(
                            name: "offers",
                            value: Self.ways("offer", path.offers.map(\.offer), explained.offers)),
                    ])
            })
    }

    private static func ways(_ name: String, _ keys: [EntityKey], _ ways: [WayExplanation])
        -> JSONValue
    {
        .array(
            zip(keys, ways).map { key, way in
                .object([JSONMember(name: name, value: .string(key.text))] + members(way))
            })
    }

    private static func members(_ way: WayExplanation) -> [JSONMember] {
        [
            JSONMember(name: "weight", value: .integer(way.weight)),
            JSONMember(name: "state", value: .string(way.state.rawValue)),
            JSONMember(name: "share", value: .string(way.share.text)),
        ]
    }

    // MARK: Decision

    var decision: JSONValue {
        let routing = visit.routing
        var path: SimulatedVisit.PathEnd?
        let fallback: String?
        let why: String
        switch visit.end {
        case .path(let end):
            (path, fallback, why) = (end, nil, self.why(end))
        case .fallback(let owner, let reason): (fallback, why) = (owner.rawValue, reason)
        case .nowhere(let reason): (fallback, why) = (nil, reason)
        }
        let drawn: JSONValue = [
            "path": .string(routing.drawnPath.text), "lander": .string(routing.drawnLander.text),
            "offer": .string(routing.drawnOffer.text),
        ]
        return [
            // As journeys have it: the default paths are no rule, and -1 is no path at all.
            "rule": path.map { $0.decision.rule == 0 ? .null : .integer($0.decision.rule) }
                ?? .integer(Decision.fallbackRule),
            "path": .integer(path?.decision.path ?? 0),
            "path_name": .string(orNull: path?.pathName),
            "lander": .string(orNull: path?.lander?.text),
            "offer": .string(orNull: path?.offer.text),
            "overflow_of": .string(orNull: path?.overflowOf?.text),
            "fallback": .string(orNull: fallback),
            "why": .string(why),
            "drawn": path == nil || routing.isRemembered ? .null : drawn,
            "flow_version": .integer(visit.version),
            "lander_version": .integer(orNull: visit.click.landerVersion),
            "offer_version": .integer(
                orNull: visit.click.offerVersion == 0 ? nil : visit.click.offerVersion),
        ]
    }

    private func why(_ end: SimulatedVisit.PathEnd) -> String {
        let routing = visit.routing
        let decision = end.decision
        var parts = [
            decision.rule == 0
                ? "no rule took the visitor, so the default paths do"
                : "rule \(decision.rule) is the first that holds and has an open path"
        ]
        if routing.isRemembered {
            parts.append("the visitor was sent there before")
        } else {
            let paths =
                decision.rule == 0
                ? routing.defaults : routing.rules[decision.rule - 1].paths
            let path = paths[decision.path - 1]
            parts += Self.choice(
                "path \(decision.path)", path.way, among: paths.map(\.way),
                routing.drawnPath)
            if let lander = decision.lander {
                parts += Self.choice(
                    "lander \(end.lander?.text ?? "")", path.landers[lander], among: path.landers,
                    routing.drawnLander)
            }
            parts += Self.choice(
                "offer \((end.overflowOf ?? end.offer).text)", path.offers[decision.offer],
                among: path.offers, routing.drawnOffer)
        }
        if let full = end.overflowOf {
            parts.append("offer \(full) is full and overflows to \(end.offer)")
        }
        return parts.joined(separator: "; ")
    }

    /// Nothing where there was nothing to choose.
    private static func choice(
        _ name: String, _ way: WayExplanation, among ways: [WayExplanation], _ drawn: DrawnNumber
    ) -> [String] {
        let open = ways.filter { $0.state == .open }.count
        if open < 2 { return ways.count > 1 ? ["\(name) is the only open one"] : [] }
        return ["\(name) by weight (share \(way.share.text) of \(open), drawn \(drawn.text))"]
    }
}
