internal import Domain

extension Route {
    /// How the flow decides as caps are now; `choose` makes the same decision.
    /// - Parameter visitor: nil where it is not known.
    func explain(
        _ flow: Flow, _ rowID: ClickRowID, _ sheet: FactSheet, _ visitor: KnownVisitor?
    ) -> RoutingExplanation {
        router.explain(flow, rowID, sheet, ways(rowID, visitor))
    }
}
