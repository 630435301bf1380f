internal import Glibc
internal import SQLite
internal import Store

/// A data directory that is being filled from a backup: everything lies aside until it is whole.
final class RestoreTarget {
    let directory: DataDirectory
    /// As it will be, in a place of its own.
    let staged: DataDirectory
    private let lock: LockFile
    private let isNew: Bool
    private var isFinished = false

    /// Of the system's, or without any content of ours.
    private static let ignored: Set = ["lock", "lost+found"]

    /// Takes the directory's lock, and makes it if it is not there.
    ///
    /// - Throws: `.refused` unless it is empty, `.tryAgain` while somebody has it.
    init(_ directory: DataDirectory) throws(CommandFailure) {
        self.directory = directory
        staged = DataDirectory(path: directory.restoringPath)
        isNew = !FileSystem.exists(directory.path)
        do {
            try FileSystem.createDirectory(directory.path)
            try Self.checkEmpty(directory)
            lock = try LockFile(path: directory.lockPath)
            try Self.checkEmpty(directory)
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as LockError {
            if case .held = error { throw CommandFailure(.tryAgain, error.description) }
            throw .failed(error.description)
        } catch {
            throw .failed("\(error)")
        }
        do throws(FileError) {
            try FileSystem.createDirectory(staged.path)
            try FileSystem.createDirectory(staged.clicksPath)
            try FileSystem.createDirectory(staged.geoPath)
        } catch {
            throw .failed(error.description)
        }
    }

    /// Leaves the directory as it was found, unless all went well.
    deinit {
        if !isFinished {
            Self.remove(staged)
            if isNew {
                // What can't be removed is an empty directory.
                try? FileSystem.remove(directory.lockPath)
                try? FileSystem.removeDirectory(directory.path)
            }
        }
        lock.release()
    }

    /// Puts everything in its place, the ledger last. A power cut before the end leaves the place
    /// aside, and no server starts beside it.
    func finish() throws(FileError) {
        for path in [staged.clicksPath, staged.geoPath, staged.path] {
            try FileSystem.syncDirectory(path)
        }
        try FileSystem.rename(staged.clicksPath, to: directory.clicksPath)
        if try FileSystem.list(staged.geoPath).isEmpty {
            try FileSystem.removeDirectory(staged.geoPath)
        } else {
            try FileSystem.rename(staged.geoPath, to: directory.geoPath)
        }
        try FileSystem.rename(staged.ledgerPath, to: directory.ledgerPath)
        isFinished = true
        try FileSystem.removeDirectory(staged.path)
        try FileSystem.syncDirectory(directory.path)
    }

    private static func checkEmpty(_ directory: DataDirectory) throws {
        if FileSystem.exists(directory.restoringPath) {
            throw CommandFailure(
                .refused,
                "an earlier restore into \(Printable.text(directory.path)) did not finish: empty "
                    + "the directory first")
        }
        let names = try FileSystem.list(directory.path).filter { !ignored.contains($0) }
        guard let first = names.first else { return }
        throw CommandFailure(
            .refused,
            "\(Printable.text(directory.path)) is not empty (it has \(Printable.text(first))); "
                + "restore into a new directory, then move it where you want it")
    }

    private static func remove(_ staged: DataDirectory) {
        for folder in [staged.clicksPath, staged.geoPath, staged.path] {
            // What can't be removed keeps a server from starting, and says so.
            for name in (try? FileSystem.list(folder)) ?? [] {
                try? FileSystem.remove("\(folder)/\(name)")
            }
            try? FileSystem.removeDirectory(folder)
        }
    }
}
