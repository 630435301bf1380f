/// Where a flow sends one visitor. With the flow's version it says everything: each click keeps it.
public struct Decision: Hashable, Sendable {
    /// The n-th rule, from 1; 0: the default paths; `fallbackRule`: no path took the visitor.
    public let rule: Int
    /// From 1 within the rule's paths or the default ones; 0 without one.
    public let path: Int
    /// Index among the path's landers; nil: straight to the offer.
    public let lander: Int?
    /// Index among the path's offers, also where a lander comes first.
    public let offer: Int

    public static let fallbackRule = -1

    public init(rule: Int, path: Int, lander: Int?, offer: Int) {
        self.rule = rule
        self.path = path
        self.lander = lander
        self.offer = offer
    }
}
