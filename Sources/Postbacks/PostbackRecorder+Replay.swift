public import Domain
public import Store

extension PostbackRecorder: PostbackRules {
    public func replay(_ id: PostbackID, in tx: LedgerTransaction, now: Instant)
        throws(StoreError) -> ReplayOutcome
    {
        guard let original = try tx.postback(id) else {
            throw .notFound("there is no postback \(id)")
        }
        return try judge(original, in: tx, now: now)
    }

    public func clickID(of call: Postback, network: Network) -> ClickID? {
        PostbackReport.clickID(PostbackParameters(call, of: network).fields)
    }

    /// - Parameter assignment: what somebody decided about it.
    func judge(
        _ original: StoredPostback, assignment: PostbackRecording.Assignment? = nil,
        in tx: LedgerTransaction, now: Instant
    ) throws(StoreError) -> ReplayOutcome {
        let id = original.id
        let kept = original.call
        guard !kept.target.isEmpty else {
            throw .conflict("the text of postback \(id) was forgotten: it can't be judged again")
        }
        guard original.verdict != PostbackVerdict.tooLarge.rawValue else {
            throw .conflict(
                "only the beginning of postback \(id) was kept, as it was too long: have it sent "
                    + "again, or enter its conversion by hand")
        }
        let catalog = tx.catalog
        let networkID =
            original.networkID ?? Self.key(of: kept).flatMap { catalog.networkByPostbackKey[$0] }
        guard let network = networkID.flatMap({ catalog.networks[$0] }) else {
            // Not kept once more: it would only push another such call out.
            return ReplayOutcome(
                original: original,
                now: PostbackOutcome(
                    verdict: .keyUnknown, message: "still no network has this postback key"))
        }
        let root = original.replayOf ?? id
        let first = root == id ? original : try tx.postback(root)
        var recording = PostbackRecording(
            call: Postback(
                receivedAt: now, sender: kept.sender, method: kept.method, target: kept.target,
                headers: kept.headers, body: kept.body),
            replay: PostbackRecording.Replay(
                root: root, receivedAt: first?.call.receivedAt ?? kept.receivedAt,
                counted: try tx.conversion(madeBy: root), assignment: assignment,
                waitsBecauseOfThis: first.map {
                    $0.verdict != PostbackVerdict.parked.rawValue && $0.networkID != nil
                } ?? false),
            network: network, clickIDs: clickIDs, tx: tx, catalog: catalog, now: now)
        return ReplayOutcome(original: original, now: try recording.run().outcome)
    }

    /// The secret part of the URL that was called: of a postback's or of a pixel's.
    private static func key(of call: Postback) -> String? {
        let path = call.target.prefix { $0 != UInt8(ascii: "?") }
        let ends: [(prefix: String, suffix: String)] = [("/postback/", ""), ("/pixel/", ".gif")]
        for (prefix, suffix) in ends
        where path.starts(with: prefix.utf8)
            && path.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        {
            let raw = path.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
            return raw.withUnsafeBytes {
                String(decoding: PercentEncoding.decode($0, plusIsSpace: false), as: UTF8.self)
            }
        }
        return nil
    }
}

extension PostbackAnswer {
    var outcome: PostbackOutcome {
        PostbackOutcome(
            verdict: verdict, message: message, postbackID: postbackID, conversionID: conversionID,
            revision: revision, change: change, isHeld: isHeld)
    }
}
