import Crypto
import Domain
import Foundation
import Reports
import SQLite
import Store

/// Compares what lies on the disk with the model, and with what was promised.
struct Audit {
    private let world: World

    init(_ world: World) { self.world = world }

    /// - Parameter isWhole: the end has come: nothing may wait, and the directory is checked by the
    ///   tracker's own means, too.
    func run(isWhole: Bool) throws {
        let stored = try clicks()
        try reports(stored, isWhole: isWhole)
        let conversions = try conversions(stored)
        try deliveries(conversions, isWhole: isWhole)
        try sums(stored)
        guard isWhole else { return }
        let check = DirectoryCheck(world.directory)
        check.run()
        let faults = check.faults.filter { !isExplained($0, stored) }
        if let fault = faults.first {
            throw Violation(
                "check finds \(check.faults.count) faults: \(fault.file): \(fault.message)")
        }
    }

    /// Whether a fault is what must come of what has happened.
    private func isExplained(_ fault: DirectoryFault, _ stored: [Int: ClickRowID]) -> Bool {
        // A file that was deleted is made again for what was on its way meanwhile.
        if let day = Day(String(fault.file.dropFirst("clicks/".count).dropLast(".db".count))),
            world.mayBeDeleted(day)
        {
            return true
        }
        // The lander click may have been stored of a click that was lost while the disk failed, as
        // the visitor was sent on all the same, or that was deleted. So may a conversion: for a while
        // a click can be read of which nobody knows whether it's kept.
        let isOfClick =
            fault.message.hasSuffix(" lander clicks are missing")
            || fault.message.hasPrefix("the click of conversion ")
        return isOfClick
            && world.model.visits.enumerated().contains { number, visit in
                stored[number] == nil && (visit.isWeak || visit.clickID.map(isDeleted) ?? false)
            }
    }

    private func read<Value: Sendable>(
        _ work: @escaping @Sendable (LedgerReader) throws(StoreError) -> Value
    ) throws -> Value {
        guard let life = world.life else { throw Violation("an audit without life") }
        return try life.read(work)
    }

    // MARK: Clicks

    /// The stored visits' rows.
    private func clicks() throws -> [Int: ClickRowID] {
        var stored: [Int: ClickRowID] = [:]
        let numbers = Dictionary(
            uniqueKeysWithValues: world.model.visits.enumerated().map { ($1.externalID, $0) })
        for day in try world.directory.clickDays() {
            let file = try Connection(path: world.directory.clickFilePath(day), mode: .readOnly)
            defer { file.close() }
            // It may have been made and nothing more when the process died.
            guard try file.int64("PRAGMA user_version") != 0 else { continue }
            let rows = try file.rows("SELECT id, external_id FROM click") {
                (row) throws(SQLiteError) in
                (row.int64(0), String(decoding: row.blob(1), as: UTF8.self))
            }
            for (id, externalID) in rows {
                guard let number = numbers[externalID], let rowID = ClickRowID(rawValue: id) else {
                    throw Violation("a click \(externalID) is stored that nobody made")
                }
                guard rowID.day == day else {
                    throw Violation("click \(externalID) is in \(day.text)")
                }
                guard stored.updateValue(rowID, forKey: number) == nil else {
                    throw Violation("click \(externalID) is stored twice")
                }
            }
        }
        for (number, visit) in world.model.visits.enumerated() {
            guard let clickID = visit.clickID else { continue }
            guard let rowID = stored[number] else {
                if visit.isWeak || isDeleted(clickID) { continue }
                throw Violation("visitor \(number) was sent on, and its click is not stored")
            }
            guard world.keys.open(clickID)?.rowID == rowID else {
                throw Violation("visitor \(number)'s click ID does not lead to its row")
            }
        }
        return stored
    }

    /// Its whole day may be gone, as was asked for. Its file may be there again, for a lander click
    /// that was on its way meanwhile.
    private func isDeleted(_ clickID: ClickID) -> Bool {
        world.keys.open(clickID).map { world.mayBeDeleted($0.rowID.day) } ?? false
    }

    // MARK: Reports

    /// Each call has the verdict that the model gives it, and each answered one lies there once.
    private func reports(_ stored: [Int: ClickRowID], isWhole: Bool) throws {
        world.model.beginAgain()
        let rowIDs = Set(stored.values)
        let rows = try read { (reader) throws(StoreError) in
            try reader.postbacks(PostbackFilter(), limit: 1000, cursor: nil).items
        }.reversed()
        var roots: [Int: StoredPostback] = [:]
        for row in rows {
            let target = String(decoding: row.call.target, as: UTF8.self)
            guard let mark = target.range(of: "&sim="),
                let number = Int(target[mark.upperBound...].prefix { $0.isNumber }),
                world.model.reports.indices.contains(number)
            else { throw Violation("postback \(row.id) is nobody's: \(target)") }
            if row.replayOf == nil, let other = roots.updateValue(row, forKey: number) {
                throw Violation("report \(number) is recorded twice: \(other.id) and \(row.id)")
            }
            let isStored: Bool
            switch world.model.reports[number].subject {
            case .visit(let visit) where world.model.visits[visit].isWeak:
                // Its click may have been stored at any time, or never.
                isStored = row.verdict != PostbackVerdict.parked.rawValue
            case .visit(let visit)
            where world.model.visits[visit].clickID.map(isDeleted) ?? false:
                // Before or after.
                isStored = row.verdict != PostbackVerdict.parked.rawValue
            case .visit, .foreign: isStored = true
            }
            let verdict = world.model.take(
                number, id: (row.replayOf ?? row.id).rawValue, isReplay: row.replayOf != nil,
                isStored: isStored)
            guard row.verdict == verdict.rawValue else {
                throw Violation(
                    "postback \(row.id), report \(number), is \(row.verdict) and should be "
                        + "\(verdict.rawValue): \(row.message)")
            }
        }
        for row in rows
        where isWhole && row.isWaiting && row.clickRowID.map(rowIDs.contains) ?? false {
            throw Violation("postback \(row.id) still waits for its click, which is stored")
        }
        for (number, report) in world.model.reports.enumerated() {
            guard let answer = report.answer else { continue }
            guard let row = roots[number], row.id.rawValue == answer.id,
                row.verdict == answer.verdict
            else {
                throw Violation(
                    "report \(number) was answered \(answer), and is recorded as \(roots[number].map { "\($0.id) \($0.verdict)" } ?? "nothing")"
                )
            }
        }
    }

    // MARK: Conversions

    private static let nanos = [
        "0": 0, "1": 1_000_000_000, "2.5": 2_500_000_000, "0.75": 750_000_000,
        "10": 10_000_000_000 as Int64,
    ]

    /// Each conversion of the model is there, in its state, and no other.
    private func conversions(_ stored: [Int: ClickRowID]) throws -> [ConversionID: Model.Identity] {
        // A conversion outlives its click.
        var visits = Dictionary(uniqueKeysWithValues: stored.map { ($1, $0) })
        for (number, visit) in world.model.visits.enumerated() {
            guard let rowID = visit.clickID.flatMap(world.keys.open)?.rowID else { continue }
            visits[rowID] = number
        }
        let conversions = try read { (reader) throws(StoreError) in
            try reader.conversions(ConversionFilter(), limit: 1000, cursor: nil).items
        }
        var identities: [ConversionID: Model.Identity] = [:]
        for conversion in conversions {
            guard let visit = visits[conversion.click.rowID] else {
                throw Violation("\(conversion.id) is of no stored click")
            }
            let identity = Model.Identity(
                visit: visit, event: conversion.event, transactionID: conversion.transactionID,
                ordinal: conversion.ordinal)
            guard let outcome = world.model.outcomes[identity] else {
                throw Violation("\(conversion.id) is there and should not be: \(identity)")
            }
            let revisions = try read { (reader) throws(StoreError) in
                try reader.revisions(of: conversion.id)
            }
            let states = revisions.map { ($0.number, $0.status, $0.payout.nanos) }
            let wanted = outcome.revisions.enumerated().map {
                ($0.offset + 1, $0.element.status, Self.nanos[$0.element.payout] ?? -1)
            }
            guard states.elementsEqual(wanted, by: ==), conversion.revision == states.count,
                conversion.status == outcome.state.status,
                conversion.payout.nanos == Self.nanos[outcome.state.payout]
            else {
                throw Violation("\(conversion.id) is \(states) and should be \(wanted)")
            }
            identities[conversion.id] = identity
        }
        let missing = Set(world.model.outcomes.keys).subtracting(identities.values)
        guard missing.isEmpty, identities.count == world.model.outcomes.count else {
            throw Violation(
                "conversions are missing, or there twice: \(missing.sorted()), "
                    + "\(identities.count) are there")
        }
        return identities
    }

    // MARK: Deliveries

    /// One delivery for each that is to be told, in a state that its attempts explain.
    private func deliveries(_ conversions: [ConversionID: Model.Identity], isWhole: Bool) throws {
        let deliveries = try allDeliveries()
        var found: Set<String> = []
        for delivery in deliveries {
            guard let identity = conversions[delivery.conversionID] else {
                throw Violation("delivery \(delivery.id) is of no conversion")
            }
            let text = Self.text(
                identity, delivery.revision, delivery.destination, delivery.request.url)
            guard found.insert(text).inserted else { throw Violation("\(text) is there twice") }
            try attempts(of: delivery, isWhole: isWhole)
        }
        var wanted: Set<String> = []
        for (identity, outcome) in world.model.outcomes {
            for revision in 1...outcome.revisions.count {
                for (destination, url) in world.model.told(of: identity, revision: revision) {
                    wanted.insert(Self.text(identity, revision, destination, url))
                }
            }
        }
        if let missing = wanted.subtracting(found).min() {
            throw Violation("there is no delivery of \(missing)")
        }
        if let surplus = found.subtracting(wanted).min() {
            throw Violation("there should be no delivery of \(surplus)")
        }
    }

    private static func text(
        _ identity: Model.Identity, _ revision: Int, _ destination: String, _ url: String
    ) -> String { "\(identity), revision \(revision), to \(destination): \(url)" }

    private func allDeliveries() throws -> [Delivery] {
        try read { (reader) throws(StoreError) in
            try reader.deliveries(DeliveryFilter(), limit: 1000, cursor: nil).items
        }
    }

    /// When the next one is due; nil when none waits.
    func nextDue() throws -> Instant? {
        try allDeliveries().filter { $0.state == .waiting }.map(\.dueAt).min()
    }

    /// For a message.
    func waiting() throws -> String {
        try allDeliveries().filter { $0.state == .waiting }.map { "\($0.id)" }.joined(
            separator: " ")
    }

    /// In seconds, after the first, second, … failure; the last repeats.
    private static let pauses: [Double] = [10, 60, 300, 900, 3600, 7200, 14_400, 28_800]
    private static let givenUpAfter = Duration.seconds(72 * 3600)

    private func attempts(of delivery: Delivery, isWhole: Bool) throws {
        let id = delivery.id
        let attempts = try read { (reader) throws(StoreError) in try reader.attempts(of: id) }
        func fail(_ what: String) -> Violation {
            Violation("delivery \(id) \(what): \(delivery), attempts \(attempts)")
        }
        guard attempts.map(\.number) == Array(1..<(1 + delivery.attemptCount)) else {
            throw fail("has miscounted its attempts")
        }
        let succeeded = attempts.filter { $0.error == nil }
        switch delivery.state {
        case .delivered:
            guard succeeded.map(\.number) == [attempts.count],
                (200...299).contains(attempts.last?.status ?? 0)
            else { throw fail("is delivered without its last attempt's success") }
        case .waiting:
            guard succeeded.isEmpty else { throw fail("waits after a success") }
            if isWhole { throw fail("still waits") }
            if let last = attempts.last { try isDueBySchedule(delivery, last, fail) }
        case .dead:
            guard succeeded.isEmpty, let reason = delivery.reason else {
                throw fail("is dead without a reason")
            }
            let isGone = attempts.last?.status == 410
            let isGivenUp =
                reason.hasPrefix("given up 72 h")
                && (world.clockWasSet
                    || Machine.wall >= delivery.convertedAt.advanced(by: Self.givenUpAfter))
            guard isGone || isGivenUp else { throw fail("is dead for no good reason") }
        case .cancelled:
            guard succeeded.isEmpty, world.interference.cancelled.contains(id) else {
                throw fail("is cancelled, which nobody did")
            }
        }
    }

    private func isDueBySchedule(
        _ delivery: Delivery, _ last: Attempt, _ fail: (String) -> Violation
    ) throws {
        // In between, the clock of its attempt may have been another one. Pauses move the last time.
        if world.clockWasSet || world.interference.hasPaused
            || world.interference.retried.contains(delivery.id)
        {
            return
        }
        let end = last.at.advanced(by: .milliseconds(Int64(last.milliseconds)))
        let wait = delivery.dueAt - end
        let seconds = Double(wait.components.seconds) + Double(wait.components.attoseconds) / 1e18
        let pause = Self.pauses[min(last.number, Self.pauses.count) - 1]
        let most = last.status == 429 ? max(pause * 1.2, 7200) : pause * 1.2
        let isLast = delivery.dueAt == delivery.convertedAt.advanced(by: Self.givenUpAfter)
        guard (pause - 0.01...most + 0.01).contains(seconds) || isLast && seconds < most else {
            throw fail("is due \(seconds) s after attempt \(last.number)")
        }
    }

    // MARK: Sums

    private func sums(_ stored: [Int: ClickRowID]) throws {
        guard let life = world.life,
            let period = ReportPeriod(
                from: Instant(micros: 0), to: Template.start.advanced(by: .seconds(10 * 31_536_000))
            )
        else { throw Violation("no period") }
        let catalog = life.ledger.catalog
        let report = try read { (reader) throws(StoreError) in
            try CampaignReport(reader, period, catalog.rates)
        }
        for campaign in catalog.campaigns.all {
            let key = campaign.value.key.text
            let numbers = report.rows.first { $0.campaignID == campaign.id }?.numbers
            let visits = Set(stored.keys.filter { world.model.visits[$0].campaign == key })
            let outcomes = world.model.outcomes.filter {
                world.model.visits[$0.key.visit].campaign == key
            }
            let revenue = outcomes.values.filter { $0.state.status == .approved }
                .reduce(0 as Int128) { $0 + Int128(Self.nanos[$1.state.payout] ?? 0) }
            let cost = key == "summer" ? Int128(visits.count) * 12_000_000 : 0
            let found = numbers?.amounts.reduce((0, 0) as (Int128, Int128)) {
                ($0.0 + $1.amounts.revenueNanos, $0.1 + $1.amounts.costNanos)
            }
            guard numbers?.clicks ?? 0 == Int128(visits.count),
                numbers?.conversions ?? 0 == Int128(outcomes.count),
                found ?? (0, 0) == (revenue, cost)
            else {
                throw Violation(
                    "the report of \(key) says \(numbers.map { "\($0)" } ?? "nothing") and not "
                        + "\(visits.count) clicks, \(outcomes.count) conversions, revenue \(revenue), "
                        + "cost \(cost)")
            }
            guard world.plan.diskFails || world.model.landerClicksLost == 0 else {
                throw Violation("lander clicks are lost though no disk fails")
            }
            // Those of a click that was lost are counted all the same.
            let landers = world.model.visits.filter { $0.campaign == key }
            let least = visits.map { world.model.visits[$0] }.reduce(-world.model.landerClicksLost)
            {
                $0 + $1.landerClicksAnswered - $1.landerClicksWeak
            }
            let most = landers.reduce(0) { $0 + $1.landerClicksAsked }
            let clicks = numbers?.landerClicks ?? 0
            guard clicks >= Int128(least), clicks <= Int128(most) else {
                throw Violation("\(clicks) lander clicks of \(key), and not \(least) to \(most)")
            }
        }
    }
}
