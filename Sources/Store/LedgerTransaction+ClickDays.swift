internal import Domain
internal import SQLite

/// Sums of days that are over. Clicks come late only after the disk has failed for longer than a
/// day, and those are missing here; they are in the day's file.
extension LedgerTransaction {
    func summedClickDays() throws(StoreError) -> Set<Day> {
        try sql { () throws(SQLiteError) in
            Set(
                try connection.rows("SELECT day FROM click_day") { (row) throws(SQLiteError) in
                    Day(number: Int32(clamping: row.int64(0)))
                })
        }
    }

    /// Days that a clock which was set ahead has taken for over are summed again when they are.
    ///
    /// - Parameter days: those that have a file; of others these sums are all there is, and a clock
    ///   that is set back for a while must not take them away.
    func forgetClickSums(from day: Day, of days: [Day]) throws(StoreError) {
        let again = try summedClickDays().intersection(days.filter { $0 >= day })
        if again.isEmpty { return }
        try sql { () throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for day in again {
                    let bindings = [Value.integer(Int64(day.number))]
                    try connection.run("DELETE FROM click_day WHERE day = ?1", bindings)
                    try connection.run("DELETE FROM click_day_way WHERE day = ?1", bindings)
                }
            }
        }
    }

    /// Copies a day's sums in a transaction of its own.
    /// - Throws: `unreadable` where the day's file is.
    func keepClickSums(of day: Day) throws(StoreError) {
        let sums: [(way: ClickWay, clicks: Int64)]
        do {
            sums = try clicks.ways(
                on: day, from: day.start, to: day.advanced(by: 1).start)
        } catch {
            throw .unreadable(error.description)
        }
        try sql { () throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for (way, clicks) in sums {
                    try connection.run(
                        "INSERT OR REPLACE INTO click_day_way VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        [
                            .integer(Int64(day.number)), .integer(way.campaignID.rawValue),
                            .integer(way.flowVersion), .integer(Int64(way.rule)),
                            .integer(Int64(way.path)), .integer(way.offerVersion),
                            .integer(clicks),
                        ])
                }
                try connection.run(
                    "INSERT INTO click_day (day) VALUES (?1)", [.integer(Int64(day.number))])
            }
        }
    }
}
