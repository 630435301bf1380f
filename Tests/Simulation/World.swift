import Crypto
import Domain
import Foundation
import Net
import SimulatedMachine
import Store
import TestSupport

/// One simulation: a tracker on a simulated machine, those who ask it and those whom it tells, and what
/// happens to them, all of it drawn from one seed.
///
/// Nothing runs but what a step runs, so a seed is the same run every time.
// Unchecked: the simulation has one thread.
final class World: @unchecked Sendable {
    let seed: UInt64
    let directory: DataDirectory
    let trace: Trace
    let plan: Plan
    let bug: PlantedBug?
    var random: SeededRandom
    var model = Model()
    private(set) var life: Life?
    private(set) var lifeCount = 0
    private(set) lazy var receivers = Receivers(self)
    private(set) lazy var interference = Operator(self)
    private(set) var outboundTurns = 0
    private let senders: Senders
    private let socket: String

    private struct Event {
        let at: UInt64
        let body: () -> Void
    }
    /// In the order of their times.
    private var events: [Event] = []

    /// By the deliveries' keys: the life in which a receiver's success was answered.
    private var successes: [String: Int] = [:]
    private(set) var clockWasSet = false
    /// That the clock has ever shown.
    private var newestDay = Template.start.day
    let keys: ClickIDKeys

    /// - Parameter path: of a directory that is made for the simulation and is its own.
    init(
        seed: UInt64, path: String, bug: PlantedBug?, isDiskFailing: Bool, isTraced: Bool
    ) throws {
        self.seed = seed
        self.bug = bug
        directory = DataDirectory(path: path)
        socket = path + "/sock"
        random = SeededRandom(seed)
        var plan = Plan(&random)
        if isDiskFailing { plan.failDisk() }
        self.plan = plan
        keys = try ClickIDKeys([Template.clickKey])
        senders = Senders(socket: socket)
        machine_begin(path, random.next())
        // Up to a day later, so that midnights come at any time.
        Machine.setWall(
            Template.start.advanced(by: .seconds(Int64.random(in: 60...90_000, using: &random))))
        trace = Trace(isKept: isTraced)
        for host in Template.hosts { receivers.moods[host] = Plan.mood(&random) }
        if bug == .syncLies { machine_let_sync_lie(0) }
        if bug == .namesAreNotSynced { machine_let_sync_lie(1) }
        trace.note("plan: \(plan)")
        for (host, mood) in receivers.moods.sorted(by: { $0.key < $1.key }) {
            trace.note("\(host): \(mood)")
        }
    }

    /// Takes the simulated machine away. Once, at the end.
    func end() {
        if life != nil {
            machine_die()
            life?.end()
        }
        senders.dropAll()
        receivers.dropAll()
        machine_end()
    }

    func run() throws {
        try start()
        for _ in 0..<plan.steps {
            try step()
            if plan.crashes > Int.random(in: 0..<1000, using: &random) { machine_die() }
            if Machine.isDead { try crash() }
        }
        try settle()
    }

    // MARK: Life and death

    private func start() throws {
        while true {
            lifeCount += 1
            if lifeCount > 1 { try bug?.sabotage(directory) }
            // Else the tracker would rightly not start.
            machine_fail(0, 0, 0)
            // A crash may come in the middle of starting, too.
            if plan.diesWriting, lifeCount > 1, Int.random(in: 0..<4, using: &random) == 0 {
                dieLater(within: 60)
            }
            var settings = Life.Settings()
            settings.redirectsOnFailure = plan.redirectsOnFailure
            settings.retentionDays = plan.retentionDays
            settings.concurrency = plan.concurrency
            settings.windowMax = plan.windowMax
            do {
                life = try Life(
                    directory, socket: socket, resolver: receivers, settings: settings,
                    jitter: { [unowned self] in Double.random(in: 0...1, using: &random) },
                    log: { [unowned self] event, detail in note(event, detail) })
                trace.note("life \(lifeCount) begins")
                break
            } catch {
                guard Machine.isDead else {
                    throw Violation("the tracker does not start: \(error)")
                }
                trace.note("life \(lifeCount) ends as it begins")
                try fall()
            }
        }
        if lifeCount > 1 { try Audit(self).run(isWhole: false) }
        if plan.diesWriting, Bool.random(using: &random) { dieLater(within: 400) }
    }

    private func note(_ event: String, _ detail: String) {
        trace.note("log: \(event) \(detail)")
        // A process that dies in the middle of a write may say anything: nobody hears it.
        if event == "lander_clicks_lost", !Machine.isDead,
            let count = detail.split(separator: "=").last
        {
            // Where none is sent on without being stored, none of those was answered.
            if plan.redirectsOnFailure { model.landerClicksLost += Int(count) ?? 0 }
        }
    }

    private func dieLater(within changes: Int) {
        machine_die_at(
            Int.random(in: 1...changes, using: &random), Bool.random(using: &random) ? 1 : 0)
    }

    private func crash() throws {
        machine_die()
        life?.end()
        life = nil
        senders.dropAll()
        receivers.dropAll()
        try fall()
        try start()
    }

    /// What a crash leaves of the machine.
    private func fall() throws {
        guard machine_open_count() == 0 else {
            let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
                .compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/self/fd/" + $0)
                }
            throw Violation(
                "files are still open after the end: "
                    + names.filter { $0.hasPrefix(directory.path) }.joined(separator: " "))
        }
        if plan.cutsPower, Bool.random(using: &random) {
            trace.note("crash: the power fails after \(machine_change_count()) changes of the disk")
            machine_cut_power()
            machine_set_monotonic(UInt64.random(in: 1...1_000_000_000_000, using: &random))
        } else {
            trace.note(
                "crash: the process ends after \(machine_change_count()) changes of the disk")
            machine_start_again()
        }
        advance(Double.random(in: 0...60, using: &random))
    }

    // MARK: Time

    /// Something happens then, whatever becomes of the tracker.
    func after(seconds: Double, _ body: @escaping () -> Void) {
        let at = Machine.elapsed + UInt64(seconds * 1e9)
        let index = events.lastIndex { $0.at <= at }.map { $0 + 1 } ?? 0
        events.insert(Event(at: at, body: body), at: index)
    }

    private func advance(_ seconds: Double) {
        Machine.advance(seconds: seconds)
        newestDay = max(newestDay, Machine.wall.day)
    }

    /// Whether a day's clicks may have been deleted by now.
    func mayBeDeleted(_ day: Day) -> Bool {
        plan.retentionDays.map { day.advanced(by: $0) < newestDay } ?? false
    }

    private func runEvents() -> Bool {
        var isAny = false
        while let first = events.first, first.at <= Machine.elapsed {
            events.removeFirst()
            first.body()
            isAny = true
        }
        return isAny
    }

    private func passTime() {
        let seconds: Double
        switch Int.random(in: 0..<(plan.leaps ? 10 : 7), using: &random) {
        case 0...3: seconds = Double.random(in: 0.001...0.1, using: &random)
        case 4, 5: seconds = Double.random(in: 0.1...5, using: &random)
        case 6: seconds = Double.random(in: 5...90, using: &random)
        case 7, 8: seconds = Double.random(in: 60...7200, using: &random)
        default: seconds = Double.random(in: 7200...200_000, using: &random)
        }
        advance(seconds)
        trace.note("\(seconds) s have passed")
    }

    private func setClock() {
        let most: Double = [10, 7200, 200_000, 40_000_000].randomElement(using: &random) ?? 10
        let seconds = Double.random(in: -most / 2...most, using: &random)
        // Before the epoch of click IDs nobody's clock is set.
        let time = max(
            Template.start, Machine.wall.advanced(by: .milliseconds(Int64(seconds * 1000))))
        clockWasSet = true
        Machine.setWall(time)
        newestDay = max(newestDay, time.day)
        trace.note("somebody sets the clock by \(seconds) s")
    }

    private func failDisk() {
        // Often only the call that a commit waits for.
        let from = Int.random(in: 1...20, using: &random)
        let count = [1, 1, 3, 30, 300].randomElement(using: &random) ?? 1
        machine_fail(from, count, Bool.random(using: &random) ? EIO : ENOSPC)
        trace.note("changes of the disk fail: \(count) from the \(from). on")
    }

    // MARK: Steps

    private func step() throws {
        guard let life else { throw Violation("a step without life") }
        let dice = Int.random(in: 0..<100, using: &random)
        if dice < plan.traffic {
            ask()
        } else {
            switch Int.random(in: 0..<34, using: &random) {
            case 0...7: life.front.turn(timeout: 0)
            case 8...13: try turnOutbound()
            case 14...17: life.ledger.turn()
            case 18...19: life.clicks.turn()
            case 20...22: life.outboundReaders.turn()
            case 23: life.lookUps.turn()
            case 24: life.ledger.idle()
            case 25: life.clicks.idle()
            case 26: life.sweepParked()
            case 27: try rest()
            case 28 where plan.setsClock: setClock()
            case 29 where Int.random(in: 0..<4, using: &random) == 0:
                if let host = Template.hosts.randomElement(using: &random) {
                    receivers.moods[host] = Plan.mood(&random)
                    trace.note("\(host) changes its mood")
                }
            case 30:
                if let ask = senders.leave(using: &random) { trace.note("\(ask) does not wait") }
            case 31 where plan.isOperated: interference.act(on: life)
            case 32 where plan.diskFails: failDisk()
            case 28...33 where plan.diskFailsOften: failDisk()
            default: passTime()
            }
        }
        if !Machine.isDead { try followUp() }
    }

    /// What is sent arrives at once.
    @discardableResult
    private func turnOutbound() throws -> Bool {
        life?.outbound.turn(timeout: 0)
        outboundTurns += 1
        return try receivers.poll()
    }

    /// What the world does by itself. Whether it did anything.
    @discardableResult
    private func followUp() throws -> Bool {
        var isAny = runEvents()
        if try receivers.poll() { isAny = true }
        for (ask, answer) in senders.poll() {
            isAny = true
            try answered(ask, answer)
        }
        return isAny
    }

    /// Everybody does what there is to do until there is nothing.
    private func rest() throws {
        var calm = 0
        var rounds = 0
        while calm < 3, let life, !Machine.isDead {
            rounds += 1
            guard rounds < 5000 else { throw Violation("the tracker does not come to rest") }
            var isBusy = false
            life.front.turn(timeout: 0)
            if try turnOutbound() { isBusy = true }
            for turn in [
                life.ledger.turn, life.clicks.turn, life.outboundReaders.turn, life.lookUps.turn,
            ] where turn() { isBusy = true }
            if Machine.isDead { return }
            if try followUp() { isBusy = true }
            calm = isBusy ? 0 : calm + 1
        }
    }

    /// All trouble ends, and time passes until nothing is left to be done.
    private func settle() throws {
        machine_die_at(0, 0)
        machine_fail(0, 0, 0)
        for host in Template.hosts { receivers.moods[host] = .well }
        trace.note("all trouble ends")
        // What failed is tried again after a second, and what was left half done after a minute.
        for _ in 0..<2 {
            advance(70)
            life?.ledger.idle()
            life?.clicks.idle()
        }
        for round in 0..<400 {
            try rest()
            life?.ledger.idle()
            life?.clicks.idle()
            life?.sweepParked()
            if let life { interference.resumeAll(life) }
            try rest()
            if let event = events.first {
                advance(Double(event.at - min(event.at, Machine.elapsed)) / 1e9)
                continue
            }
            let next = try Audit(self).nextDue()
            if next == nil, !senders.isWaiting {
                trace.note("nothing waits any more")
                return try Audit(self).run(isWhole: true)
            }
            let wait = next.map { $0 - Machine.wall } ?? .zero
            let seconds =
                Double(wait.components.seconds) + Double(wait.components.attoseconds) / 1e18
            // Of what is due already, the host's breaker is in the way.
            advance(seconds > 0 ? seconds + 0.001 : [0.5, 10, 61, 301][round % 4])
        }
        throw Violation(
            "deliveries are forgotten: all is well, days have passed, and some still wait: "
                + (try Audit(self).waiting()))
    }

    // MARK: Asking

    private func ask() {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3: visit()
        case 4: pressLander()
        default: report()
        }
    }

    private func visit() {
        let number = model.visits.count
        let campaign = ["summer", "summer", "winter", "quiz"].randomElement(using: &random) ?? ""
        let externalID = "E\(number)-\(seed)"
        model.visits.append(Model.Visit(campaign: campaign, externalID: externalID))
        trace.note("visitor \(number) comes to \(campaign)")
        _ = senders.send(.click(number), "/c/\(campaign)?subid=\(externalID)")
    }

    private func pressLander() {
        let candidates = model.visits.indices.filter {
            model.visits[$0].campaign == "quiz" && model.visits[$0].clickID != nil
        }
        guard let number = candidates.randomElement(using: &random),
            let clickID = model.visits[number].clickID
        else { return visit() }
        trace.note("visitor \(number) goes on from the lander")
        model.visits[number].landerClicksAsked += 1
        _ = senders.send(.lander(number), "/o?cid=\(clickID.text)")
    }

    private func report() {
        let known = model.visits.indices.filter { model.visits[$0].clickID != nil }
        guard !known.isEmpty else { return visit() }
        let next: Model.Report
        if let old = model.reports.randomElement(using: &random),
            Int.random(in: 0..<4, using: &random) == 0
        {
            next = Model.Report(
                network: old.network, hasWrongKey: old.hasWrongKey, subject: old.subject,
                event: old.event, transactionID: old.transactionID, status: old.status,
                payout: old.payout)
        } else {
            next = newReport(of: known)
        }
        let number = model.reports.count
        model.reports.append(next)
        let key = next.hasWrongKey ? "nobody" : Template.postbackKeys[next.network] ?? ""
        let clickID =
            switch next.subject {
            case .visit(let visit): model.visits[visit].clickID?.text ?? ""
            case .foreign(let text): text
            }
        var query = "cid=\(clickID)&event=\(next.event)&sim=\(number)"
        if !next.transactionID.isEmpty { query += "&txid=\(next.transactionID)" }
        if let status = next.status { query += "&status=\(status.rawValue)" }
        if let payout = next.payout { query += "&payout=\(payout)" }
        trace.note("network \(next.network) reports \(number): \(next.subject) \(query)")
        _ = senders.send(.report(number), "/postback/\(key)?\(query)")
    }

    private func newReport(of known: [Int]) -> Model.Report {
        // Most of what is reported is of few clicks, so that calls meet.
        let visits = Bool.random(using: &random) ? Array(known.prefix(3)) : known
        let visit = visits.randomElement(using: &random) ?? 0
        let strange = Int.random(in: 0..<20, using: &random)
        let statuses: [ConversionStatus?] = [
            nil, .pending, .approved, .approved, .rejected, .chargeback, .trash,
        ]
        let payouts = [nil, "1", "2.5", "0.75", "10", "0"]
        return Model.Report(
            network: ["update", "update", "ignore", "add"].randomElement(using: &random) ?? "",
            hasWrongKey: strange == 0,
            subject: strange == 1
                ? .foreign(ClickID(block: random.next128()).text) : .visit(visit),
            event: Bool.random(using: &random) ? "sale" : "lead",
            transactionID: ["", "a", "b"].randomElement(using: &random) ?? "",
            status: statuses.randomElement(using: &random) ?? nil,
            payout: payouts.randomElement(using: &random) ?? nil)
    }

    // MARK: Answers

    private func answered(_ ask: Ask, _ answer: Answer) throws {
        guard let life else { throw Violation("an answer of the dead") }
        let isFailing = life.clicks.failure != nil || life.clicks.depth.held > 0
        switch ask {
        case .click(let number):
            trace.note(
                "visitor \(number) is answered \(answer.status) \(answer.location ?? "nowhere")")
            if answer.status == 503, plan.diskFails { return }
            guard answer.status == 302, let location = answer.location,
                let equals = location.lastIndex(of: "="),
                let clickID = ClickID(location[location.index(after: equals)...])
            else { throw Violation("visitor \(number) was answered \(answer)") }
            model.visits[number].clickID = clickID
            model.visits[number].isWeak = isFailing
            model.visits[number].offer =
                ["ignore", "add"].first { location.hasPrefix("https://o.example/" + $0) }
                ?? "update"
        case .lander(let number):
            trace.note("visitor \(number) is answered \(answer.status) on the lander")
            if answer.status == 503, plan.diskFails { return }
            guard answer.status == 302 else {
                throw Violation("visitor \(number) was answered \(answer) on the lander")
            }
            model.visits[number].landerClicksAnswered += 1
            if isFailing || model.visits[number].isWeak {
                model.visits[number].landerClicksWeak += 1
            }
        case .report(let number):
            let json = try? JSONValue(parsing: answer.body)
            guard let verdict = json?["verdict"]?.stringValue else {
                throw Violation("report \(number) was answered \(answer)")
            }
            let id = json?["postback"].flatMap { Int64($0.text) }
            trace.note("report \(number) is answered \(answer.status) \(verdict)")
            if verdict == "rate_limited" || verdict == "storage_unavailable" && plan.diskFails {
                return
            }
            guard answer.status < 500, let id else {
                throw Violation("report \(number) was answered \(answer)")
            }
            model.reports[number].answer = (verdict, id)
        }
    }

    // MARK: What the traffic sources see

    func received(_ call: ReceivedCall) throws {
        guard let life, let id = Delivery.id(idempotencyKey: call.key),
            let row = try life.read({ (reader) throws(StoreError) in try reader.delivery(id) })
        else { throw Violation("\(call.key) is called, and there is no such delivery") }
        trace.note("network: \(call.host) is called: \(call.key) \(call.target)")
        guard row.idempotencyKey == call.key, row.request.url == "http://\(call.host)\(call.target)"
        else { throw Violation("\(row) is called as \(call)") }
        try interference.check(row, at: call.host)
        if !clockWasSet, row.dueAt > Machine.wall {
            throw Violation(
                "\(call.key) is called at \(Machine.wall.rfc3339), before it is due: \(row)")
        }
        if successes[call.key] == lifeCount {
            throw Violation("\(call.key) is called again, after a success that was answered")
        }
    }

    func answered(_ key: String, _ status: Int) {
        trace.note("network: \(key) is answered \(status)")
        if (200...299).contains(status) { successes[key] = lifeCount }
    }
}

extension SeededRandom {
    mutating func next128() -> UInt128 { UInt128(next()) << 64 | UInt128(next()) }
}

extension JSONValue {
    /// As it stands in a document.
    fileprivate var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
