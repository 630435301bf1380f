internal import Glibc

/// What the system said when a file operation failed.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    public let operation: String
    public let path: String
    /// `errno`.
    public let code: Int32

    init(_ operation: String, _ path: String) {
        self.operation = operation
        self.path = path
        code = errno
    }

    private init(_ operation: String, _ path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// Somebody wrote to it while it was read.
    public static func changed(_ path: String) -> FileError {
        FileError("copy, as it changed meanwhile,", path, code: EBUSY)
    }

    public var reason: String { String(cString: strerror(code)) }
    public var description: String { "cannot \(operation) \(path): \(reason)" }
    public var isNotFound: Bool { code == ENOENT }
    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
}

/// The few file operations a data directory needs.
///
/// Never read a database file that this process has open in SQLite through here: closing any
/// descriptor of a file drops all of the process's POSIX locks on it, SQLite's too
/// (sqlite.org/howtocorrupt.html, section 2.2). `size` opens nothing and is safe.
public enum FileSystem {
    /// Makes the directory and those above it that are missing, for their owner only, and syncs
    /// the parents. One that exists keeps its rights.
    public static func createDirectory(_ path: String) throws(FileError) {
        if isDirectory(path) { return }
        let above = parent(of: path)
        if above != path && !exists(above) { try createDirectory(above) }
        guard mkdir(path, 0o700) == 0 || (errno == EEXIST && isDirectory(path)) else {
            throw FileError("create directory", path)
        }
        try syncDirectory(above)
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func list(_ path: String) throws(FileError) -> [String] {
        guard let directory = opendir(path) else { throw FileError("list", path) }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw FileError("list", path) }
        return names.sorted()
    }

    public static func exists(_ path: String) -> Bool { information(path) != nil }

    public static func isDirectory(_ path: String) -> Bool {
        information(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// May this process write to it, by its effective rights, and is the file system writable?
    public static func isWritable(_ path: String) -> Bool {
        faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0
    }

    /// Bytes in the file; nil if there is none.
    public static func size(_ path: String) -> Int64? {
        information(path).map { Int64($0.st_size) }
    }

    /// Removes a file. That it was not there is no error.
    public static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
    }

    /// Renames, replacing what stands at `target`, and syncs the target's directory.
    public static func rename(_ path: String, to target: String) throws(FileError) {
        guard Glibc.rename(path, target) == 0 else { throw FileError("rename", path) }
        try syncDirectory(parent(of: target))
    }

    /// Makes the directory's entries survive a power cut.
    public static func syncDirectory(_ path: String) throws(FileError) {
        try sync(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }

    /// Makes the file's contents survive a power cut. Not for a database SQLite has open.
    public static func syncFile(_ path: String) throws(FileError) {
        try sync(path, O_RDONLY | O_CLOEXEC)
    }

    private static func sync(_ path: String, _ flags: Int32) throws(FileError) {
        let descriptor = open(path, flags)
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }

    /// Bytes this process may still write to the file system that holds `path`.
    public static func freeBytes(_ path: String) throws(FileError) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileError("ask for free space of", path) }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedFullWidth(
                by: UInt64(status.f_frsize)))
    }

    /// Everything before the last slash; "." for a bare name.
    public static func parent(of path: String) -> String {
        var bytes = Substring(path)
        while bytes.count > 1 && bytes.hasSuffix("/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: "/") else { return "." }
        var above = bytes[..<slash]
        while above.count > 1 && above.hasSuffix("/") { above.removeLast() }
        return above.isEmpty ? "/" : String(above)
    }

    private static func information(_ path: String) -> stat? {
        var result = stat()
        return stat(path, &result) == 0 ? result : nil
    }
}

extension Int64 {
    fileprivate init(clamping product: (high: UInt64, low: UInt64)) {
        self = product.high == 0 ? Int64(clamping: product.low) : .max
    }
}
