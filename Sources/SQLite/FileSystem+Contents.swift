internal import Glibc

extension FileSystem {
    /// A file's bytes.
    ///
    /// - Parameter bytesMax: a longer file is refused with EFBIG instead of filling the memory.
    public static func read(_ path: String, bytesMax: Int = 64 << 20) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path)
            }
            guard bytes.count + count <= bytesMax else {
                errno = EFBIG
                throw FileError("read", path)
            }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Replaces a file's contents, or makes it, readable by its owner only.
    ///
    /// Written beside it, synced and renamed: a crash leaves the old contents or the new.
    public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let temporary = path + ".partial"
        try remove(temporary)
        let descriptor = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError("create", temporary) }
        do throws(FileError) {
            defer { close(descriptor) }
            try writeAll(bytes, descriptor, temporary)
            guard fsync(descriptor) == 0 else { throw FileError("sync", temporary) }
        } catch {
            // The failure to write is what to report; the next attempt removes the remains.
            unlink(temporary)
            throw error
        }
        try rename(temporary, to: path)
    }

    static func writeAll(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path)
            }
            written += count
        }
    }
}
