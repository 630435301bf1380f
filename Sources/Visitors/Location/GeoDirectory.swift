public import Domain
internal import Glibc
internal import Synchronization

/// The location files of a data directory: `geo/*.mmdb`.
///
/// Reading them is safe on any thread; they are replaced whole, and who still uses the ones before
/// finds what those say.
public final class GeoDirectory: Sendable {
    public let path: String
    private let current = Mutex(Loaded())
    /// Of `current`: changes with it.
    private let generationCount = Atomic(0)
    /// Held while files are read: of two who load, the later one's files stay.
    private let loading = Mutex(())

    private struct Loaded {
        var files: [GeoFile] = []
        var places = Places([])
    }

    /// Files in use at a time; those behind them, by name, are not loaded.
    static let filesMax = 32

    /// Loads nothing yet.
    public init(path: String) { self.path = path }

    /// Changes whenever `places` does.
    public var generation: Int { generationCount.load(ordering: .acquiring) }
    /// What visitors are looked up in.
    public var places: Places { current.withLock { $0.places } }

    /// Loads, unchecked, unless something was loaded before.
    public func loadOnce() { if generation == 0 { load(checks: false) } }

    /// The files that were there when they were last loaded.
    public var files: [GeoFile] {
        let (files, databases) = current.withLock { ($0.files, $0.places.databases) }
        return files.map { file in
            var file = file
            let damage = databases.first { $0.name == file.name }?.damageCount ?? 0
            if damage > 0, file.problem == nil {
                file.problem =
                    "the file is damaged: \(damage) look-ups found a record that can't be read"
            }
            return file
        }
    }

    /// Reads the directory anew. A file that can't be used keeps the version of it that was loaded
    /// before in use.
    ///
    /// - Parameter checks: read all of each new file before it is used, which takes a second or two
    ///   for the largest. What isn't checked and is damaged finds nothing where it is.
    /// - Returns: `files`.
    @discardableResult
    public func load(checks: Bool) -> [GeoFile] {
        loading.withLock { _ in read(checks: checks) }
    }

    private func read(checks: Bool) -> [GeoFile] {
        let before = places.databases
        var files: [GeoFile] = []
        var databases: [GeoDatabase] = []
        let names: [String]
        do throws(GeoError) {
            names = try self.names()
        } catch {
            return keep(error)
        }
        for name in names {
            var file = GeoFile(name: name)
            let old = before.first { $0.name == name }
            do throws(GeoError) {
                let database = try GeoDatabase(
                    name: name, directory: path, unless: old, checks: checks)
                databases.append(database)
                file.describe(database)
            } catch {
                file.problem = error.message
                if let old {
                    databases.append(old)
                    file.describe(old)
                    file.problem = error.message + "; the version before stays in use"
                }
            }
            files.append(file)
        }
        let used = Self.newest(databases)
        for index in files.indices where files[index].isInUse {
            let isUsed = used.contains { $0.name == files[index].name }
            files[index].isInUse = isUsed
            guard !isUsed, files[index].problem == nil else { continue }
            let newer = used.first { $0.file.type == files[index].type }?.name ?? ""
            files[index].problem = "\(newer) is a newer \(files[index].type)"
        }
        current.withLock { $0 = Loaded(files: files, places: Places(used)) }
        generationCount.add(1, ordering: .acquiringAndReleasing)
        return files
    }

    /// For want of descriptors, say: nothing is known of the files that are there now.
    private func keep(_ error: GeoError) -> [GeoFile] {
        generationCount.add(1, ordering: .acquiringAndReleasing)
        return current.withLock { loaded in
            if loaded.files.isEmpty { loaded.files = [GeoFile(name: "*.mmdb")] }
            for index in loaded.files.indices {
                let kept = loaded.files[index].isInUse ? "; the version before stays in use" : ""
                loaded.files[index].problem = error.message + kept
            }
            return loaded.files
        }
    }

    /// The newest of each type, in the order of their names.
    private static func newest(_ databases: [GeoDatabase]) -> [GeoDatabase] {
        databases.filter { one in
            !databases.contains { other in
                other.file.type == one.file.type
                    && (other.file.builtAt.micros, other.name)
                        > (one.file.builtAt.micros, one.name)
            }
        }
    }

    /// Sorted. A directory that isn't there has no files.
    private func names() throws(GeoError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .system("list", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".mmdb"), !name.hasPrefix(".") { names.append(name) }
        }
        return Array(names.sorted().prefix(Self.filesMax))
    }
}

/// One loaded file under its name.
final class GeoDatabase: Sendable {
    let name: String
    let file: MaxMindFile
    /// Which version of the file this is.
    private let stamp: Stamp
    private let damage = Atomic(0)

    private struct Stamp: Equatable {
        var inode: UInt64
        var byteCount: Int
        var seconds: Int
        var nanoseconds: Int
    }

    /// Look-ups that came to a record that can't be read.
    var damageCount: Int { damage.load(ordering: .relaxed) }

    /// - Parameter old: taken over where the file is still the same.
    convenience init(name: String, directory: String, unless old: GeoDatabase?, checks: Bool)
        throws(GeoError)
    {
        let path = "\(directory)/\(name)"
        var information = stat()
        guard stat(path, &information) == 0 else { throw .system("open", path) }
        let stamp = Stamp(
            inode: UInt64(information.st_ino), byteCount: Int(information.st_size),
            seconds: information.st_mtim.tv_sec, nanoseconds: information.st_mtim.tv_nsec)
        if let old, old.stamp == stamp {
            self.init(name: name, file: old.file, stamp: stamp, damage: old.damageCount)
            return
        }
        let file = try MaxMindFile(MappedFile.copy(of: path, in: directory))
        if checks { try file.check() }
        self.init(name: name, file: file, stamp: stamp, damage: 0)
    }

    private init(name: String, file: MaxMindFile, stamp: Stamp, damage: Int) {
        self.name = name
        self.file = file
        self.stamp = stamp
        self.damage.store(damage, ordering: .relaxed)
    }

    func foundDamage() { damage.add(1, ordering: .relaxed) }
}

extension GeoFile {
    fileprivate mutating func describe(_ database: GeoDatabase) {
        type = database.file.type
        builtAt = database.file.builtAt
        byteCount = Int64(database.file.byteCount)
        isInUse = true
    }
}
