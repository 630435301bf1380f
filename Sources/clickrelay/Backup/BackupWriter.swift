internal import Crypto
internal import Domain
internal import SQLite

/// A backup's file on its way: it grows beside its place and appears there by `finish`, whole.
final class BackupWriter {
    /// Where a database is copied to before it is added; removed at the end.
    let copyPath: String
    /// Bytes of the archive so far.
    private(set) var byteCount: Int64 = 0
    private let path: String
    private let partialPath: String
    private let output: FileOutput
    private let madeAt: Instant
    private var sums = ""
    private var isFinished = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: BackupFormat.chunkBytes, alignment: 16)

    init(path: String, madeAt: Instant) throws(FileError) {
        self.path = path
        self.madeAt = madeAt
        partialPath = path + ".partial"
        copyPath = path + ".copy"
        // What an earlier attempt left that was killed.
        try FileSystem.remove(partialPath)
        output = try FileOutput(creating: partialPath)
        let about = BackupFormat.about(madeAt: madeAt).encoded(pretty: true) + "\n"
        try add(BackupFormat.aboutName, Array(about.utf8))
    }

    /// Removes what there is of an unfinished one.
    deinit {
        buffer.deallocate()
        guard !isFinished else { return }
        // What can't be removed now is removed by the next backup to the same path.
        try? FileSystem.remove(partialPath)
        try? FileSystem.remove(copyPath)
    }

    /// Adds a copy of a file that nobody writes.
    ///
    /// - Returns: false where there is no such file; nothing was added.
    func add(_ name: String, fileAt source: String, progress: (Double) -> Void = { _ in })
        throws(FileError) -> Bool
    {
        guard let size = FileSystem.size(source) else { return false }
        let input: FileInput
        do throws(FileError) {
            input = try FileInput(path: source)
        } catch {
            if error.isNotFound { return false }
            throw error
        }
        try write(header(name, size))
        let digest = SHA256.Running()
        var copied: Int64 = 0
        while copied < size {
            let wanted = Int(min(Int64(buffer.count), size - copied))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            guard try input.read(into: part) == wanted else { throw .changed(source) }
            digest.update(UnsafeRawBufferPointer(part))
            try output.write(UnsafeRawBufferPointer(part))
            copied += Int64(wanted)
            progress(Double(copied) / Double(size))
        }
        byteCount += size
        try pad(after: size)
        sums += "\(digest.finishHex())  \(name)\n"
        return true
    }

    /// Everything is there: makes it appear, on the disk for good.
    func finish() throws(FileError) {
        try FileSystem.remove(copyPath)
        try add(BackupFormat.sumsName, Array(sums.utf8))
        // Two empty blocks end an archive.
        try write([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
        try output.sync()
        try FileSystem.rename(partialPath, to: path)
        isFinished = true
    }

    private func add(_ name: String, _ bytes: [UInt8]) throws(FileError) {
        let size = Int64(bytes.count)
        try write(header(name, size))
        try write(bytes)
        try pad(after: size)
        sums += "\(SHA256.hex(bytes))  \(name)\n"
    }

    private func header(_ name: String, _ size: Int64) -> [UInt8] {
        TarHeader(name: name, size: size, modifiedAt: madeAt.micros / 1_000_000).bytes
    }

    private func pad(after size: Int64) throws(FileError) {
        try write([UInt8](repeating: 0, count: TarHeader.padding(after: size)))
    }

    private func write(_ bytes: [UInt8]) throws(FileError) {
        try output.write(bytes)
        byteCount += Int64(bytes.count)
    }
}
