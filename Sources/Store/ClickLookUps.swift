public import Domain
internal import SQLite

/// Reads the clicks of visitors who press a lander's button, on a thread of its own: no list or
/// report makes them wait, and no event loop waits for a disk.
public final class ClickLookUps: Sendable {
    /// What is known of a click. A read that fails finds nothing: the visitor goes on all the same.
    public struct Found: Sendable {
        public var click: Click?
        /// What its flow's version led it to; nil also where that version can't be told.
        public var path: Path?
        /// Whether there are lander clicks of it in its day's file; asked for only where its day is
        /// finished, else false.
        public var hasLanderClicks = false
        /// IDs of lander clicks that the click has already where this one is to lie, from the one that
        /// was asked about on: there are such only where an earlier run's clock was ahead.
        public var takenIDs: Set<ClickRowID> = []

        public init() {}
    }

    private struct Item: Sendable {
        let rowID: ClickRowID
        let id: ClickRowID
        let isFinishedDay: Bool
        let finished: @Sendable (Found) -> Void
    }

    private let thread: BatchThread<Item>
    private let state: State

    /// Beyond it clicks are not looked for.
    public static let queuedMax = 100_000

    /// - Parameter isDriven: whether it has no thread, and looks when `turn` is called.
    public init(
        _ directory: DataDirectory, isDriven: Bool = false,
        log: @escaping @Sendable (_ event: String, _ detail: String) -> Void
    ) {
        let state = State(LedgerReader(directory), log)
        self.state = state
        thread = BatchThread(
            name: "look-ups", capacity: Self.queuedMax, idleEvery: .seconds(1),
            isDriven: isDriven,
            idle: { state.rest() },
            run: { items in
                for item in items {
                    item.finished(state.find(item))
                }
            })
    }

    /// - Parameters:
    ///   - id: of the lander click that is to be.
    ///   - finished: called on the thread of look-ups, or at once when too many wait.
    public func find(
        _ rowID: ClickRowID, for id: ClickRowID, now: Instant,
        finished: @escaping @Sendable (Found) -> Void
    ) {
        let item = Item(
            rowID: rowID, id: id, isFinishedDay: ClickStore.isFinished(rowID.day, at: now),
            finished: finished)
        if !thread.submit(item) { finished(Found()) }
    }

    /// Answers what has queued, and lets go of its files; false when nothing had. Driven only.
    @discardableResult
    public func turn() -> Bool {
        defer { thread.idle() }
        return thread.turn()
    }

    /// Answers what has queued, and closes its files.
    public func stop() {
        thread.stop()
        state.close()
    }

    // Unchecked: used by the thread of look-ups only, and once more after its end.
    private final class State: @unchecked Sendable {
        private let reader: LedgerReader
        private let log: @Sendable (String, String) -> Void
        private var flows: [Int64: Flow] = [:]
        /// Versions don't change; most visitors come by a few of them.
        private static let flowsMax = 500

        init(_ reader: LedgerReader, _ log: @escaping @Sendable (String, String) -> Void) {
            self.reader = reader
            self.log = log
        }

        func find(_ item: Item) -> Found {
            let rowID = item.rowID
            var found = Found()
            do throws(StoreError) {
                found.click = try reader.clicks.click(rowID)
                if let click = found.click, let version = click.flowVersion, let rule = click.rule {
                    found.path = try flow(version)?.path(click.path, ofRule: rule)
                }
                if item.isFinishedDay {
                    found.hasLanderClicks = try !reader.clicks.landerClicks(of: rowID, limit: 1)
                        .isEmpty
                }
            } catch {
                reader.close()
                log("click_not_found", "reason=\"\(error)\"")
                return found
            }
            do throws(StoreError) {
                found.takenIDs = try taken(item)
            } catch {
                reader.close()
                log("lander_clicks_not_read", "reason=\"\(error)\"")
            }
            return found
        }

        private func taken(_ item: Item) throws(StoreError) -> Set<ClickRowID> {
            var others = try reader.clicks.landerClicks(of: item.rowID, from: item.id)
            if item.isFinishedDay {
                // Then the ledger is where this one will lie.
                others += try reader.lateLanderClicks(of: item.rowID, from: item.id)
                reader.endView()
            }
            return Set(others.map(\.id))
        }

        /// Lets go of the files, which their writers seal when nobody reads them.
        func rest() { reader.rest() }

        func close() { reader.close() }

        private func flow(_ version: Int64) throws(StoreError) -> Flow? {
            if let known = flows[version] { return known }
            let flow = try reader.flowVersion(version)?.flow
            reader.endView()
            if flows.count >= Self.flowsMax { flows.removeAll() }
            flows[version] = flow
            return flow
        }
    }
}
