internal import Domain

/// What a backup's file is: a tar archive of plain files, in this order.
///
///     clickrelay-backup.json    what it is, and of when
///     clickrelay.db             the ledger
///     clicks/2026-11-20.db      each day's clicks
///     geo/…                     the operator's location files
///     SHA256SUMS                of all before it, as `sha256sum -c` reads it; nothing comes after
///
/// So that everything can be taken out by hand too, and a file that was cut short or changed
/// anywhere shows as what it is.
enum BackupFormat {
    static let version: Int64 = 1
    static let aboutName = "clickrelay-backup.json"
    static let ledgerName = "clickrelay.db"
    static let sumsName = "SHA256SUMS"
    static let aboutBytesMax: Int64 = 64 << 10
    /// A line of 100 bytes for each day of a thousand years.
    static let sumsBytesMax: Int64 = 64 << 20
    static let chunkBytes = 1 << 20

    static func name(of day: Day) -> String { "clicks/\(day.text).db" }

    /// Whether a data directory has such a file, so that nothing is ever written elsewhere.
    static func isDataFile(_ name: String) -> Bool {
        if name == ledgerName { return true }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        switch parts[0] {
        case "clicks": return parts[1].hasSuffix(".db") && Day(String(parts[1].dropLast(3))) != nil
        case "geo": return !parts[1].isEmpty && !parts[1].hasPrefix(".")
        default: return false
        }
    }

    static func about(madeAt: Instant) -> JSONValue {
        [
            "clickrelay_backup": .integer(version), "made_at": .string(madeAt.rfc3339),
            "program_version": .string(Version.text),
        ]
    }
}

/// Why a file can't be restored.
enum BackupFault: Error, Equatable {
    /// It may be anything, but no backup.
    case foreign
    /// Made by a later version of this program.
    case newer(Int64)
    case truncated
    case damaged(String)

    var message: String {
        switch self {
        case .foreign: "is no backup of Clickrelay"
        case .newer(let version):
            "has format \(version), and this program knows up to \(BackupFormat.version): "
                + "use the newer program"
        case .truncated: "ends too early: it was not copied whole"
        case .damaged(let what): "is damaged: \(what)"
        }
    }
}
