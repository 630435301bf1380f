/// The weights of a list of paths, and of what lies behind each.
struct PathChoice: Sendable {
    private let choice: WeightedChoice
    /// Nil where a path is not usable.
    private let paths: [Behind?]

    /// What lies behind a path. A class: each click looks, and copying lists counts references.
    private final class Behind: Sendable {
        let landers: WeightedChoice?
        let offers: WeightedChoice

        init?(_ path: Path) {
            guard path.isUsable, let offers = WeightedChoice(weights: path.offers.map(\.weight))
            else { return nil }
            landers = WeightedChoice(weights: path.landers.map(\.weight))
            self.offers = offers
        }
    }

    /// Path, lander and offer are three independent choices.
    enum Salt {
        static let path: UInt64 = 1
        static let offer: UInt64 = 2
        static let lander: UInt64 = 3
    }

    /// Nil when no path of them is usable.
    init?(_ paths: [Path]) {
        guard
            let choice = WeightedChoice(weights: paths.map { $0.isUsable ? $0.weight : 0 })
        else { return nil }
        self.choice = choice
        self.paths = paths.map(Behind.init)
    }

    func decide(_ seed: UInt64, rule: Int) -> Decision? {
        let index = choice.index(for: WeightedChoice.mix(seed, salt: Salt.path))
        guard let path = paths[index] else { return nil }
        return Decision(
            rule: rule, path: index + 1,
            lander: path.landers?.index(for: WeightedChoice.mix(seed, salt: Salt.lander)),
            offer: path.offers.index(for: WeightedChoice.mix(seed, salt: Salt.offer)))
    }

    func decide(_ seed: UInt64, rule: Int, _ selection: some Selection) -> Decision? {
        if let remembered = selection.remembered, remembered.rule == rule,
            holds(remembered, selection)
        {
            return remembered
        }
        func isOpen(_ path: Int) -> Bool {
            selection.isOpen(rule: rule, path: path + 1)
                && offers(of: path, rule: rule, selection, areUnseen: false)
        }
        let number = WeightedChoice.mix(seed, salt: Salt.path)
        let index =
            choice.index(for: number) { path in
                isOpen(path) && offers(of: path, rule: rule, selection, areUnseen: true)
            } ?? choice.index(for: number, where: isOpen)
        guard let index, let path = paths[index] else { return nil }
        let offer = Self.pick(
            path.offers, WeightedChoice.mix(seed, salt: Salt.offer),
            isOpen: { selection.isOpen(rule: rule, path: index + 1, offer: $0) },
            isUnseen: { selection.isUnseen(rule: rule, path: index + 1, offer: $0) })
        guard let offer else { return nil }
        let lander = path.landers.flatMap { landers in
            Self.pick(
                landers, WeightedChoice.mix(seed, salt: Salt.lander), isOpen: { _ in true },
                isUnseen: { selection.isUnseen(rule: rule, path: index + 1, lander: $0) })
        }
        return Decision(rule: rule, path: index + 1, lander: lander, offer: offer)
    }

    /// Whether the path has an offer that may be chosen.
    private func offers(
        of path: Int, rule: Int, _ selection: some Selection, areUnseen: Bool
    ) -> Bool {
        guard let offers = paths[path]?.offers else { return false }
        return (0..<offers.count).contains { offer in
            offers.weight(offer) > 0 && selection.isOpen(rule: rule, path: path + 1, offer: offer)
                && (!areUnseen
                    || selection.isUnseen(rule: rule, path: path + 1, offer: offer))
        }
    }

    private static func pick(
        _ choice: WeightedChoice, _ number: UInt64, isOpen: (Int) -> Bool, isUnseen: (Int) -> Bool
    ) -> Int? {
        choice.index(for: number) { isOpen($0) && isUnseen($0) }
            ?? choice.index(for: number, where: isOpen)
    }

    /// Whether what was chosen before could be chosen now.
    private func holds(_ decision: Decision, _ selection: some Selection) -> Bool {
        let index = decision.path - 1
        guard paths.indices.contains(index), let path = paths[index],
            choice.weight(index) > 0,
            selection.isOpen(rule: decision.rule, path: decision.path),
            decision.offer < path.offers.count, path.offers.weight(decision.offer) > 0,
            selection.isOpen(rule: decision.rule, path: decision.path, offer: decision.offer)
        else { return false }
        guard let lander = decision.lander else { return path.landers == nil }
        guard let landers = path.landers, lander < landers.count else { return false }
        return landers.weight(lander) > 0
    }
}
