internal import Domain

/// What caps leave open to one visit, and what its visitor should rather take.
struct OpenWays: Selection {
    let caps: RouteCaps?
    let seen: SeenWays?
    let instant: Instant

    func isOpen(rule: Int, path: Int) -> Bool {
        caps?.isOpen(rule: rule, path: path, at: instant) ?? true
    }

    func isOpen(rule: Int, path: Int, offer: Int) -> Bool {
        caps?.isOpen(rule: rule, path: path, offer: offer, at: instant) ?? true
    }

    func isUnseen(rule: Int, path: Int, lander: Int) -> Bool {
        seen?.isUnseen(rule: rule, path: path, lander: lander) ?? true
    }

    func isUnseen(rule: Int, path: Int, offer: Int) -> Bool {
        seen?.isUnseen(rule: rule, path: path, offer: offer) ?? true
    }

    var remembered: Decision? { seen?.remembered }
}
