/// A flow, ready to decide. The decision is a pure function of the click's row ID, the flow's
/// version and the facts, so that any past one can be computed again.
///
/// A rule's conditions are taken apart: what they ask of a device or a place alone is worked out
/// once for each of these where the sheet brings it (`FactSheet.remember`), the rest for each click.
public final class Router: Sendable {
    public let version: Int64
    /// What the rules ask for; a `FactSheet` holds the values in this order.
    public let facts: [Fact]
    /// How many of `facts`, from the first, have to be in a sheet that brings what the visit's
    /// device and place leave.
    public let clickFactCount: Int
    let rules: [RouterRule]
    private let devices: PartRules
    private let places: PartRules
    private let index: RuleIndex
    /// What of each rule is neither of a device nor of a place alone.
    private let rest: RuleSteps
    private let defaults: PathChoice?

    public init(_ flow: Flow, version: Int64) {
        self.version = version
        let usable = flow.rules.enumerated().compactMap { index, rule in
            PathChoice(rule.paths).flatMap { rule.isEnabled ? (index + 1, rule, $0) : nil }
        }
        let conjuncts = usable.map(\.1.when.root.conjuncts)
        func all(_ part: VisitPart) -> [[Condition.Node]] {
            conjuncts.map { $0.filter { $0.part == part } }
        }
        // Those that differ from click to click come first.
        let clickFacts = FactSlots(all(.click).joined().flatMap(\.facts))
        clickFactCount = clickFacts.facts.count
        let slots = FactSlots(clickFacts.facts + flow.rules.flatMap(\.when.facts))
        facts = slots.facts
        devices = PartRules(all(.device), slots)
        places = PartRules(all(.place), slots)
        let rest = all(.click).map { nodes in
            CompiledCondition(nodes.count == 1 ? nodes[0] : .all(nodes), slots)
        }
        index = RuleIndex(rest)
        self.rest = RuleSteps(rest)
        rules = usable.map { number, rule, paths in
            RouterRule(
                number: number, paths: paths, schedule: rule.schedule,
                condition: CompiledCondition(rule.when.root, slots))
        }
        defaults = PathChoice(flow.paths)
    }

    /// Where the click goes; nil when no rule and no default path takes it.
    public func decide(_ rowID: ClickRowID, _ sheet: FactSheet) -> Decision? {
        let seed = seed(rowID)
        return first(sheet) { rule in rule.paths.decide(seed, rule: rule.number) }
            ?? defaults?.decide(seed, rule: 0)
    }

    /// As `decide(_:_:)` among what `selection` leaves open: a rule whose paths are all closed is
    /// passed over. With everything open, unseen and nothing remembered it decides the same.
    public func decide(
        _ rowID: ClickRowID, _ sheet: FactSheet, _ selection: some Selection
    ) -> Decision? {
        let seed = seed(rowID)
        return first(sheet) { rule in rule.paths.decide(seed, rule: rule.number, selection) }
            ?? defaults?.decide(seed, rule: 0, selection)
    }

    /// Whether a rule looks at the visit at all: without one the sheet may stay empty.
    public var hasRules: Bool { !rules.isEmpty }

    /// The rules that the device in the sheet leaves.
    public func rulesLeftByDevice(_ sheet: FactSheet) -> RuleSet { devices.rules(sheet) }

    /// The rules that the place in the sheet leaves.
    public func rulesLeftByPlace(_ sheet: FactSheet) -> RuleSet { places.rules(sheet) }

    /// What `body` gives for the first rule that holds and that it gives something for.
    private func first(_ sheet: FactSheet, _ body: (RouterRule) -> Decision?) -> Decision? {
        guard hasRules else { return nil }
        if let remembered = sheet.rememberedRules {
            return first(sheet, among: remembered, body)
        }
        let left = devices.rules(sheet).intersection(places.rules(sheet))
        return left.words.withUnsafeBufferPointer { first(sheet, among: $0, body) }
    }

    private func first(
        _ sheet: FactSheet, among left: UnsafeBufferPointer<UInt64>,
        _ body: (RouterRule) -> Decision?
    ) -> Decision? {
        index.first(sheet, among: left) { place in
            guard rest.holds(place, sheet) else { return nil }
            let rule = rules[place]
            return rule.isScheduled(sheet) ? body(rule) : nil
        }
    }

    func seed(_ rowID: ClickRowID) -> UInt64 {
        WeightedChoice.mix(
            UInt64(bitPattern: rowID.rawValue), salt: UInt64(bitPattern: version))
    }
}

/// A rule that can take visitors: it is enabled and has a usable path.
final class RouterRule: Sendable {
    let number: Int
    let paths: PathChoice
    let schedule: Schedule?
    /// The whole one, for explanations.
    let condition: CompiledCondition

    init(
        number: Int, paths: PathChoice, schedule: Schedule?, condition: CompiledCondition
    ) {
        self.number = number
        self.paths = paths
        self.schedule = schedule
        self.condition = condition
    }

    func holds(_ sheet: FactSheet) -> Bool {
        isScheduled(sheet) && condition.evaluate(sheet) == .yes
    }

    func isScheduled(_ sheet: FactSheet) -> Bool {
        schedule?.contains(sheet.instant) ?? true
    }
}
