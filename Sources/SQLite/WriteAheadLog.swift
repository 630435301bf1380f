internal import Glibc

/// A write-ahead log as it lies on the disk (sqlite.org/fileformat2.html, section 4).
enum WriteAheadLog {
    private static let headerBytes = 32
    private static let frameHeaderBytes = 24
    /// In the header, and in the header of each of its frames.
    private static let headerSalts = 16..<24
    private static let frameSalts = 8..<16
    private static let headerMagic: UInt32 = 0x377f_0682
    private static let chunkBytes = 1 << 20

    /// Writes what a log holds once more, in its place, and syncs it.
    ///
    /// After a sync that failed, Linux takes what could not be written for written: it is read back as
    /// it should be, no later sync writes it, and a power cut loses it (Rebello et al., "Can
    /// Applications Recover from fsync Failures?", USENIX ATC 2020). SQLite recovers a log from what it
    /// reads, and so would take a commit that failed for one that is kept, and put others behind the
    /// gap that a power cut then leaves. Written anew it is kept, or this throws.
    ///
    /// For who has the writers' lock; readers see the same as before.
    static func rewrite(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw FileError("open", path)
        }
        // SQLite has no locks on a log that this would drop.
        defer { close(descriptor) }
        let header = try read(descriptor, at: 0, count: headerBytes, path)
        guard let frameBytes = frameBytes(header) else { return }
        let salts = Array(header[headerSalts])
        try write(header, descriptor, at: 0, path)
        let framesAtOnce = max(1, chunkBytes / frameBytes)
        var offset = headerBytes
        while true {
            let bytes = try read(descriptor, at: offset, count: framesAtOnce * frameBytes, path)
            // What lies behind is of an earlier round of the log.
            let frames = stride(from: 0, through: bytes.count - frameBytes, by: frameBytes)
                .prefix { start in
                    bytes[(start + frameSalts.lowerBound)..<(start + frameSalts.upperBound)]
                        .elementsEqual(salts)
                }
            let count = frames.count * frameBytes
            try write(Array(bytes[..<count]), descriptor, at: offset, path)
            offset += count
            if frames.count < framesAtOnce { break }
        }
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
    }

    /// Nil for what SQLite takes for no log, and makes anew.
    private static func frameBytes(_ header: [UInt8]) -> Int? {
        guard header.count == headerBytes, number(header, at: 0) & ~1 == headerMagic else {
            return nil
        }
        let pageBytes = Int(number(header, at: 8))
        guard (512...65_536).contains(pageBytes) else { return nil }
        return frameHeaderBytes + pageBytes
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// - Returns: fewer bytes at the end.
    private static func read(_ descriptor: Int32, at offset: Int, count: Int, _ path: String)
        throws(FileError) -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), count - filled,
                    off_t(offset + filled))
            }
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path)
            }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    private static func write(
        _ bytes: [UInt8], _ descriptor: Int32, at offset: Int, _ path: String
    ) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written,
                    off_t(offset + written))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path)
            }
            written += count
        }
    }
}
