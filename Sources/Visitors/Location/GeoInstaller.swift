public import Domain
internal import Glibc

/// Puts location files into a data directory, where a running tracker finds them when it is told to
/// load them.
public struct GeoInstaller {
    private let directory: String

    /// - Parameter directory: is there already.
    public init(directory: String) { self.directory = directory }

    /// Copies a file there, in place of an older one of its type, once all of it was read and found
    /// to be sound: at every moment there is one or the other.
    public func install(file: String) throws(GeoError) -> GeoFile {
        sweep()
        return try install(try PrivateCopy(of: file, in: directory))
    }

    /// As `install(file:)`, of bytes that were downloaded or unpacked.
    public func install(bytes: [UInt8]) throws(GeoError) -> GeoFile {
        sweep()
        return try install(try PrivateCopy(bytes, in: directory))
    }

    private func install(_ copy: PrivateCopy) throws(GeoError) -> GeoFile {
        do throws(GeoError) {
            let database = try MaxMindFile(MappedFile(copy))
            try database.check()
            let name = Self.fileName(type: database.type)
            try copy.rename(to: "\(directory)/\(name)", in: directory)
            copy.close()
            var file = GeoFile(name: name)
            file.type = database.type
            file.builtAt = database.builtAt
            file.byteCount = Int64(database.byteCount)
            return file
        } catch {
            copy.discard()
            throw error
        }
    }

    /// `GeoLite2-City.mmdb`: by the type, so that a new version takes the old one's place.
    static func fileName(type: String) -> String {
        let name = type.utf8.prefix(64).map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            return isPlain ? byte : UInt8(ascii: "-")
        }
        return (name.isEmpty ? "unnamed" : String(decoding: name, as: UTF8.self)) + ".mmdb"
    }

    /// Removes what is left of copies whose process died, once they are old enough to be that.
    private func sweep() {
        guard let entries = opendir(directory) else { return }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(PrivateCopy.prefix) else { continue }
            var information = stat()
            let path = "\(directory)/\(name)"
            guard stat(path, &information) == 0, time(nil) - information.st_mtim.tv_sec > 3_600
            else { continue }
            unlink(path)
        }
    }
}
