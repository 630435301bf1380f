internal import Glibc

/// A file's contents, mapped into memory: pages are read as they are needed, and the kernel takes
/// them back when it needs memory.
///
/// What is mapped is a copy that nobody else can reach. Reading a mapped page that a file no longer
/// has is a SIGBUS, the end of the tracker; `cp new.mmdb data/geo/` shortens the old file in place
/// first, and nobody can do that to a file without a name.
// Unchecked: the bytes are never written, and unmapped when nobody has a reference any more.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    /// Maps a nameless copy of a file.
    ///
    /// - Parameter directory: where there is room for the copy.
    static func copy(of path: String, in directory: String) throws(GeoError) -> MappedFile {
        let copy = try PrivateCopy(of: path, in: directory, isNameless: true)
        defer { copy.close() }
        return try MappedFile(copy)
    }

    init(_ copy: PrivateCopy) throws(GeoError) {
        guard copy.byteCount > 0 else { throw GeoError("the file is empty") }
        // Populated: the copy is in memory anyway, and loops are not to wait for its first pages.
        let address = mmap(
            nil, copy.byteCount, PROT_READ, MAP_SHARED | MAP_POPULATE, copy.descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .system("map", copy.path) }
        bytes = UnsafeRawBufferPointer(start: address, count: copy.byteCount)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

/// A copy of a file, open under a name that nobody else knows, or under none.
struct PrivateCopy {
    let path: String
    let descriptor: Int32
    private(set) var byteCount = 0

    /// Files above are refused: the largest location files have some hundred MB.
    static let bytesMax = 4 << 30
    /// Names of copies begin with it; one that is left over was being made when its process died.
    static let prefix = ".copy-"

    /// Of a file, as far as it goes by the time it is read.
    ///
    /// - Parameter isNameless: nothing of it is left, whenever this process ends.
    init(of source: String, in directory: String, isNameless: Bool = false) throws(GeoError) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw .system("open", source) }
        defer { Glibc.close(input) }
        var information = stat()
        guard fstat(input, &information) == 0 else { throw .system("read", source) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw GeoError("\(source) is not a file")
        }
        try self.init(in: directory)
        if isNameless { unlink() }
        do throws(GeoError) {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = read(input, &buffer, buffer.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw .system("read", source)
                }
                if count == 0 { break }
                try append(buffer[..<count])
            }
        } catch {
            discard()
            throw error
        }
    }

    /// Of bytes that are in memory.
    init(_ bytes: [UInt8], in directory: String) throws(GeoError) {
        try self.init(in: directory)
        do throws(GeoError) {
            try append(bytes[...])
        } catch {
            discard()
            throw error
        }
    }

    private init(in directory: String) throws(GeoError) {
        // mkstemp makes it for its owner only.
        var template = Array("\(directory)/\(Self.prefix)XXXXXX".utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { name in
            name.baseAddress.map { mkstemp($0) } ?? -1
        }
        guard descriptor >= 0 else { throw .system("make a copy in", directory) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Gives it the name by which it is known from now on, in place of what is called so.
    ///
    /// It belongs to whom the directory belongs to, when root puts it there for a server's user.
    func rename(to target: String, in directory: String) throws(GeoError) {
        var information = stat()
        if stat(directory, &information) == 0, geteuid() == 0 {
            // What fails here shows when the server can't open the file.
            _ = fchown(descriptor, information.st_uid, information.st_gid)
        }
        guard fsync(descriptor) == 0 else { throw .system("write", path) }
        guard Glibc.rename(path, target) == 0 else { throw .system("write", target) }
    }

    func unlink() { Glibc.unlink(path) }

    func close() { Glibc.close(descriptor) }

    func discard() {
        unlink()
        close()
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(GeoError) {
        guard byteCount + bytes.count <= Self.bytesMax else {
            throw GeoError("the file is too large")
        }
        var left = bytes
        while !left.isEmpty {
            let count = left.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write", path)
            }
            left = left.dropFirst(count)
            byteCount += count
        }
    }
}

extension GeoError {
    /// With what `errno` says.
    static func system(_ operation: String, _ path: String) -> GeoError {
        GeoError("cannot \(operation) \(path): \(String(cString: strerror(errno)))")
    }
}
