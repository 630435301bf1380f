internal import Migrations
internal import SQLite

enum LedgerSchema {
    /// "crld".
    static let applicationID: Int32 = 0x6372_6c64

    static let migrator = Migrator(
        applicationID: applicationID,
        migrations: EmbeddedMigrations.ledger.map {
            Migration(version: $0.version, name: $0.name, sql: $0.sql)
        })
}
