internal import Clicks
internal import Crypto
internal import Domain
internal import Net
internal import SQLite
internal import Store

/// What a data directory offers to whoever serves it: the writers, the readers and the keys.
///
/// Holds the directory's lock as long as it is open.
// Unchecked: everything is set before `init` returns; `close` is called once, when nobody else
// uses it.
final class Services: @unchecked Sendable {
    let configuration: Configuration
    let log: Log
    let directory: DataDirectory
    let ledger: Ledger
    let clickStore: ClickStore
    let readers: Readers
    let routing: Routing
    let rowIDs: ClickRowIDs
    let clickIDs: ClickIDKeys
    private let lock: LockFile

    init(_ configuration: Configuration) throws(CommandFailure) {
        self.configuration = configuration
        let log = configuration.log
        self.log = log
        directory = DataDirectory(path: configuration.dataDirectory)
        do {
            try directory.create()
            lock = try LockFile(path: directory.lockPath)
            let routing = Routing(Catalog())
            self.routing = routing
            var observers = Ledger.Observers()
            observers.catalogChanged = { routing.publish($0) }
            observers.log = { log.error($0, ["detail": .string($1)]) }
            var ledgerOptions = Ledger.Options()
            ledgerOptions.isFullyDurable = configuration.databaseSync == .full
            ledger = try Ledger(directory, options: ledgerOptions, observers: observers)
            routing.publish(ledger.catalog)
            clickIDs = try Self.keys(ledger)

            let now = Self.now()
            rowIDs = ClickRowIDs(
                node: UInt8(configuration.nodeID),
                newestStored: try ClickStore.newestRowIDs(directory, today: now.day), now: now)
            var clickOptions = ClickStore.Options()
            clickOptions.isFullyDurable = configuration.databaseSync == .full
            clickOptions.redirectsOnFailure = configuration.onStorageFailure == .redirect
            clickStore = try ClickStore(directory, options: clickOptions, now: Self.now) {
                log.error($0, ["detail": .string($1)])
            }
            readers = Readers(directory, threads: 2)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("\(error)")
        }
    }

    /// The wall clock.
    @Sendable static func now() -> Instant { Instant(micros: Clock.wallMicros()) }

    /// Why clicks can't be recorded now; nil when they can.
    var unreadiness: String? { clickStore.failure ?? ledger.failure }

    func startOutbound(addresses: [String]) {}
    func stopOutbound(graceMilliseconds: Int) {}

    /// Commits what has queued and closes the files.
    func close() {
        clickStore.stop()
        ledger.stop()
        readers.stop()
        lock.release()
    }

    /// The installation's click ID keys; the first is made here, at the first start.
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
