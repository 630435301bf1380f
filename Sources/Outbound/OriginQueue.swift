internal import Domain
internal import Store

/// The deliveries of one origin that are in memory: a window on the table's waiting rows.
///
/// The window holds every waiting row up to `horizon` (in the order of due time and ID) that is not
/// busy and whose destination is not paused, as of the newest read. A delivery is *busy* from the
/// start of its call, or of its giving up, until the result is on disk: until then its row still says
/// "waiting", and must not be believed.
struct OriginQueue {
    /// How far a due time can lie ahead when the clock was right as it was set: the longest
    /// `Retry-After` that is honoured, and an hour.
    static let dueAheadMax: Duration = .seconds(25 * 3600)
    /// A conversion of the future was recorded before the clock was set back.
    static let clockSlack: Duration = .seconds(5)

    // A class: a window is put together anew with each read, and a delivery has many parts to copy.
    final class Entry {
        let delivery: Delivery
        /// When it's due by today's clock.
        let due: Instant
        fileprivate let bytes: Int

        fileprivate init(_ delivery: Delivery, bytes: Int? = nil, at now: Instant) {
            self.delivery = delivery
            due = OriginQueue.due(of: delivery, at: now)
            self.bytes = bytes ?? delivery.approximateBytes
        }
    }

    /// How much a window may hold: one delivery whatever its bytes.
    struct Size {
        var count: Int
        var bytes = Int.max
    }

    private enum Horizon {
        /// Nothing was read yet.
        case nothing
        case through(Instant, DeliveryID)
        case everything
    }

    /// The first to be called is the last.
    private var entries: [Entry] = []
    /// Of the entries.
    private(set) var bytes = 0
    private(set) var busy: Set<DeliveryID> = []
    /// Busy ones that somebody cancelled: what is in memory of them is out of date.
    private var forgotten: Set<DeliveryID> = []
    /// What changed while a read was under way, and may be in its rows as it was before.
    private var changedDuringRead: Set<DeliveryID> = []
    /// Destinations that are paused: their rows are not in the window.
    private(set) var passedOver: Set<String> = []
    private var horizon = Horizon.nothing
    private(set) var isReading = false
    private var isStale = false

    var count: Int { entries.count }
    var first: Entry? { entries.last }

    /// Nothing in memory, nothing on disk, nothing under way.
    var isSpent: Bool {
        guard case .everything = horizon else { return false }
        return entries.isEmpty && busy.isEmpty && !isReading && !isStale
    }

    /// Nothing is under way, whatever waits.
    var isAtRest: Bool { busy.isEmpty && !isReading }

    /// When a delivery is due by the clock of `now`, whatever clock its due time was set by.
    ///
    /// A clock that was ahead and is right again leaves due times that may lie years ahead; such
    /// deliveries are due now. An attempt sets their time anew, so each of them is so once.
    static func due(of delivery: Delivery, at now: Instant) -> Instant {
        let ahead =
            delivery.attemptCount == 0
            ? max(dueAheadMax, .seconds(delivery.delaySeconds) + clockSlack) : dueAheadMax
        if delivery.dueAt > now.advanced(by: ahead) { return now }
        let isOfTheFuture = delivery.convertedAt > now.advanced(by: clockSlack)
        return isOfTheFuture && delivery.attemptCount == 0 ? now : delivery.dueAt
    }

    // MARK: Pauses

    /// These destinations are paused, and no others.
    mutating func passOver(_ destinations: Set<String>) {
        guard destinations != passedOver else { return }
        if !passedOver.isSubset(of: destinations) { isStale = true }
        passedOver = destinations
        remove { destinations.contains($0.delivery.destination) }
    }

    /// The whole origin is paused: nothing of it is kept in memory but what is under way.
    mutating func leave() {
        entries = []
        bytes = 0
        horizon = .nothing
        isStale = true
    }

    // MARK: Reading

    /// There may be rows that the window doesn't show.
    mutating func markStale() { isStale = true }

    /// Whether reading now would put something to do into the window.
    func wantsRead(size: Size, at now: Instant) -> Bool {
        guard !isReading else { return false }
        let isFull = !entries.isEmpty && bytes >= size.bytes / 2
        switch horizon {
        case .nothing: return true
        case .everything where !isStale: return false
        case .through where !isStale: return entries.count * 2 < size.count && !isFull
        case .everything, .through:
            // What is new is due no earlier than now, and waits behind what is due already.
            let enough = isFull ? entries.count : max(1, size.count / 2)
            return entries.count < enough || entries[entries.count - enough].due > now
        }
    }

    /// - Returns: what to read for a window of `size`: busy rows are among the first.
    mutating func beginRead(of origin: String, size: Size) -> DeliveryWindow.Order {
        isReading = true
        isStale = false
        changedDuringRead = []
        var order = DeliveryWindow.Order(origin: origin, limit: size.count + busy.count)
        order.bytesMax = max(1, size.bytes - bytes)
        order.known.reserveCapacity(entries.count)
        for entry in entries { order.known[entry.delivery.id] = entry.delivery.dueAt }
        order.ignored = busy
        order.passedOver = passedOver
        return order
    }

    mutating func endRead(_ window: DeliveryWindow, size: Size, at now: Instant) {
        isReading = false
        var positions: [DeliveryID: Int] = [:]
        positions.reserveCapacity(entries.count)
        for (position, entry) in entries.enumerated() { positions[entry.delivery.id] = position }
        var found: [Entry] = []
        found.reserveCapacity(window.rows.count)
        for row in window.rows where !busy.contains(row.id) && !changedDuringRead.contains(row.id) {
            let entry: Entry
            if let delivery = row.delivery {
                entry = Entry(delivery, at: now)
            } else if let position = positions[row.id] {
                let known = entries[position]
                let isAsDue = known.due == Self.due(of: known.delivery, at: now)
                entry =
                    isAsDue ? known : Entry(known.delivery, bytes: known.bytes, at: now)
            } else {
                // It has left the window since it was said to be known.
                isStale = true
                continue
            }
            if !passedOver.contains(entry.delivery.destination) { found.append(entry) }
        }
        // As the table has them, but where somebody has set the clock.
        if zip(found, found.dropFirst()).allSatisfy({ Self.isBefore($0, $1) }) {
            entries = found.reversed()
        } else {
            entries = found.sorted { Self.isBefore($1, $0) }
        }
        bytes = found.reduce(0) { $0 + $1.bytes }
        changedDuringRead = []
        if !window.isComplete, let last = window.rows.last {
            horizon = .through(last.dueAt, last.id)
        } else {
            horizon = .everything
        }
        trim(to: size)
    }

    mutating func failRead() {
        isReading = false
        changedDuringRead = []
        isStale = true
    }

    // MARK: Calls

    /// Takes the first entry; it's busy from now on.
    mutating func takeFirst() -> Delivery? {
        guard let entry = entries.popLast() else { return nil }
        bytes -= entry.bytes
        busy.insert(entry.delivery.id)
        return entry.delivery
    }

    /// They are being given up.
    mutating func hold(_ ids: Set<DeliveryID>) {
        remove { ids.contains($0.delivery.id) }
        busy.formUnion(ids)
    }

    /// Its result is on disk.
    ///
    /// - Parameters:
    ///   - next: the delivery as it waits now; nil when it ended, or has to be read.
    ///   - size: entries beyond it are left on disk.
    mutating func release(_ id: DeliveryID, next: Delivery?, size: Size, at now: Instant) {
        busy.remove(id)
        let isForgotten = forgotten.remove(id) != nil
        if isReading { changedDuringRead.insert(id) }
        guard let next else { return }
        if isForgotten || isReading {
            isStale = true
            return
        }
        insert(next, size: size, at: now)
    }

    /// It was not called after all.
    mutating func putBack(_ delivery: Delivery, size: Size, at now: Instant) {
        release(delivery.id, next: delivery, size: size, at: now)
    }

    /// Somebody cancelled these deliveries, or tried to: the table knows.
    mutating func forget(_ ids: Set<DeliveryID>) {
        let before = entries.count
        remove { ids.contains($0.delivery.id) }
        if entries.count < before { isStale = true }
        forgotten.formUnion(ids.intersection(busy))
        if isReading { changedDuringRead.formUnion(ids) }
    }

    /// Whether it was forgotten while busy.
    func isForgotten(_ id: DeliveryID) -> Bool { forgotten.contains(id) }

    private mutating func remove(where isOut: (Entry) -> Bool) {
        entries.removeAll(where: isOut)
        bytes = entries.reduce(0) { $0 + $1.bytes }
    }

    private mutating func insert(_ delivery: Delivery, size: Size, at now: Instant) {
        if passedOver.contains(delivery.destination) { return }
        switch horizon {
        case .nothing: return
        case .through(let due, let id):
            guard (delivery.dueAt, delivery.id.rawValue) <= (due, id.rawValue) else { return }
        case .everything: break
        }
        let entry = Entry(delivery, at: now)
        let position = entries.firstIndex { Self.isBefore($0, entry) } ?? entries.count
        entries.insert(entry, at: position)
        bytes += entry.bytes
        trim(to: size)
    }

    /// Leaves what is too much on disk.
    mutating func trim(to size: Size) {
        var surplus = 0
        while entries.count - surplus > 1,
            entries.count - surplus > size.count || bytes > size.bytes
        {
            bytes -= entries[surplus].bytes
            surplus += 1
        }
        guard surplus > 0 else { return }
        entries.removeFirst(surplus)
        if let last = entries.first { horizon = .through(last.delivery.dueAt, last.delivery.id) }
    }

    private static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
        (left.due, left.delivery.id.rawValue) < (right.due, right.delivery.id.rawValue)
    }
}
