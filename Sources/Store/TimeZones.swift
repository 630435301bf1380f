public import Domain
internal import SQLite
internal import Synchronization

/// The time zones that this machine knows, by name.
///
/// A zone's file is read once and its rules stay in memory, so that a system's update of its time
/// zones takes effect with the next start, for all at once. Reading one blocks for as long as a
/// file of 2 KB takes.
public final class TimeZones: TimeZoneSource {
    /// Of the system. Debian's package is `tzdata`.
    public static let system = TimeZones(directory: "/usr/share/zoneinfo")

    private let directory: String
    private let known = Mutex<[String: TimeZoneRules]>([:])

    public init(directory: String) { self.directory = directory }

    /// - Throws: that there is no such zone, or what is wrong with the system's files.
    public func rules(_ name: String) throws(TimeZoneError) -> TimeZoneRules {
        if let rules = known.withLock({ $0[name] }) { return rules }
        let rules = try read(name)
        // The system's directory bounds how many there can be.
        known.withLock { $0[name] = rules }
        return rules
    }

    private func read(_ name: String) throws(TimeZoneError) -> TimeZoneRules {
        let path = "\(directory)/\(name)"
        let isFile = FileSystem.exists(path) && !FileSystem.isDirectory(path)
        guard isFile else { throw absent(name) }
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(path, bytesMax: TimeZoneRules.fileBytesMax)
        } catch {
            throw TimeZoneError("is a time zone whose file can't be read: \(error.description)")
        }
        return try TimeZoneRules(name: name, file: bytes)
    }

    private func absent(_ name: String) -> TimeZoneError {
        guard FileSystem.isDirectory(directory) else {
            return TimeZoneError(
                "can't be a name here: this machine has no time zone files in \(directory) (install "
                    + "the package tzdata); UTC and offsets such as +02:00 need none")
        }
        let nearest = suggestion(name).map { "; did you mean \"\($0)\"?" } ?? ""
        return TimeZoneError("is not a time zone that this machine knows\(nearest)")
    }

    /// From the table of places that the time zone files come with.
    private func suggestion(_ name: String) -> String? {
        // Without the table there is no hint, and the error stands without one.
        guard let table = try? FileSystem.read("\(directory)/zone.tab", bytesMax: 1 << 20) else {
            return nil
        }
        let names = String(decoding: table, as: UTF8.self).split(separator: "\n")
            .filter { !$0.hasPrefix("#") }
            .compactMap { line in
                let columns = line.split(separator: "\t")
                return columns.count > 2 ? String(columns[2]) : nil
            }
        let lowered = name.lowercased()
        // A city by itself.
        if let match = names.first(where: { $0.lowercased().hasSuffix("/" + lowered) }) {
            return match
        }
        return NearestName.suggestion(for: name, among: names)
    }
}
