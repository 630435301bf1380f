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
            "SHIM_CLOCK": files.file("clock"),
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
        let bytes = withUnsafeBytes(of: &micros) { Data($0) }
        let path = files.file("clock")
        // In place: the server has the file mapped.
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
