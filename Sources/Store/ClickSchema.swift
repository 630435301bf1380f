internal import Domain
internal import Migrations
internal import SQLite

enum ClickSchema {
    /// "crcl", so that `file` and we ourselves can tell a day file from a ledger.
    static let applicationID: Int32 = 0x6372_636c

    static let migrator = Migrator(
        applicationID: applicationID,
        migrations: EmbeddedMigrations.clicks.map {
            Migration(version: $0.version, name: $0.name, sql: $0.sql)
        })
}

extension IPAddress {
    /// 4 bytes or 16, network order.
    var storedBytes: [UInt8] {
        if let ipv4 {
            return (0..<4).map { UInt8(truncatingIfNeeded: ipv4 >> UInt32(24 - 8 * $0)) }
        }
        return (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) }
    }

    init?(storedBytes bytes: [UInt8]) {
        let number = bytes.reduce(0 as UInt128) { $0 << 8 | UInt128($1) }
        switch bytes.count {
        case 4: self.init(ipv4: UInt32(truncatingIfNeeded: number))
        case 16: self.init(bits: number)
        default: return nil
        }
    }
}
