/// Connections that have more to do than others should wait for: each turn of the loop some of them
/// go on, first come, first served.
// Confined to its server's loop.
final class ConnectionQueue {
    private let perTurnMax: Int
    private var waiting: [Connection] = []
    /// The next one's place.
    private var next = 0

    /// - Parameter perTurnMax: how many may go on in one turn. Those that were closed don't count.
    init(perTurnMax: Int) { self.perTurnMax = perTurnMax }

    var isEmpty: Bool { waiting.isEmpty }

    func append(_ connection: Connection) { waiting.append(connection) }

    /// Lets the next ones go on that are not closed; those that are appended meanwhile wait for the
    /// next turn.
    func takeTurn(_ goOn: (Connection) -> Void) {
        let end = waiting.count
        var left = perTurnMax
        while next < end, left > 0 {
            let connection = waiting[next]
            next += 1
            if connection.isClosed { continue }
            left -= 1
            goOn(connection)
        }
        if next == waiting.count || next >= 4096 {
            waiting.removeFirst(next)
            next = 0
        }
    }
}
