import Domain

/// A destination in the few words that the model needs.
struct ModelDestination {
    let name: String
    /// Up to its query.
    let url: String
    /// Of the query, in order: `id`, `v`, `s`, `e`, `t`, `r`.
    let parameters: [String]
    /// Those that it is told of; empty: all.
    var statuses: [ConversionStatus] = []
}

/// What the contract says of clicks and reports, in plain dictionaries: an independent telling of what
/// must lie on the disk.
struct Model {
    struct Visit {
        let campaign: String
        let externalID: String
        /// Known once the visitor was sent on.
        var clickID: ClickID?
        var offer: String?
        /// The visitor was sent on though the disk took nothing: the click may be lost.
        var isWeak = false
        var landerClicksAsked = 0
        var landerClicksAnswered = 0
        var landerClicksWeak = 0
    }

    /// A network's call.
    struct Report {
        enum Subject: Equatable {
            case visit(Int)
            /// A click ID that nobody issued.
            case foreign(String)
        }

        let network: String
        let hasWrongKey: Bool
        let subject: Subject
        let event: String
        let transactionID: String
        let status: ConversionStatus?
        let payout: String?
        var answer: (verdict: String, id: Int64?)?
    }

    struct Identity: Hashable, Comparable {
        let visit: Int
        let event: String
        let transactionID: String
        let ordinal: Int

        static func < (left: Identity, right: Identity) -> Bool {
            (left.visit, left.event, left.transactionID, left.ordinal)
                < (right.visit, right.event, right.transactionID, right.ordinal)
        }
    }

    struct State: Equatable {
        var status: ConversionStatus
        var payout: String
    }

    /// A conversion: its revisions, oldest first.
    struct Outcome {
        var revisions: [State] = []
        /// The newest call that was counted as it.
        var newestCall: Int64 = 0

        var state: State { revisions[revisions.count - 1] }
    }

    var visits: [Visit] = []
    /// So many the tracker said to have lost, of whichever visits.
    var landerClicksLost = 0
    var reports: [Report] = []
    private(set) var outcomes: [Identity: Outcome] = [:]

    /// Forgets what came of the reports, to go through them again.
    mutating func beginAgain() { outcomes = [:] }

    /// Takes the next recorded call, in the order of their numbers.
    ///
    /// - Parameters:
    ///   - id: of the call when it came in.
    ///   - isReplay: it was judged again.
    ///   - isStored: whether the click was there.
    /// - Returns: the verdict that it must have got.
    mutating func take(_ index: Int, id: Int64, isReplay: Bool, isStored: Bool) -> PostbackVerdict {
        let report = reports[index]
        if report.hasWrongKey { return .keyUnknown }
        guard case .visit(let visit) = report.subject else { return .clickForeign }
        guard isStored else { return .parked }
        func identity(_ ordinal: Int) -> Identity {
            Identity(
                visit: visit, event: report.event, transactionID: report.transactionID,
                ordinal: ordinal)
        }
        var newest = 0
        while outcomes[identity(newest + 1)] != nil { newest += 1 }
        let status = report.status ?? .approved
        guard let known = outcomes[identity(newest)] else {
            let payout = report.payout ?? fallback(visits[visit])
            outcomes[identity(0)] = Outcome(
                revisions: [State(status: status, payout: payout)], newestCall: id)
            return .accepted
        }
        if report.network == "add", report.transactionID.isEmpty {
            outcomes[identity(newest + 1)] = Outcome(
                revisions: [
                    State(status: status, payout: report.payout ?? fallback(visits[visit]))
                ],
                newestCall: id)
            return .accepted
        }
        // What was said since holds.
        if isReplay, known.newestCall > id { return .duplicate }
        outcomes[identity(newest)]?.newestCall = max(id, known.newestCall)
        let state = State(status: status, payout: report.payout ?? known.state.payout)
        if report.network == "ignore" || state == known.state { return .duplicate }
        outcomes[identity(newest)]?.revisions.append(state)
        return .updated
    }

    /// The offer's own payout.
    private func fallback(_ visit: Visit) -> String { visit.offer == "ignore" ? "2.5" : "0" }

    /// What the traffic source is told, once each: the destination and the URL.
    func told(of identity: Identity, revision: Int) -> [(destination: String, url: String)] {
        guard let outcome = outcomes[identity] else { return [] }
        let visit = visits[identity.visit]
        let state = outcome.revisions[revision - 1]
        let values = [
            "id": visit.externalID, "v": state.payout, "s": state.status.rawValue,
            "e": identity.event, "t": identity.transactionID, "r": "\(revision)",
        ]
        return (Template.destinations[visit.campaign] ?? []).compactMap { destination in
            guard destination.statuses.isEmpty || destination.statuses.contains(state.status)
            else { return nil }
            let query = destination.parameters.compactMap { name in
                values[name].flatMap { $0.isEmpty ? nil : "\(name)=\($0)" }
            }
            return (destination.name, destination.url + "?" + query.joined(separator: "&"))
        }
    }
}
