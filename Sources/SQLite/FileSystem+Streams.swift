internal import Glibc

/// A file that is read from its beginning to its end, however long it is.
///
/// As with `FileSystem.read`: not for a database that this process has open in SQLite.
// Confined to the thread that made it.
public final class FileInput {
    public let path: String
    private let descriptor: Int32

    public init(path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    deinit { close(descriptor) }

    /// Fills the buffer, unless the file ends before.
    ///
    /// - Returns: how many bytes there were; fewer than asked for at the end only.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Glibc.read(
                descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path)
            }
            filled += count
        }
        return filled
    }
}

/// A new file that is written from its beginning on, readable by its owner only.
// Confined to the thread that made it.
public final class FileOutput {
    public let path: String
    private let descriptor: Int32

    /// - Throws: also where there is such a file already.
    public init(creating path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError("create", path) }
    }

    deinit { close(descriptor) }

    public func write(_ bytes: [UInt8]) throws(FileError) {
        // Closures of `withUnsafeBytes` can't throw our type, hence the result.
        try bytes.withUnsafeBytes { buffer -> Result<Void, FileError> in
            do throws(FileError) {
                return .success(try write(buffer))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(
                descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path)
            }
            written += count
        }
    }

    /// What was written survives a power cut from here on; its name does once the directory is
    /// synced.
    public func sync() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }
}

extension FileSystem {
    /// Removes an empty directory. That it was not there is no error.
    public static func removeDirectory(_ path: String) throws(FileError) {
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
    }
}
