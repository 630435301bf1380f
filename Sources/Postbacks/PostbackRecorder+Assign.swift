public import Domain
public import Store

extension PostbackRecorder {
    public func assign(
        _ id: PostbackID, to clickID: ClickID?, ignoresLimits: Bool, in tx: LedgerTransaction,
        now: Instant
    ) throws(StoreError) -> ReplayOutcome {
        guard let original = try tx.postback(id) else {
            throw .notFound("there is no postback \(id)")
        }
        guard original.verdict == PostbackVerdict.parked.rawValue else {
            throw .conflict("postback \(id) is \(original.verdict), not parked: replay it")
        }
        if let clickID {
            guard let identity = clickIDs.open(clickID), try tx.click(identity.rowID) != nil else {
                throw .invalid(
                    ValidationError("click_id", "\(clickID.text) is no click that is stored here"))
            }
        } else if let named = original.clickRowID, try tx.click(named) == nil,
            try tx.conversion(madeBy: original.replayOf ?? id) == nil
        {
            throw .conflict(
                "the click that postback \(id) names is not stored: name the click that it belongs "
                    + "to")
        }
        return try judge(
            original,
            assignment: PostbackRecording.Assignment(
                clickID: clickID, ignoresLimits: ignoresLimits),
            in: tx, now: now)
    }
}
