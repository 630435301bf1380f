import Foundation
import TestSupport
import Testing

@testable import SQLite

@Suite struct FileSystemTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `directories are made with their parents, for their owner only`() throws {
        let path = directory.file("a/b/c")
        try FileSystem.createDirectory(path)
        try FileSystem.createDirectory(path + "/")
        #expect(FileSystem.isDirectory(path))
        for name in ["a", "a/b", "a/b/c"] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: directory.file(name))
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test func `a file where a directory should be is an error`() throws {
        try directory.write("x", to: "a")
        let error = #expect(throws: FileError.self) {
            try FileSystem.createDirectory(directory.file("a"))
        }
        #expect(error?.code == EEXIST)
        #expect(throws: FileError.self) {
            try FileSystem.createDirectory(directory.file("a/b"))
        }
    }

    @Test func `a file is replaced whole and leaves nothing beside it`() throws {
        let path = directory.file("a")
        try directory.write("remains of a crash", to: "a.partial")
        try FileSystem.write(Array("one".utf8), to: path)
        try FileSystem.write(Array("two".utf8), to: path)
        #expect(try FileSystem.read(path) == Array("two".utf8))
        #expect(directory.entries() == ["a"])
        #expect(FileSystem.size(path) == 3)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `large contents survive and a longer file than allowed is refused`() throws {
        let path = directory.file("a")
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        try FileSystem.write(bytes, to: path)
        #expect(try FileSystem.read(path) == bytes)
        #expect(try FileSystem.read(path, bytesMax: 300_000) == bytes)
        let error = #expect(throws: FileError.self) {
            try FileSystem.read(path, bytesMax: 299_999)
        }
        #expect(error?.code == EFBIG)
    }

    @Test func `an error names the operation, the path and the reason`() throws {
        let error = #expect(throws: FileError.self) {
            try FileSystem.read(directory.file("missing"))
        }
        #expect(error?.isNotFound == true)
        #expect(
            error?.description
                == "cannot open \(directory.file("missing")): No such file or directory")
    }

    @Test func `names are listed sorted and removed`() throws {
        for name in ["b", "a", ".hidden"] { try directory.write("", to: name) }
        #expect(try FileSystem.list(directory.path) == [".hidden", "a", "b"])
        try FileSystem.remove(directory.file("a"))
        try FileSystem.remove(directory.file("a"))
        #expect(!FileSystem.exists(directory.file("a")))
        #expect(FileSystem.size(directory.file("a")) == nil)
        try FileSystem.rename(directory.file("b"), to: directory.file("c"))
        #expect(try FileSystem.list(directory.path) == [".hidden", "c"])
        #expect(throws: FileError.self) { try FileSystem.list(directory.file("missing")) }
    }

    @Test func `free space is told`() throws {
        #expect(try FileSystem.freeBytes(directory.path) > 0)
        #expect(throws: FileError.self) {
            try FileSystem.freeBytes(directory.file("missing"))
        }
    }

    @Test(arguments: [
        ("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/", "a"), ("/", "/"), ("a//b", "a"),
        ("//a", "/"), ("", "."),
    ])
    func `the parent of a path is what stands before its last name`(path: String, parent: String) {
        #expect(FileSystem.parent(of: path) == parent)
    }

    @Test func `a lock keeps a second holder out and tells who has it`() throws {
        let path = directory.file("lock")
        let lock = try LockFile(path: path)
        let error = #expect(throws: LockError.self) { try LockFile(path: path) }
        #expect(error == .held(path: path, processID: getpid()))
        #expect(error?.description == "\(path) is held by process \(getpid())")
        // Reading the file elsewhere in this process must not let the lock go.
        _ = try FileSystem.read(path)
        #expect(throws: LockError.self) { try LockFile(path: path) }
        lock.release()
        lock.release()
        let again = try LockFile(path: path)
        again.release()
    }

    @Test func `a lock ends with the process that held it, however it dies`() throws {
        let path = directory.file("lock")
        // Without a fork, so that killing the holder closes the only descriptor.
        let holder = try BackgroundCommand(
            tool: "/usr/bin/flock", ["--no-fork", path, "sleep", "60"])
        let deadline = Date().addingTimeInterval(30)
        var refused = false
        while !refused && Date() < deadline {
            do {
                try LockFile(path: path).release()
                usleep(1_000)
            } catch { refused = true }
        }
        #expect(refused)
        holder.signal(SIGKILL)
        _ = try holder.awaitExit()
        try LockFile(path: path).release()
    }

    @Test func `a lock keeps another process out`() throws {
        let path = directory.file("lock")
        let lock = try LockFile(path: path)
        let other = try runTool(
            "/usr/bin/flock", ["--nonblock", "--conflict-exit-code", "9", path, "true"])
        #expect(other.exitCode == 9)
        lock.release()
    }

    @Test func `a lock in a directory that is missing is a file error`() throws {
        let error = #expect(throws: LockError.self) {
            try LockFile(path: directory.file("missing/lock"))
        }
        guard case .file(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.isNotFound)
    }
}
