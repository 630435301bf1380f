internal import Glibc
internal import SQLite

/// The demo's data directory: one that was named, or one of its own that goes with it.
struct DemoDirectory {
    let path: String
    private let isTemporary: Bool

    /// - Parameter named: nil for a temporary one.
    init(named: String?) throws(CommandFailure) {
        if let named {
            // The demo makes entities; nobody wants them among their own.
            guard !FileSystem.exists(named + "/clickrelay.db") else {
                throw CommandFailure(
                    .refused,
                    "\(Printable.text(named)) holds data already; the demo wants a fresh directory")
            }
            path = named
            isTemporary = false
            return
        }
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/clickrelay-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure(.failed, "no directory can be made in \(parent): \(reason)")
        }
        path = String(
            decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        isTemporary = true
    }

    /// Removes it if it was the demo's own.
    func remove() {
        if isTemporary { Self.remove(path, depth: 3) }
    }

    private static func remove(_ path: String, depth: Int) {
        // What can't be removed stays in the temporary directory for the system to clean up.
        if depth > 0 {
            for name in (try? FileSystem.list(path)) ?? [] {
                let entry = "\(path)/\(name)"
                if unlink(entry) != 0, FileSystem.isDirectory(entry) {
                    remove(entry, depth: depth - 1)
                }
            }
        }
        rmdir(path)
    }
}
