import Foundation

/// A directory of its own for one test, removed with everything in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        var name = Array(
            (FileManager.default.temporaryDirectory.path + "/clickrelay-XXXXXX").utf8CString)
        let made = name.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw TestFailure("mkdtemp: \(systemError())") }
        path = made
    }

    deinit {
        // A leftover directory in /tmp fails no test, and there is nobody left to tell.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of `name` inside the directory.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let path = file(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The names in the directory `name` (or in this one), sorted; empty where it is missing.
    public func entries(of name: String = "") -> [String] {
        // A missing directory has no entries: that is the answer, not an error.
        ((try? FileManager.default.contentsOfDirectory(atPath: file(name))) ?? []).sorted()
    }

    public func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: file(name))
    }

    /// The permission bits of a file, nil where there is none.
    public func mode(of name: String) -> Int? {
        // No attributes is how a missing file shows, and the answer is nil.
        let attributes = try? FileManager.default.attributesOfItem(atPath: file(name))
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }
}
