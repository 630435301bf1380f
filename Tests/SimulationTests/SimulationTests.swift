import Foundation
import TestSupport
import Testing

/// Runs the executable `simulation`, which has the process to itself: the clock, the disk and the
/// network of whatever is linked with the simulated machine are no more the real ones.
@Suite(.serialized) struct SimulationTests {
    /// Beside the tests, however they were built.
    private static let program = URL(fileURLWithPath: CommandLine.arguments[0])
        .resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("simulation").path

    private static func simulate(_ arguments: [String]) throws -> CommandResult {
        try runTool(program, arguments + ["--seconds", "900"], within: 1000)
    }

    @Test func `five hundred seeds keep every promise`() throws {
        try Self.expectAllWell(seeds: 500)
    }

    /// Each of them was run: where the time was too short for that, the run ends well as well.
    private static func expectAllWell(seeds: Int, _ more: String...) throws {
        let outcome = try simulate(["--seeds", "\(seeds)"] + more)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(
            outcome.output.contains("\(seeds) seeds from 1 on: all is well"), "\(outcome.output)")
    }

    /// Of many thousands, those that once found something.
    @Test(arguments: [
        // The clock was set back, and a lander click got the ID of one from before.
        3416,
        // A day's file and the ledger failed together, and the visitor went on all the same.
        6814,
    ])
    func `a seed that failed once keeps every promise`(seed: Int) throws {
        let outcome = try Self.simulate(["--seed", "\(seed)"])
        #expect(outcome.exitCode == 0, "\(outcome.output.suffix(4000))")
    }

    /// Syncs that fail above all, and then the power: what they were to write must not be believed.
    @Test func `a disk that fails every now and then loses nothing that was promised`() throws {
        try Self.expectAllWell(seeds: 150, "--failing-disk")
    }

    @Test func `a seed is the same run every time`() throws {
        let runs = try (0..<2).map { _ in try Self.simulate(["--seed", "8"]) }
        #expect(runs[0].output == runs[1].output)
        #expect(runs[0].exitCode == 0 && runs[0].output.contains("all is well"))
    }

    /// Each breaks one promise, so a simulation that finds nothing there checks nothing.
    @Test(arguments: [
        "sync-lies", "names-are-not-synced", "click-forgotten", "report-forgotten",
        "delivery-forgotten", "retry-forgotten", "counted-twice", "called-again",
    ])
    func `a planted bug is found`(name: String) throws {
        let outcome = try Self.simulate(["--plant", name, "--seeds", "100"])
        #expect(outcome.exitCode == 1, "\(outcome.output)")
        #expect(outcome.output.contains("sh Tests/simulate --seed N --plant \(name)"))
    }

    @Test func `a process that traps fails, though none of its seeds does alone`() throws {
        let outcome = try Self.simulate(["--plant", "traps-in-company", "--seeds", "5"])
        #expect(outcome.exitCode == 1)
        let failure = "seeds 1 to 5 FAILED: it trapped or hung, and none of them does alone"
        #expect(outcome.output.contains(failure), "\(outcome.output)")
    }
}
