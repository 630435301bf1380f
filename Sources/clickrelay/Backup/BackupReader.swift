internal import Crypto
internal import Domain
internal import SQLite

/// A backup's file, read once from its beginning to its end; nothing in it is believed.
final class BackupReader {
    enum Failure: Error {
        case fault(BackupFault)
        case file(FileError)
    }

    /// When it was made, as it says itself.
    private(set) var madeAt = ""
    private(set) var fileCount = 0
    private let input: FileInput
    private let size: Int64
    private var position: Int64 = 0
    private var sums = ""
    private var names: Set<String> = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: BackupFormat.chunkBytes, alignment: 16)

    /// Reads what the file says of itself.
    init(path: String) throws(Failure) {
        do throws(FileError) {
            input = try FileInput(path: path)
        } catch {
            throw .file(error)
        }
        size = FileSystem.size(path) ?? 0
        guard let header = TarHeader(parsing: try upTo(TarHeader.blockBytes)),
            header.name == BackupFormat.aboutName, header.size <= BackupFormat.aboutBytesMax
        else { throw .fault(.foreign) }
        try readAbout(try contents(header))
    }

    deinit { buffer.deallocate() }

    /// Writes every file below `directory`, synced, and compares what was written with the sums.
    ///
    /// - Parameter progress: told the share of the file that is done, from 0 to 1.
    /// - Throws: what was written by then stays for the caller to remove.
    func extract(to directory: String, progress: (Double) -> Void) throws(Failure) {
        while true {
            let start = position
            let block = try exactly(TarHeader.blockBytes)
            guard let header = TarHeader(parsing: block) else {
                throw .fault(.damaged("what stands at byte \(start) can't be read"))
            }
            if header.name == BackupFormat.sumsName {
                try readEnd(header)
                return
            }
            guard BackupFormat.isDataFile(header.name), names.insert(header.name).inserted else {
                throw .fault(.damaged("it holds \(header.name), which belongs to no backup"))
            }
            try extract(header, to: "\(directory)/\(header.name)") { [size] in
                progress(Double($0) / Double(max(1, size)))
            }
            fileCount += 1
        }
    }

    private func readAbout(_ bytes: [UInt8]) throws(Failure) {
        let about: JSONValue
        do {
            about = try JSONValue(parsing: bytes)
        } catch {
            throw .fault(.foreign)
        }
        guard let version = about["clickrelay_backup"]?.int64Value else {
            throw .fault(.foreign)
        }
        guard version <= BackupFormat.version else { throw .fault(.newer(version)) }
        madeAt = about["made_at"]?.stringValue ?? ""
    }

    private func extract(
        _ header: TarHeader, to path: String, progress: (Int64) -> Void
    ) throws(Failure) {
        // A size beyond what there is would only be found after all of it was written.
        guard header.size <= size - position else { throw .fault(.truncated) }
        let digest = SHA256.Running()
        do {
            let output = try FileOutput(creating: path)
            var left = header.size
            while left > 0 {
                let part = try read(Int(min(Int64(buffer.count), left)))
                digest.update(part)
                try output.write(part)
                left -= Int64(part.count)
                progress(position)
            }
            try output.sync()
        } catch let error as FileError {
            throw .file(error)
        } catch {
            throw (error as? Failure) ?? .fault(.damaged("\(error)"))
        }
        try skipPadding(after: header.size)
        sums += "\(digest.finishHex())  \(header.name)\n"
    }

    /// The sums are those of what was read, all that a directory needs was there, and it ends here.
    private func readEnd(_ header: TarHeader) throws(Failure) {
        let own = sums
        guard header.size <= BackupFormat.sumsBytesMax else {
            throw .fault(.damaged("its sums are too long"))
        }
        let told = String(decoding: try contents(header), as: UTF8.self)
        guard told == own else {
            let known = Set(told.split(separator: "\n"))
            let wrong = own.split(separator: "\n").first { !known.contains($0) }
            throw .fault(
                .damaged(
                    wrong.map { "\($0.dropFirst(66)) is not what was backed up" }
                        ?? "a file is missing"))
        }
        guard names.contains(BackupFormat.ledgerName) else {
            throw .fault(.damaged("\(BackupFormat.ledgerName) is missing"))
        }
        let end = try exactly(2 * TarHeader.blockBytes)
        guard end.allSatisfy({ $0 == 0 }), try upTo(1).isEmpty else {
            throw .fault(.damaged("something follows its end"))
        }
    }

    // MARK: Bytes

    /// All of a small file. It counts towards the sums.
    private func contents(_ header: TarHeader) throws(Failure) -> [UInt8] {
        let bytes = try exactly(Int(header.size))
        try skipPadding(after: header.size)
        sums += "\(SHA256.hex(bytes))  \(header.name)\n"
        return bytes
    }

    private func skipPadding(after size: Int64) throws(Failure) {
        guard try exactly(TarHeader.padding(after: size)).allSatisfy({ $0 == 0 }) else {
            throw .fault(.damaged("the padding before byte \(position) is not empty"))
        }
    }

    private func exactly(_ count: Int) throws(Failure) -> [UInt8] {
        let bytes = try upTo(count)
        guard bytes.count == count else { throw .fault(.truncated) }
        return bytes
    }

    private func upTo(_ count: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let wanted = min(buffer.count, count - bytes.count)
            let part = try fill(wanted)
            bytes.append(contentsOf: part)
            if part.count < wanted { break }
        }
        return bytes
    }

    /// Valid until the next call.
    private func read(_ count: Int) throws(Failure) -> UnsafeRawBufferPointer {
        let part = try fill(count)
        guard part.count == count else { throw .fault(.truncated) }
        return part
    }

    private func fill(_ count: Int) throws(Failure) -> UnsafeRawBufferPointer {
        do throws(FileError) {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            let filled = try input.read(into: part)
            position += Int64(filled)
            return UnsafeRawBufferPointer(rebasing: part[..<filled])
        } catch {
            throw .file(error)
        }
    }
}
