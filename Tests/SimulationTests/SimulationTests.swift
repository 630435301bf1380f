import Foundation
import TestSupport
import Testing

/// Runs the executable `simulation`, which has the process to itself: the clock, the disk and the
/// network of whatever is linked with the simulated machine are no more the real ones.
@Suite(.serialized) struct SimulationTests {
    private struct Outcome {
        let status: Int32
        let output: String
    }

    private static func simulate(_ arguments: [String]) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(".build/debug/simulation")
        process.arguments = arguments + ["--seconds", "300"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
    }

    @Test func `five hundred seeds keep every promise`() throws {
        let outcome = try Self.simulate(["--seeds", "500"])
        #expect(outcome.status == 0, "\(outcome.output)")
    }

    @Test func `a seed is the same run every time`() throws {
        let runs = try (0..<2).map { _ in try Self.simulate(["--seed", "8"]) }
        #expect(runs[0].output == runs[1].output)
        #expect(runs[0].status == 0 && runs[0].output.contains("all is well"))
    }

    /// Each breaks one promise, so a simulation that finds nothing there checks nothing.
    @Test(arguments: [
        "sync-lies", "names-are-not-synced", "click-forgotten", "report-forgotten",
        "delivery-forgotten", "retry-forgotten", "counted-twice", "called-again",
    ])
    func `a planted bug is found`(name: String) throws {
        let outcome = try Self.simulate(["--plant", name, "--seeds", "100"])
        #expect(outcome.status == 1, "\(outcome.output)")
        #expect(outcome.output.contains("sh Tests/simulate --seed N --plant \(name)"))
    }
}
