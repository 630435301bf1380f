/// Why a flow sends a visitor where it does: what came of each rule, and how the choices by weight
/// were made. It is told of a decision that the router made itself; tests hold the two together.
public struct RoutingExplanation: Sendable {
    /// All of the flow's, in their order.
    public let rules: [RuleExplanation]
    public let defaults: [PathExplanation]
    /// As `Router.decide` says.
    public let decision: Decision?
    /// It is where the visitor was sent before, not a choice by weight.
    public let isRemembered: Bool
    public let drawnPath: DrawnNumber
    public let drawnLander: DrawnNumber
    public let drawnOffer: DrawnNumber
}

public struct RuleExplanation: Sendable {
    public enum Outcome: String, Sendable {
        case disabled
        /// None that is enabled has a weight.
        case hasNoPath = "no_usable_path"
        case outOfSchedule = "out_of_schedule"
        case conditionFailed = "condition_failed"
        /// By caps: the rule holds, and takes nobody.
        case closed
        case taken
        /// A rule before it has taken the visitor.
        case notTried = "not_tried"
    }

    public let outcome: Outcome
    /// At most `failuresMax`.
    public let failures: [ConditionFailure]
    /// What the schedule's clocks show.
    public let clock: String?
    public let paths: [PathExplanation]

    static let failuresMax = 20
}

public struct PathExplanation: Sendable {
    public let way: WayExplanation
    public let landers: [WayExplanation]
    public let offers: [WayExplanation]
}

extension Router {
    /// - Parameter flow: the one that this router was made of.
    public func explain(
        _ flow: Flow, _ rowID: ClickRowID, _ sheet: FactSheet, _ selection: some Selection
    ) -> RoutingExplanation {
        let seed = seed(rowID)
        let decision = decide(rowID, sheet, selection)
        var isTaken = false
        let rules = flow.rules.enumerated().map { index, rule in
            let number = index + 1
            let paths = PathExplanation.all(of: rule.paths, rule: number, selection)
            let (outcome, failures): (RuleExplanation.Outcome, [ConditionFailure])
            if !rule.isEnabled {
                (outcome, failures) = (.disabled, [])
            } else if let compiled = self.rules.first(where: { $0.number == number }) {
                (outcome, failures) = isTaken ? (.notTried, []) : compiled.outcome(sheet, paths)
            } else {
                (outcome, failures) = (.hasNoPath, [])
            }
            if outcome == .taken { isTaken = true }
            return RuleExplanation(
                outcome: outcome, failures: failures,
                clock: rule.schedule?.clockText(at: sheet.instant), paths: paths)
        }
        func drawn(_ salt: UInt64) -> DrawnNumber {
            DrawnNumber(bits: WeightedChoice.mix(seed, salt: salt))
        }
        return RoutingExplanation(
            rules: rules, defaults: PathExplanation.all(of: flow.paths, rule: 0, selection),
            decision: decision,
            isRemembered: decision != nil && decision == selection.remembered,
            drawnPath: drawn(PathChoice.Salt.path), drawnLander: drawn(PathChoice.Salt.lander),
            drawnOffer: drawn(PathChoice.Salt.offer))
    }
}

extension RouterRule {
    fileprivate func outcome(_ sheet: FactSheet, _ paths: [PathExplanation])
        -> (RuleExplanation.Outcome, [ConditionFailure])
    {
        if holds(sheet) {
            return (paths.contains { $0.way.state == .open } ? .taken : .closed, [])
        }
        if let schedule, !schedule.contains(sheet.instant) { return (.outOfSchedule, []) }
        return (
            .conditionFailed,
            Array(condition.failures(sheet).prefix(RuleExplanation.failuresMax))
        )
    }
}

extension PathExplanation {
    fileprivate static func all(of paths: [Path], rule: Int, _ selection: some Selection)
        -> [PathExplanation]
    {
        var explained = paths.enumerated().map { index, path in
            PathExplanation(path, rule: rule, number: index + 1, selection)
        }
        // Where everything open is seen, everything open is chosen among.
        if !explained.contains(where: { $0.way.state == .open }) {
            explained = explained.map { $0.with($0.way.state == .seen ? .open : $0.way.state) }
        }
        let ways = explained.map(\.way).shared()
        return zip(explained, ways).map { path, way in
            PathExplanation(way: way, landers: path.landers, offers: path.offers)
        }
    }

    private init(_ path: Path, rule: Int, number: Int, _ selection: some Selection) {
        let offers = path.offers.enumerated().map { index, offer in
            let state: WayExplanation.State =
                if offer.weight == 0 {
                    .weightless
                } else if !selection.isOpen(rule: rule, path: number, offer: index) {
                    .closed
                } else {
                    selection.isUnseen(rule: rule, path: number, offer: index) ? .open : .seen
                }
            return WayExplanation(state, weight: offer.weight)
        }
        let landers = path.landers.enumerated().map { index, lander in
            let isUnseen = selection.isUnseen(rule: rule, path: number, lander: index)
            return WayExplanation(
                lander.weight == 0 ? .weightless : isUnseen ? .open : .seen, weight: lander.weight)
        }
        let state: WayExplanation.State =
            if !path.isEnabled {
                .disabled
            } else if !path.isUsable {
                .weightless
            } else if !selection.isOpen(rule: rule, path: number)
                || !offers.contains(where: { $0.state == .open || $0.state == .seen })
            {
                .closed
            } else {
                offers.contains { $0.state == .open } ? .open : .seen
            }
        way = WayExplanation(state, weight: path.weight)
        self.offers = Self.settled(offers)
        self.landers = Self.settled(landers)
    }

    private func with(_ state: WayExplanation.State) -> PathExplanation {
        PathExplanation(
            way: WayExplanation(state, weight: way.weight), landers: landers, offers: offers)
    }

    /// With their shares; where all that is open is seen, that is no matter.
    private static func settled(_ ways: [WayExplanation]) -> [WayExplanation] {
        guard !ways.contains(where: { $0.state == .open }) else { return ways.shared() }
        return ways.map {
            $0.state == .seen ? WayExplanation(.open, weight: $0.weight) : $0
        }.shared()
    }
}
