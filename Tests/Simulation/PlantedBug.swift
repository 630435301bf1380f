import SQLite
import Store

/// Bugs that the simulated machine and its world can have, to see that they are found.
enum PlantedBug: String, CaseIterable {
    /// The disk says that it has synced and has not.
    case syncLies = "sync-lies"
    /// The same of the names of files only.
    case namesAreNotSynced = "names-are-not-synced"
    // At each start somebody changes what lies on the disk, as a bug of ours might.
    case clickForgotten = "click-forgotten"
    case reportForgotten = "report-forgotten"
    case deliveryForgotten = "delivery-forgotten"
    /// One that was called already is given up.
    case retryForgotten = "retry-forgotten"
    case countedTwice = "counted-twice"
    /// What was delivered waits again.
    case calledAgain = "called-again"
    /// A process of several seeds traps, and none of them does alone.
    case trapsInCompany = "traps-in-company"

    /// While no process runs.
    func sabotage(_ directory: DataDirectory) throws {
        switch self {
        case .syncLies, .namesAreNotSynced, .trapsInCompany: return
        case .clickForgotten:
            for day in try directory.clickDays() {
                let path = directory.clickFilePath(day)
                // Not made yet: nothing is to be had there.
                try? Self.change(path, "DELETE FROM click WHERE id = (SELECT max(id) FROM click)")
            }
        case .reportForgotten:
            try Self.change(
                directory.ledgerPath,
                """
                DELETE FROM postback WHERE conversion_id IS NULL
                    AND id = (SELECT max(id) FROM postback)
                """)
        case .deliveryForgotten:
            try Self.change(
                directory.ledgerPath,
                "DELETE FROM delivery WHERE state = 'waiting' AND attempt_count = 0")
        case .retryForgotten:
            try Self.change(
                directory.ledgerPath,
                """
                UPDATE delivery SET state = 'dead', reason = 'given up 72 h after the conversion'
                WHERE state = 'waiting' AND attempt_count > 0
                """)
        case .countedTwice:
            try Self.change(
                directory.ledgerPath, "UPDATE conversion SET payout_nanos = payout_nanos * 2")
        case .calledAgain:
            try Self.change(
                directory.ledgerPath,
                "UPDATE delivery SET state = 'waiting' WHERE state = 'delivered'")
        }
    }

    private static func change(_ path: String, _ sql: String) throws {
        let connection = try Connection(path: path, mode: .readWrite)
        defer { connection.close() }
        try connection.run(sql)
    }
}
