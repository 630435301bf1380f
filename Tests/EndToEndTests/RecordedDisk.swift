import Foundation
import TestSupport

/// A disk that is given a server's recorded writes and syncs, and what a power cut leaves of it.
///
/// What was synced is kept. Of what was not, any part may have reached the disk in any order, each
/// 512 bytes of a write by themselves; names of files in the order they were made, up to any of them.
struct RecordedDisk {
    private struct File {
        var synced = Data()
        var pending: [Change] = []
    }

    private enum Change {
        case write(at: Int, Data)
        case truncate(Int)
    }

    private enum NameChange {
        case file(String, Int)
        case directory(String)
        case removed(String)
    }

    /// What became of all that was not synced.
    enum Fate: CaseIterable {
        case lost, kept, torn, namesKeptDataTorn
    }

    private var files: [File] = []
    /// As the server sees them; nil stands for a directory.
    private var names: [String: Int] = [:]
    private var syncedNames: [String: Int] = [:]
    private var directories: Set<String> = []
    private var syncedDirectories: Set<String> = []
    private var pendingNames: [(parent: String, change: NameChange)] = []
    private let recording: Data
    private let root: String
    /// How far the recording was followed.
    private(set) var position = 0

    /// - Parameter root: the data directory.
    init(_ recording: Data, root: String) {
        self.recording = recording
        self.root = root
    }

    /// Follows the recording up to a place in it, the last whole record before.
    mutating func advance(to end: Int) throws {
        while let next = try nextRecord(before: end) {
            apply(next.kind, next.path, next.offset, next.bytes)
            position = next.end
        }
    }

    private struct Record {
        let kind: UInt32
        let path: String
        let offset: Int
        let bytes: Data
        let end: Int
    }

    private func nextRecord(before end: Int) throws -> Record? {
        func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
            recording.subdata(in: position + offset..<position + offset + MemoryLayout<Number>.size)
                .withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
        }
        guard position + 24 <= min(end, recording.count) else { return nil }
        let path = position + 24
        let bytes = path + Int(number(4, UInt32.self))
        let next = bytes + Int(number(16, UInt64.self))
        guard next <= min(end, recording.count) else { return nil }
        return Record(
            kind: number(0, UInt32.self),
            path: String(decoding: recording[path..<bytes], as: UTF8.self),
            offset: Int(number(8, Int64.self)), bytes: recording[bytes..<next], end: next)
    }

    private mutating func apply(_ kind: UInt32, _ path: String, _ offset: Int, _ bytes: Data) {
        switch kind {
        case 1:
            names[path] = files.count
            note(path, .file(path, files.count))
            files.append(File())
        case 2: change(path, .write(at: offset, bytes))
        case 3: change(path, .truncate(offset))
        case 4:
            guard let file = names[path] else { return }
            for change in files[file].pending { Self.apply(change, to: &files[file].synced) }
            files[file].pending.removeAll()
        case 5:
            for (parent, change) in pendingNames where parent == path { sync(change) }
            pendingNames.removeAll { $0.parent == path }
        case 6:
            let target = String(decoding: bytes, as: UTF8.self)
            guard let file = names.removeValue(forKey: path) else { return }
            names[target] = file
            note(target, .file(target, file))
            note(path, .removed(path))
        case 7:
            names[path] = nil
            note(path, .removed(path))
        default:
            directories.insert(path)
            note(path, .directory(path))
        }
    }

    private mutating func change(_ path: String, _ change: Change) {
        // A file that was removed while it was open is nobody's any more.
        guard let file = names[path] else { return }
        files[file].pending.append(change)
    }

    private mutating func note(_ path: String, _ change: NameChange) {
        pendingNames.append(((path as NSString).deletingLastPathComponent, change))
    }

    private mutating func sync(_ change: NameChange) {
        Self.apply(change, to: &syncedNames, &syncedDirectories)
    }

    private static func apply(
        _ change: NameChange, to names: inout [String: Int], _ directories: inout Set<String>
    ) {
        switch change {
        case .file(let path, let file): names[path] = file
        case .directory(let path): directories.insert(path)
        case .removed(let path): names[path] = nil
        }
    }

    private static func apply(_ change: Change, to data: inout Data) {
        switch change {
        case .write(let offset, let bytes):
            if data.count < offset + bytes.count {
                data.append(Data(count: offset + bytes.count - data.count))
            }
            data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        case .truncate(let count):
            if count < data.count {
                data.removeSubrange(count...)
            } else {
                data.append(Data(count: count - data.count))
            }
        }
    }

    // MARK: After the cut

    /// Writes what is left to a directory that is not there yet.
    func write(to target: String, _ fate: Fate, random: inout SeededRandom) throws {
        var names = syncedNames
        var directories = syncedDirectories
        let survived =
            switch fate {
            case .lost: 0
            case .kept, .namesKeptDataTorn: pendingNames.count
            case .torn: Int.random(in: 0...pendingNames.count, using: &random)
            }
        for (_, change) in pendingNames.prefix(survived) {
            Self.apply(change, to: &names, &directories)
        }
        try FileManager.default.createDirectory(
            atPath: target, withIntermediateDirectories: false)
        for directory in directories.sorted() where directory != root {
            try FileManager.default.createDirectory(
                atPath: target + directory.dropFirst(root.count),
                withIntermediateDirectories: true)
        }
        for (path, file) in names.sorted(by: { $0.key < $1.key }) {
            let parent = (path as NSString).deletingLastPathComponent
            // A file in a folder that was lost is lost with it. The index of a log is no data: it
            // is made anew.
            guard parent == root || directories.contains(parent), !path.hasSuffix("-shm") else {
                continue
            }
            let contents = Self.contents(files[file], fate, &random)
            try contents.write(to: URL(fileURLWithPath: target + path.dropFirst(root.count)))
        }
    }

    private static func contents(_ file: File, _ fate: Fate, _ random: inout SeededRandom) -> Data {
        var data = file.synced
        for change in file.pending {
            switch fate {
            case .lost: continue
            case .kept: apply(change, to: &data)
            case .torn, .namesKeptDataTorn:
                switch change {
                case .truncate:
                    if Bool.random(using: &random) { apply(change, to: &data) }
                case .write(let offset, let bytes):
                    tear(offset, bytes, &random).forEach { apply($0, to: &data) }
                }
            }
        }
        return data
    }

    /// All of a write, none of it, or some of its sectors.
    private static func tear(_ offset: Int, _ bytes: Data, _ random: inout SeededRandom)
        -> [Change]
    {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return []
        case 1, 2: return [.write(at: offset, bytes)]
        default:
            return stride(from: 0, to: bytes.count, by: 512).compactMap { start in
                guard Bool.random(using: &random) else { return nil }
                let end = min(start + 512, bytes.count)
                let part = bytes.subdata(in: bytes.startIndex + start..<bytes.startIndex + end)
                return .write(at: offset + start, part)
            }
        }
    }
}
