internal import Domain
internal import Store

/// One call to a known network's URL, on its way through the rules.
struct PostbackRecording {
    /// What is known of a call that is judged again.
    struct Replay {
        /// The call as it first came, and when.
        let root: PostbackID
        let receivedAt: Instant
        /// What it made or changed already.
        let counted: Conversion?
        var assignment: Assignment?
        /// It was refused before, so that nothing waits for it yet should it be parked now.
        var waitsBecauseOfThis = false
    }

    /// What somebody decided about a parked call.
    struct Assignment {
        /// Of a click that is stored; nil: the one that the call names.
        let clickID: ClickID?
        let ignoresLimits: Bool
    }

    private let call: Postback
    private let replay: Replay?
    private let network: Stored<Network>
    private let clickIDs: any ClickIDSealing
    let tx: LedgerTransaction
    /// Taken once: each look at the transaction's own copies a dozen references.
    let catalog: Catalog
    private let now: Instant

    var notes: [String] = []
    private var reply: String?
    private var clickRowID: ClickRowID?
    /// Parked by a limit.
    private var isHeld = false
    /// When somebody who entered it says that it happened.
    private var enteredAt: Instant?

    init(
        call: Postback, replay: Replay? = nil, network: Stored<Network>,
        clickIDs: any ClickIDSealing, tx: LedgerTransaction, catalog: Catalog, now: Instant
    ) {
        self.call = call
        self.replay = replay
        self.network = network
        self.clickIDs = clickIDs
        self.tx = tx
        self.catalog = catalog
        self.now = now
        reply = network.value.reply
    }

    mutating func run() throws(StoreError) -> PostbackAnswer {
        guard call.method == "GET" || call.method == "POST" else {
            return try finishUnread(
                .methodNotAllowed, "\(call.method) is not read: use GET or POST")
        }
        guard isSenderAllowed else {
            return try finishUnread(
                .ipNotAllowed,
                "\(call.sender?.text ?? "the sender") is not among the network's allowed_ips")
        }
        if let rule = network.value.signature, !call.isEntry,
            let reason = SignatureCheck(rule).refusal(
                of: call, receivedAt: replay?.receivedAt ?? call.receivedAt)
        {
            return try finishUnread(.signatureWrong, reason)
        }
        let parameters = PostbackParameters(call, of: network.value)
        notes = parameters.notes
        reply = PostbackReport.reply(parameters.fields, network: network.value)
        let report: PostbackReport
        do throws(PostbackRefusal) {
            report = try PostbackReport(parameters.fields, network: network.value)
            if call.isEntry { try readEntry(parameters.pairs) }
        } catch {
            clickRowID = clickIDs.rowID(of: parameters.fields)
            return try finish(error.verdict, error.message)
        }
        notes += report.notes
        let clickID = replay?.assignment?.clickID ?? report.clickID
        guard let identity = clickIDs.open(clickID) else {
            return try finish(
                .clickForeign,
                "click ID \(report.clickID.text) was not issued here: check which tracker's "
                    + "click ID the offer URL carries")
        }
        clickRowID = identity.rowID
        if clickID != report.clickID {
            notes.append("it was assigned by hand to click \(clickID.text)")
        }
        if report.isIgnored {
            return try finish(
                .ignored,
                "status \"\(report.networkStatus ?? "")\" is on the network's ignore list")
        }
        guard let click = try click(of: identity) else {
            return try finish(
                .parked,
                "the click ID is ours but its click is not stored: the call is kept with its "
                    + "value; check whether that day's clicks were purged or not yet written")
        }
        return try record(report, of: click)
    }

    /// Nothing of it is counted: where it was cut, a payout may have lost its last digits.
    mutating func refuseOversized(_ sentence: String) throws(StoreError) -> PostbackAnswer {
        try finishUnread(.tooLarge, "\(sentence); what came first is kept")
    }

    /// Of a call that is refused whatever it says: it's kept with the click that it names, because
    /// who looks for a missing conversion starts there.
    private mutating func finishUnread(_ verdict: PostbackVerdict, _ message: String)
        throws(StoreError) -> PostbackAnswer
    {
        clickRowID = clickIDs.rowID(of: PostbackParameters(call, of: network.value).fields)
        return try finish(verdict, message)
    }

    /// The stored click; else what a conversion that the call was counted as keeps of its own, be it
    /// another one that the call was assigned to.
    private mutating func click(of identity: ClickIdentity) throws(StoreError) -> Click? {
        if let click = try tx.click(identity.rowID) { return click }
        guard let counted = replay?.counted else { return nil }
        clickRowID = counted.click.rowID
        return counted.click
    }

    private mutating func readEntry(_ pairs: [(name: String, value: [UInt8])])
        throws(PostbackRefusal)
    {
        let entry = try ConversionEntry(pairs, now: call.receivedAt)
        enteredAt = entry.at
        notes += entry.unknownNames.prefix(5).map { name in
            let hint = NearestName.suggestion(for: name, among: ConversionEntry.names)
            return "\"\(name.prefix(utf8Count: 60))\" is not a known name and was not read"
                + (hint.map { "; did you mean \"\($0)\"?" } ?? "")
        }
    }

    private var isSenderAllowed: Bool {
        let allowed = network.value.allowedIPs
        if allowed.isEmpty || call.isEntry { return true }
        guard let sender = call.sender else { return false }
        return allowed.contains { $0.contains(sender) }
    }

    /// With the offer that its visitor went on to from a lander, where one did.
    private func attributed(_ click: Click) throws(StoreError) -> Click {
        let reportedAt = replay?.receivedAt ?? call.receivedAt
        let source = LanderClick.source(
            of: reportedAt, among: try tx.landerClicks(of: click.rowID)
        ) { catalog.offerVersions[$0.offerVersion]?.networkID == network.id }
        return source.map { click.leading(to: $0.offerVersion) } ?? click
    }

    private mutating func record(_ report: PostbackReport, of decided: Click) throws(StoreError)
        -> PostbackAnswer
    {
        let click = try attributed(decided)
        guard let campaign = catalog.campaigns[click.campaignID],
            let source = catalog.sources[campaign.value.source],
            let offer = catalog.offer(ofVersion: click.offerVersion)
        else {
            return try finish(
                .parked,
                "the click's campaign \(click.campaignID), its source or its offer does not "
                    + "exist: the call is kept with its value")
        }
        if offer.version.networkID != network.id {
            notes.append("the click's offer \(offer.offer.value.key) is of another network")
        }
        let known = try known(report, of: click)
        if let reason = known.unchangedBecause {
            return try finish(
                report.isTest ? .test : .duplicate, reason, conversion: known.existing)
        }
        let existing = known.existing
        let decision = PostbackDecision.decide(
            report, existing: existing?.known, repeats: known.repeats,
            offerPayout: offer.offer.value.payout)
        switch (decision, existing) {
        case (.create(let status, let payout, let ordinal), _):
            let made = Conversion(
                id: ConversionID(0), click: click, sourceID: source.id, networkID: network.id,
                offerID: offer.offer.id, event: report.event, transactionID: report.transactionID,
                ordinal: ordinal, status: status, networkStatus: report.networkStatus,
                payout: payout, extras: report.extras, convertedAt: convertedAt,
                isTest: report.isTest, revision: 1,
                costRule: campaign.value.costRule(of: click, source.value))
            if let reason = try limitPassed(by: made, offer.offer, campaign) {
                guard replay?.assignment?.ignoresLimits == true else {
                    isHeld = true
                    return try finish(
                        .parked,
                        "\(reason): the call is kept with its value; assign it by hand to count it, "
                            + "or raise the limit and replay it")
                }
                notes.append("counted by hand, though \(reason)")
            }
            return try keep(made, after: nil, report, campaign, source)
        case (.revise(let status, let payout), .some(let existing)):
            let revised = existing.revised(status: status, payout: payout, by: report)
            try noteLimits(passedBy: revised, after: existing)
            return try keep(revised, after: existing, report, campaign, source)
        case (.duplicate, .some(let existing)):
            return try finish(
                report.isTest ? .test : .duplicate,
                "nothing changed: conversion \(existing.id) is \(existing.stateText) already",
                conversion: existing)
        case (.revise, nil), (.duplicate, nil):
            preconditionFailure("\(decision) without a conversion of click \(click.rowID)")
        }
    }

    /// The conversion that a report is about, and what a repeat of it means.
    private struct Known {
        var existing: Conversion?
        var repeats: Network.Repeat
        /// Set when a replay must not touch it.
        var unchangedBecause: String?
    }

    private func known(_ report: PostbackReport, of click: Click) throws(StoreError) -> Known {
        var known = Known(
            existing: try tx.conversion(
                clickRowID: click.rowID, event: report.event,
                transactionID: report.transactionID, isTest: report.isTest),
            repeats: network.value.repeats(of: report.event))
        // Whoever enters a file twice does not mean it twice.
        if call.isEntry, known.repeats == .add { known.repeats = .update }
        guard let replay else { return known }
        if let counted = replay.counted {
            known.existing = counted
            // What it said itself is no repeat of it.
            known.repeats = .update
            guard counted.click.rowID == click.rowID, counted.event == report.event,
                counted.transactionID == report.transactionID, counted.isTest == report.isTest
            else {
                known.unchangedBecause =
                    counted.click.rowID == click.rowID
                    ? "nothing changed: the call is counted as conversion \(counted.id) already, "
                        + "and not once more, though it now reads as event \"\(report.event)\" with "
                        + "transaction \"\(report.transactionID)\""
                    : "nothing changed: the call is counted as conversion \(counted.id) of another "
                        + "click already, and not once more"
                return known
            }
        }
        let isAnother = known.repeats == .add && report.transactionID.isEmpty
        if !isAnother, let existing = known.existing,
            let newest = try tx.newestCall(of: existing.id), newest.rawValue > replay.root.rawValue
        {
            known.unchangedBecause =
                "nothing changed: postback \(newest), which came later, has made conversion "
                + "\(existing.id) \(existing.stateText)"
        }
        return known
    }

    /// Of a replay the first time the network said it.
    private var convertedAt: Instant { enteredAt ?? replay?.receivedAt ?? call.receivedAt }

    /// Writes the call, the conversion's new state and what its destinations are told.
    private mutating func keep(
        _ state: Conversion, after before: Conversion?, _ report: PostbackReport,
        _ campaign: Stored<Campaign>, _ source: Stored<Source>
    ) throws(StoreError) -> PostbackAnswer {
        let isNew = before == nil
        let state = state.with(reporting: reporting(state))
        let conversion = isNew ? try tx.insertConversion(state) : state
        let (deliveries, notSent) = try deliveries(of: conversion, report, campaign, source)
        let verdict: PostbackVerdict =
            report.isTest ? .test : isNew ? .accepted : .updated
        let message =
            isNew
            ? "conversion \(conversion.id) is recorded as \(conversion.stateText)"
            : "conversion \(conversion.id) is \(conversion.stateText) now"
        let change = PostbackOutcome.Change(
            before: before?.state, after: conversion.state,
            destinations: deliveries.filter { $0.deadReason == nil }.map(\.destination))
        let answer = try finish(verdict, message, conversion: conversion, change: change)
        guard let postbackID = answer.postbackID else { return answer }
        if !isNew { try tx.update(conversion) }
        try tx.insertRevision(
            of: conversion, at: call.receivedAt, by: postbackID, notSent: notSent)
        for delivery in deliveries { try tx.insert(delivery, of: conversion, at: now) }
        return answer
    }

    /// The payout by the rate in force on the conversion's day, whenever it is revised.
    private mutating func reporting(_ conversion: Conversion) -> ReportingAmount? {
        let payout = conversion.payout
        let day = conversion.convertedAt.day
        do throws(ExchangeError) {
            return try catalog.rates.converted(payout, on: day)
        } catch {
            notes.append(error.message(of: payout, on: day))
            return nil
        }
    }

    /// What each destination is told, and why the others are not.
    private mutating func deliveries(
        of conversion: Conversion, _ report: PostbackReport, _ campaign: Stored<Campaign>,
        _ source: Stored<Source>
    ) throws(StoreError) -> ([NewDelivery], [NotSent]) {
        let named = PostbackRecorder.destinations(of: campaign, source)
        let refusesAll: String?
        if report.isTest {
            notes.append("a test call is counted nowhere and sent nowhere")
            refusesAll = "a test call is sent nowhere"
        } else if report.suppressesOutbound {
            notes.append("no outbound postback, as disable_postback asks")
            refusesAll = "the call asked for no outbound postback (disable_postback)"
        } else {
            refusesAll = nil
        }
        // Asked for only where somebody wants to know.
        let isFirst =
            try refusesAll == nil && named.contains { $0.destination.isFirstOnly }
            ? tx.isFirstConversion(conversion) : true
        let told = ToldDestinations(
            named, of: conversion, refusesAll: refusesAll, isFirst: isFirst)
        guard !told.wanted.isEmpty else {
            if refusesAll == nil, let first = told.notSent.first {
                notes.append(
                    told.notSent.count == 1
                        ? "destination \(first.destination) is not told: \(first.reason)"
                        : "no destination is told; \(first.destination): \(first.reason)")
            }
            return ([], told.notSent)
        }
        let deliveries = told.deliveries(
            by: DeliveryRenderer(
                conversion, clickID: clickID(of: conversion, report),
                campaign: campaign.value.key, source: source, catalog: catalog,
                at: call.receivedAt))
        if let reason = deliveries.lazy.compactMap(\.deadReason).first { notes.append(reason) }
        return (deliveries, told.notSent)
    }

    /// The ID that the visitor was sent on with; of an assigned call it is not the one in the call.
    private func clickID(of conversion: Conversion, _ report: PostbackReport) -> ClickID {
        let click = conversion.click
        if clickIDs.open(report.clickID)?.rowID == click.rowID { return report.clickID }
        return clickIDs.seal(ClickIdentity(rowID: click.rowID, campaignID: click.campaignID))
    }

    /// Keeps the call with its verdict.
    private func finish(
        _ verdict: PostbackVerdict, _ sentence: String, conversion: Conversion? = nil,
        change: PostbackOutcome.Change? = nil
    ) throws(StoreError) -> PostbackAnswer {
        let message = notes.isEmpty ? sentence : ([sentence] + notes).joined(separator: "; ")
        let id = try tx.insert(
            call, networkID: network.id, clickRowID: clickRowID, conversionID: conversion?.id,
            verdict: verdict, message: message, replayOf: replay?.root)
        if let replay {
            if verdict.isSettled {
                try tx.unpark(replay.root)
            } else if verdict == .parked, replay.waitsBecauseOfThis, let clickRowID {
                try tx.park(replay.root, click: clickRowID, isHeld: isHeld)
            } else if verdict == .parked {
                try tx.setHeld(replay.root, isHeld)
            }
        } else if verdict == .parked, let clickRowID {
            try tx.park(id, click: clickRowID, isHeld: isHeld)
        }
        return PostbackAnswer(
            verdict: verdict, message: message, postbackID: id, conversionID: conversion?.id,
            revision: conversion?.revision, change: change, isHeld: isHeld,
            reply: reply,
            isAlwaysOK: network.value.alwaysOK)
    }
}

extension Conversion {
    fileprivate var known: KnownConversion {
        KnownConversion(
            id: id, status: status, payout: payout, revision: revision, ordinal: ordinal)
    }

    fileprivate var state: ConversionState { ConversionState(status: status, payout: payout) }

    /// `approved with 12.5 USD`
    var stateText: String {
        "\(status.rawValue) with \(payout.amountText) \(payout.currency.code)"
    }

    /// The next revision. An extra that a call does not name keeps its value.
    fileprivate func revised(
        status: ConversionStatus, payout: Money, by report: PostbackReport
    ) -> Conversion {
        Conversion(
            id: id, click: click, sourceID: sourceID, networkID: networkID, offerID: offerID,
            event: event, transactionID: transactionID, ordinal: ordinal, status: status,
            networkStatus: report.networkStatus, payout: payout,
            extras: report.extras.enumerated().map { index, extra in
                extra ?? (extras.indices.contains(index) ? extras[index] : nil)
            },
            convertedAt: convertedAt, isTest: isTest, revision: revision + 1, costRule: costRule)
    }
}

extension Campaign {
    /// What a conversion costs by itself. A click that has a cost was paid for while the campaign's
    /// cost was another one.
    func costRule(of click: Click, _ source: Source) -> ConversionCost? {
        guard (click.cost?.nanos ?? 0) == 0 else { return nil }
        return cost.ofConversions(source: source.currency)
    }
}

extension ClickIDSealing {
    /// The click that a call names, if it is one of ours: a refused call still belongs to its
    /// click's story.
    func rowID(of fields: PostbackFields) -> ClickRowID? {
        PostbackReport.clickID(fields).flatMap { open($0) }?.rowID
    }
}
