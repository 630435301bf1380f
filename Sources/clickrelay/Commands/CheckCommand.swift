internal import Domain
internal import SQLite
internal import Store

/// `check`: is everything in a data directory whole, and does it agree with itself?
enum CheckCommand {
    static let commands = [
        Command(
            words: ["check"], summary: "check the integrity of a data directory",
            flags: [Command.jsonFlag], scope: .settings,
            details: """
                Reads every file and changes none. Without a server it holds the directory's lock
                meanwhile; beside one it checks what is committed. Exit 1: something is wrong.
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let configuration = try invocation.configuration()
        let directory = DataDirectory(path: configuration.dataDirectory)
        guard FileSystem.exists(directory.ledgerPath) else {
            throw CommandFailure(
                .failed,
                "\(Printable.text(directory.path)) is no data directory; name one with --data-dir")
        }
        let lock = lock(directory, whatGoesOn: "checking what it has committed")
        defer { lock?.release() }
        let check = DirectoryCheck(directory, progress: Terminal.progress)
        check.run()
        Terminal.endProgress()
        if invocation.wantsJSON {
            Terminal.line(json(check).encoded(pretty: true))
        } else {
            for fault in check.faults {
                Terminal.line(Printable.text("\(fault.file): \(fault.message)"))
            }
            let counts = counts(check)
            Terminal.line(
                check.faults.isEmpty
                    ? "sound: \(counts)" : "\(Show.count(check.faults.count, "fault")) in \(counts)"
            )
        }
        return check.faults.isEmpty ? .done : .failed
    }

    /// Keeps a server from starting meanwhile; nil where one runs already, which is said.
    static func lock(_ directory: DataDirectory, whatGoesOn: String) -> LockFile? {
        do {
            return try LockFile(path: directory.lockPath)
        } catch {
            switch error {
            case .held:
                Terminal.talk("clickrelay: a server runs; \(whatGoesOn)")
            case .file(let error):
                // A read-only copy, say: nobody can start a server on it either.
                Terminal.talk("clickrelay: going on without the lock: \(error.description)")
            }
            return nil
        }
    }

    static func counts(_ check: DirectoryCheck) -> String {
        [
            Show.count(check.dayFileCount, "day file"), Show.count(check.clickCount, "click"),
            Show.count(check.conversionCount, "conversion"),
            Show.count(check.deliveryCount, "delivery", "deliveries"),
        ].joined(separator: ", ")
    }

    static func json(_ check: DirectoryCheck) -> JSONValue {
        .object([
            "sound": .bool(check.faults.isEmpty),
            "day_files": .integer(check.dayFileCount),
            "clicks": .integer(check.clickCount),
            "conversions": .integer(check.conversionCount),
            "deliveries": .integer(check.deliveryCount),
            "faults": .array(
                check.faults.map { ["file": .string($0.file), "message": .string($0.message)] }),
        ])
    }
}
