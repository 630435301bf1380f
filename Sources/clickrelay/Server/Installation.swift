internal import Admin
internal import Clicks
internal import Crypto
internal import Domain
internal import Glibc
internal import Net
internal import Postbacks
internal import SQLite
internal import Store
internal import Visitors

/// An open data directory: its lock, its ledger and who may read it. What a server and a command
/// without a server have in common.
// Unchecked: everything is set before `init` returns; `close` is called once, when nobody else
// uses it.
final class Installation: @unchecked Sendable {
    let configuration: Configuration
    let log: Log
    let incidents: Incidents
    let directory: DataDirectory
    let ledger: Ledger
    let readers: Readers
    let quickReaders: Readers
    let clickIDs: ClickIDKeys
    /// Not loaded yet.
    let geo: GeoDirectory
    private let leaps: ClockLeaps
    private let lock: LockFile

    /// How long a directory's lock is waited for.
    private static let lockWaitNanos: UInt64 = 10_000_000_000

    /// Takes the lock, brings the database up to date and makes the first click ID key if there is
    /// none.
    ///
    /// - Throws: `.tryAgain` when a server has the directory, or another process has it for longer
    ///   than a command needs.
    init(_ configuration: Configuration, observers: Ledger.Observers = Ledger.Observers())
        throws(CommandFailure)
    {
        self.configuration = configuration
        let log = configuration.log
        self.log = log
        let incidents = Incidents(log)
        self.incidents = incidents
        directory = DataDirectory(path: configuration.dataDirectory)
        geo = GeoDirectory(path: directory.geoPath)
        var observers = observers
        observers.log = { incidents.report($0, $1) }
        var options = Ledger.Options()
        options.isFullyDurable = configuration.databaseSync == .full
        options.sumsClicksBefore = { Self.now().day.advanced(by: -1) }
        do {
            try directory.create()
            lock = try Self.lock(directory, configuration)
            guard !FileSystem.exists(directory.restoringPath) else {
                throw CommandFailure.failed(
                    "a restore into \(Printable.text(directory.path)) did not finish: "
                        + "empty the directory and restore again")
            }
            guard try !directory.lacksItsLedger() else {
                throw CommandFailure.failed(
                    "\(Printable.text(directory.ledgerPath)) is missing, though there are clicks or "
                        + "its log: put it back, or restore a backup into a new directory; to begin "
                        + "with nothing, empty the directory")
            }
            let now = Self.now()
            let leaps = ClockLeaps(
                now: now, nanos: Clock.monotonicNanos(),
                newest: try directory.clickDays().last { $0 <= now.day })
            self.leaps = leaps
            if let days = configuration.retentionPostbackDays {
                options.forgetCallsBefore = {
                    Self.isSteady(leaps, incidents)
                        ? Self.now().advanced(by: .seconds(-days * 86_400)) : nil
                }
            }
            try ClickStore.recover(directory, now: Self.now()) {
                log.error($0, ["detail": .string($1)])
            }
            ledger = try Ledger(directory, options: options, observers: observers)
            clickIDs = try Self.keys(ledger)
            readers = Readers(directory, threads: 2)
            quickReaders = Readers(directory, name: "quick", threads: 1)
        } catch let error as LockError {
            let isSilent: Bool
            if case .held = error {
                isSilent = try !Invocation.isServed(configuration)
            } else {
                isSilent = false
            }
            throw CommandFailure(
                .tryAgain,
                error.description + (isSilent ? ", and nobody answers at control.sock there" : ""))
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("\(error)")
        }
    }

    /// A command has a directory for a moment and a server on its way out for its grace time, so
    /// `serve` beside a command, or two commands, must not fail by chance: they take turns. A
    /// server that is there to stay, which its control socket shows, is not waited for.
    private static func lock(_ directory: DataDirectory, _ configuration: Configuration) throws
        -> LockFile
    {
        let begun = Clock.monotonicNanos()
        while true {
            do {
                return try LockFile(path: directory.lockPath)
            } catch {
                guard case .held = error, try !Invocation.isServed(configuration),
                    Clock.monotonicNanos() - begun < lockWaitNanos
                else { throw error }
                // Shorter than a command takes to begin, so that a waiting server comes before the
                // next command of a script.
                usleep(2_000)
            }
        }
    }

    /// Whether what is old by the clock may be deleted now.
    var mayDeleteByClock: Bool { Self.isSteady(leaps, incidents) }

    private static func isSteady(_ leaps: ClockLeaps, _ incidents: Incidents) -> Bool {
        leaps.isSteady(now: now(), nanos: Clock.monotonicNanos()) {
            incidents.report(
                "clock_was_set_ahead", "for an hour nothing is deleted for being old by it")
        }
    }

    /// The wall clock.
    @Sendable static func now() -> Instant { Instant(micros: Clock.wallMicros()) }

    /// What the administration API is given of everything else.
    ///
    /// - Parameter publicURL: what URLs that are shown to people begin with.
    func adminServices(publicURL: String, startedAt: Instant = Installation.now())
        -> Admin.Services
    {
        let url = configuration.publicURL ?? publicURL
        var services = Admin.Services(
            clickIDs: clickIDs, rules: PostbackRecorder(clickIDs: clickIDs),
            sha256: { SHA256.digest($0) },
            sha256Hex: { Array(SHA256.hex(Array($0)).utf8) },
            newToken: { SecureRandom.token(prefix: "cr_") },
            newPostbackKey: { SecureRandom.token() },
            newWebhookSecret: { WebhookSecret.text(of: SecureRandom.bytes(32)) },
            now: Self.now, publicURL: { url }, directory: directory, version: Version.text,
            startedAt: startedAt)
        // A command that has the directory to itself loads them when somebody asks.
        services.geo.files = { [geo] in
            geo.loadOnce()
            return geo.files
        }
        services.geo.load = { [geo] in geo.load(checks: true) }
        services.geo.place = { [geo] ip in
            geo.loadOnce()
            return geo.places.place(of: ip)
        }
        // Without a server, what is on disk is all there is.
        services.capUsage = { [self] scope in
            counters(ledger.catalog).usage(of: scope, at: Self.now())
        }
        services.simulate = { [self] (sample, campaign, catalog, now) throws(StoreError) in
            try simulate(sample, campaign, catalog, now)
        }
        return services
    }

    private func counters(_ catalog: Catalog) -> TrafficCounters {
        let counters = TrafficCounters(directory, now: Self.now) { [incidents] in
            incidents.report($0, $1)
        }
        counters.follow(catalog)
        return counters
    }

    private func simulate(
        _ sample: SampleVisit, _ campaign: Stored<Campaign>, _ catalog: Catalog, _ now: Instant
    ) throws(StoreError) -> SimulatedVisit {
        let rules: VisitRules
        do throws(VisitRulesError) {
            rules = try configuration.visitRules.load(log)
        } catch {
            throw .conflict("BOTS_FILE can't be used: \(error.text)")
        }
        geo.loadOnce()
        return try VisitSimulator(
            settings: ClickHandler.Settings(configuration, SharedVisitRules(rules), geo),
            counters: counters(catalog), visitors: VisitorMemory(), clickIDs: clickIDs,
            alwaysServed: configuration.publicHost.map { [$0] } ?? []
        ).simulate(sample, campaign, catalog, now: now)
    }

    /// Commits what has queued and closes the files.
    func close() {
        readers.stop()
        quickReaders.stop()
        ledger.stop()
        lock.release()
    }

    private static func keys(_ ledger: Ledger) throws -> ClickIDKeys {
        let keys = try Blocking.wait { done in
            ledger.perform(
                { transaction throws(StoreError) in
                    let keys = try transaction.clickKeys()
                    if !keys.isEmpty { return keys }
                    let key = SecureRandom.bytes(ClickIDCipher.keyBytes)
                    try transaction.addClickKey(key, at: now())
                    return [key]
                }, finished: done)
        }
        return try ClickIDKeys(keys)
    }
}
