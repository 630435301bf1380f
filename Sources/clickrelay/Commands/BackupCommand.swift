internal import Domain
internal import SQLite
internal import Store

/// `backup FILE`: a data directory as it is at one moment, in one file.
enum BackupCommand {
    static let commands = [
        Command(
            words: ["backup"], operands: "FILE", operandCount: 1...1,
            summary: "copy a data directory into one file, also while a server runs",
            flags: [Command.jsonFlag], scope: .settings,
            details: """
                FILE holds the ledger, every day's clicks and the location files as they are at one
                moment: every click and postback that was answered before the command began, each
                conversion with its click. It is a tar archive with checksums, readable by its owner
                only, because the keys of click IDs and postback URLs are in it. It grows as
                FILE.partial (beside it, FILE.copy for a while) and replaces an older backup of that
                name once it is whole and on the disk; anything else of that name is left alone.

                The server goes on meanwhile. What is damaged is copied as it is: `clickrelay check`
                tells. Settings and certificates lie elsewhere and are not in it.
                Exit 5: a day's file could not be read, and is not in the backup.

                  clickrelay backup /backups/clickrelay.tar --data-dir /srv/clickrelay
                """,
            run: run)
    ]

    private static func run(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let configuration = try invocation.configuration()
        let directory = DataDirectory(path: configuration.dataDirectory)
        guard FileSystem.exists(directory.ledgerPath) else {
            throw .failed(
                "\(Printable.text(directory.path)) is no data directory; name one with --data-dir")
        }
        let path = invocation.operands[0]
        try checkReplaceable(path)
        let lock = CheckCommand.lock(directory, whatGoesOn: "copying what it has committed")
        defer {
            lock?.release()
            Terminal.endProgress()
        }
        let snapshot: DirectorySnapshot
        do {
            snapshot = try DirectorySnapshot(directory)
        } catch {
            throw .failed(error.description)
        }
        let copying = Copying(directory, snapshot, madeAt: Installation.now())
        try copying.run(path)
        Terminal.endProgress()
        if invocation.wantsJSON {
            Terminal.line(copying.json(path).encoded(pretty: true))
        } else {
            Terminal.line(
                "\(Printable.text(path)): \(Show.count(copying.dayCount, "day file")), "
                    + "\(copying.byteCount) bytes")
        }
        for (day, reason) in snapshot.unreadableDays {
            Terminal.talk("clickrelay: \(day.text) is not in the backup: \(Printable.text(reason))")
        }
        return snapshot.unreadableDays.isEmpty ? .done : .partlyDone
    }

    /// A slip of the hand must not replace a database.
    private static func checkReplaceable(_ path: String) throws(CommandFailure) {
        guard FileSystem.exists(path) else { return }
        do throws(BackupReader.Failure) {
            _ = try BackupReader(path: path)
        } catch {
            switch error {
            // A newer program's is one, too.
            case .fault(.newer): return
            case .fault(.foreign), .fault(.truncated), .fault(.damaged):
                throw CommandFailure(
                    .refused,
                    "\(Printable.text(path)) exists and is no backup; name another file")
            case .file(let error): throw .failed(error.description)
            }
        }
    }

    /// One backup on its way.
    private final class Copying {
        private let directory: DataDirectory
        private let snapshot: DirectorySnapshot
        private let madeAt: Instant
        private(set) var dayCount = 0
        private(set) var byteCount: Int64 = 0

        init(_ directory: DataDirectory, _ snapshot: DirectorySnapshot, madeAt: Instant) {
            self.directory = directory
            self.snapshot = snapshot
            self.madeAt = madeAt
        }

        func run(_ path: String) throws(CommandFailure) {
            do {
                try write(BackupWriter(path: path, madeAt: madeAt))
            } catch let failure as CommandFailure {
                throw failure
            } catch {
                throw .failed("\(error)")
            }
        }

        /// What is being written comes first: its logs grow for as long as it is held.
        private func write(_ writer: BackupWriter) throws {
            let copy = writer.copyPath
            try snapshot.copyLedger(toPath: copy) { Self.show(BackupFormat.ledgerName, $0 / 2) }
            snapshot.releaseLedger()
            try add(BackupFormat.ledgerName, copy, writer) { 0.5 + $0 / 2 }
            for day in snapshot.days where !snapshot.isSealed(day) {
                let name = BackupFormat.name(of: day)
                try snapshot.copyDay(day, toPath: copy) { Self.show(name, $0 / 2) }
                snapshot.releaseDay(day)
                try add(name, copy, writer) { 0.5 + $0 / 2 }
                dayCount += 1
            }
            for day in snapshot.days where snapshot.isSealed(day) { try addSealed(day, writer) }
            try addLocationFiles(writer)
            try writer.finish()
            byteCount = writer.byteCount
        }

        private func addSealed(_ day: Day, _ writer: BackupWriter) throws {
            let path = directory.clickFilePath(day)
            // Retention may have deleted it since.
            guard try add(BackupFormat.name(of: day), path, writer, { $0 }) else { return }
            guard !directory.hasLog(day) else {
                throw CommandFailure(
                    .tryAgain, "\(day.text) was written while it was copied; try again")
            }
            dayCount += 1
        }

        private func addLocationFiles(_ writer: BackupWriter) throws {
            guard FileSystem.isDirectory(directory.geoPath) else { return }
            for file in try FileSystem.list(directory.geoPath) {
                let name = "geo/\(file)"
                guard BackupFormat.isDataFile(name), name.utf8.count <= TarHeader.nameBytesMax,
                    !FileSystem.isDirectory("\(directory.geoPath)/\(file)")
                else { continue }
                try add(name, "\(directory.geoPath)/\(file)", writer) { $0 }
            }
        }

        /// - Parameter share: of what there is to do for the file, once that share of it is added.
        @discardableResult
        private func add(
            _ name: String, _ path: String, _ writer: BackupWriter,
            _ share: (Double) -> Double
        ) throws -> Bool {
            try writer.add(name, fileAt: path) { Self.show(name, share($0)) }
        }

        private static func show(_ name: String, _ share: Double) {
            Terminal.progress("\(name): \(Int(share * 100)) %")
        }

        func json(_ path: String) -> JSONValue {
            [
                "file": .string(path), "made_at": .string(madeAt.rfc3339),
                "bytes": .integer(byteCount), "day_files": .integer(dayCount),
            ]
        }
    }
}
