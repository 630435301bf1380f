import Foundation
import TestSupport

/// `Tests/faults/shim.c`, compiled: what stands between a server and its disk and clock.
struct FaultShim {
    /// Where the library, the recording and the clock's file are.
    let files: TemporaryDirectory

    /// A call that is to fail, counted from the server's start.
    struct Failure: Sendable {
        let call: String
        let error: Int32
        let number: Int
        var count = 1

        var text: String { "\(call) \(number) fails with \(error), \(count) times" }
    }

    init() throws {
        files = try TemporaryDirectory()
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("faults/shim.c").path
        // Of the Swift toolchain where there is no other.
        let made = try runTool(
            "/bin/sh",
            [
                "-c",
                "c=cc; command -v cc >/dev/null || c=clang; exec $c -O1 -shared -fPIC "
                    + "-std=gnu11 -o \"$1\" \"$2\" -ldl -pthread", "sh", library, source,
            ])
        guard made.exitCode == 0 else { throw TestFailure("shim.c: \(made.error)") }
        try setClock(ahead: 0)
        try Data(count: Self.switchBytes).write(to: URL(fileURLWithPath: files.file("switch")))
    }

    /// From now on, for a server that runs: those calls fail with `error` (0: they don't), `count`
    /// times in all, and take longer.
    func turn(
        _ calls: [String], error: Int32 = 0, count: Int64 = .max / 2, microseconds: Int32 = 0
    ) throws {
        // The layout is `struct turn`'s. The count first at zero, so that no call sees half of it.
        var names = Array(("," + calls.joined(separator: ",") + ",").utf8)
        guard names.count < 40 else { throw TestFailure("too many calls: \(calls)") }
        names += [UInt8](repeating: 0, count: 40 - names.count)
        func bytes(_ count: Int64) -> Data {
            var data = Data(names)
            withUnsafeBytes(of: error) { data.append(contentsOf: $0) }
            withUnsafeBytes(of: microseconds) { data.append(contentsOf: $0) }
            withUnsafeBytes(of: count) { data.append(contentsOf: $0) }
            return data
        }
        try overwrite(files.file("switch"), bytes(0))
        if error != 0 { try overwrite(files.file("switch"), bytes(count)) }
    }

    private static let switchBytes = 64

    /// How many calls have failed, by `turn` or from the start on.
    func failedCount() throws -> Int64 {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: files.file("switch")))
        return bytes.suffix(8).withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
    }

    private var library: String { files.file("shim.so") }
    var recording: String { files.file("recording") }

    /// For a server whose data lies in that directory's `data`.
    func environment(
        _ directory: TemporaryDirectory, records: Bool = false, failing: Failure? = nil,
        delay: (call: String, microseconds: Int)? = nil
    ) -> [String: String] {
        var variables = [
            "LD_PRELOAD": library, "SHIM_DIR": directory.file("data"),
            "SHIM_CLOCK": files.file("clock"), "SHIM_SWITCH": files.file("switch"),
        ]
        if records { variables["SHIM_RECORD"] = recording }
        if let failing {
            variables["SHIM_FAIL"] =
                "\(failing.call):\(failing.error):\(failing.number):\(failing.count)"
        }
        if let delay { variables["SHIM_DELAY"] = "\(delay.call):\(delay.microseconds)" }
        return variables
    }

    /// From now on, for a server that runs, too.
    func setClock(ahead seconds: Int64) throws {
        var micros = seconds * 1_000_000
        try overwrite(files.file("clock"), withUnsafeBytes(of: &micros) { Data($0) })
    }

    /// In place: the server has the file mapped.
    private func overwrite(_ path: String, _ bytes: Data) throws {
        if let file = FileHandle(forWritingAtPath: path) {
            try file.write(contentsOf: bytes)
            try file.close()
        } else {
            try bytes.write(to: URL(fileURLWithPath: path))
        }
    }

    /// Bytes recorded so far.
    var recordedCount: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: recording)
        // Nothing was recorded yet.
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }
}
