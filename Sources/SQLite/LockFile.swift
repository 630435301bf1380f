internal import Glibc

/// Why a directory's lock could not be had.
public enum LockError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another holder has it; its process ID as it wrote it, or nil if it had not yet.
    case held(path: String, processID: Int32?)
    case file(FileError)

    public var description: String {
        switch self {
        case .held(let path, let processID):
            "\(path) is held by \(processID.map { "process \($0)" } ?? "another process")"
        case .file(let error): error.description
        }
    }
}

/// Keeps a second server out of a data directory.
///
/// A `flock` on an open file: it ends with the process however that dies, so no stale lock is ever
/// left behind, and it is not lost when the process opens and closes the file elsewhere (as a POSIX
/// lock would be). The file stays; only the lock counts.
// Unchecked: `descriptor` changes only in `release`, called once by the owner.
public final class LockFile: @unchecked Sendable {
    public let path: String
    private var descriptor: Int32

    /// Takes the lock at once or throws; never waits.
    public init(path: String) throws(LockError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(FileError("open", path)) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            let error = FileError("lock", path)
            close(descriptor)
            descriptor = -1
            throw error.code == EWOULDBLOCK
                ? .held(path: path, processID: Self.holder(path)) : .file(error)
        }
        // For people and for the message above; the lock holds without it, on a full disk too.
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = write(descriptor, text, text.count)
    }

    deinit { release() }

    /// Lets others in. Safe to repeat.
    public func release() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }

    private static func holder(_ path: String) -> Int32? {
        // Unreadable means unknown: it only makes a message less helpful.
        guard let bytes = try? FileSystem.read(path, bytesMax: 64) else { return nil }
        return Int32(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }
}
