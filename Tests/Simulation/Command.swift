import Foundation
import Glibc
import SimulatedMachine

/// Runs many seeds in processes of their own, or one with its trace.
///
/// Each process takes a few seeds: what a run that ended in the middle leaves in memory goes with it,
/// and one that traps takes none of the others along.
struct Command {
    private var from: UInt64 = 1
    private var count: UInt64 = 10_000
    private var seed: UInt64?
    private var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
    private var secondsMax = 1800
    private var bug: PlantedBug?
    private var isDiskFailing = false
    /// Of a process that was started by another.
    private var worker: String?

    private var seedsPerProcess: UInt64 { bug == nil ? 25 : 5 }
    private var failuresMax: Int { bug == nil ? 5 : 1 }
    /// A seed takes some ten milliseconds.
    private static let secondsPerSeedMax = 30

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func number() throws -> UInt64 {
            guard let text = rest.popFirst(), let number = UInt64(text) else {
                throw Violation("a number is missing")
            }
            return number
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--from": from = try number()
            case "--seeds": count = try number()
            case "--seed": seed = try number()
            case "--jobs": jobs = max(1, Int(try number()))
            case "--seconds": secondsMax = Int(try number())
            case "--worker": worker = rest.popFirst()
            case "--failing-disk": isDiskFailing = true
            case "--plant":
                guard let name = rest.popFirst(), let known = PlantedBug(rawValue: name) else {
                    throw Violation(
                        "--plant takes one of \(PlantedBug.allCases.map(\.rawValue))")
                }
                bug = known
            default: throw Violation("unknown argument: \(argument)")
            }
        }
    }

    func run() throws -> Int32 {
        if let worker { return try work(in: worker) }
        let root = try Self.makeRoot()
        defer { try? FileManager.default.removeItem(atPath: root) }
        if let seed {
            return try start(from: seed, count: 1, isTraced: true, root).wait() == 0 ? 0 : 1
        }
        return try runAll(root)
    }

    // MARK: The first process

    private func runAll(_ root: String) throws -> Int32 {
        let begun = Date()
        var next = from
        var end = from + count
        var failures = 0
        var running: [Child] = []
        while next < end || !running.isEmpty {
            let isLate = Date().timeIntervalSince(begun) > Double(secondsMax)
            if isLate || failures >= failuresMax { end = next }
            while running.count < jobs, next < end {
                let part = min(seedsPerProcess, end - next)
                running.append(try start(from: next, count: part, isTraced: false, root))
                next += part
            }
            guard !running.isEmpty else { break }
            let child = running.removeFirst()
            switch child.wait() {
            case 0: break
            case 1: failures += 1
            default: failures += try searchAlone(child, root)
            }
        }
        let seconds = Date().timeIntervalSince(begun)
        let ran = next - from
        if ran < count { print("stopped before the end: \(ran) of \(count) seeds were run") }
        guard ran > 0 else { return 1 }
        let rate = Double(ran) / max(0.001, seconds)
        print(
            failures == 0
                ? String(
                    format: "%llu seeds from %llu on: all is well, in %.0f s (%.0f a second)",
                    ran, from, seconds, rate)
                : "replay one of them: sh Tests/simulate --seed N"
                    + (bug.map { " --plant \($0.rawValue)" } ?? "")
                    + (isDiskFailing ? " --failing-disk" : ""))
        return failures == 0 ? 0 : 1
    }

    /// The process trapped or hung: which of its seeds was it?
    /// - Returns: how many failures there are, at least one.
    private func searchAlone(_ child: Child, _ root: String) throws -> Int {
        // The process of the first seed has the same path. One that hung early has made nothing yet.
        try? FileManager.default.removeItem(atPath: Self.path(of: child.from, root))
        var failures = 0
        for seed in child.from..<(child.from + child.count) {
            let status = try start(from: seed, count: 1, isTraced: false, root).wait()
            if status == 0 { continue }
            failures += 1
            if status != 1 { print("seed \(seed) FAILED: the process trapped, or did not end") }
        }
        if failures > 0 { return failures }
        print(
            "the process of seeds \(child.from) to \(child.from + child.count - 1) FAILED: it trapped "
                + "or hung, and none of them does alone")
        return 1
    }

    private static func path(of from: UInt64, _ root: String) -> String { "\(root)/\(from)" }

    private struct Child {
        let process: Process
        let from: UInt64
        let count: UInt64

        /// 0: all is well. 1: a seed failed, and said so. Anything else: it was cut short.
        func wait() -> Int32 {
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : 255
        }
    }

    private func start(from: UInt64, count: UInt64, isTraced: Bool, _ root: String) throws -> Child
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--worker", Self.path(of: from, root)]
        process.arguments? +=
            isTraced ? ["--seed", "\(from)"] : ["--from", "\(from)", "--seeds", "\(count)"]
        if let bug { process.arguments? += ["--plant", bug.rawValue] }
        if isDiskFailing { process.arguments?.append("--failing-disk") }
        var environment = ProcessInfo.processInfo.environment
        // Sets are gone through in the same order every time.
        environment["SWIFT_DETERMINISTIC_HASHING"] = "1"
        // A process that traps must not wait for a debugger.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        try process.run()
        return Child(process: process, from: from, count: count)
    }

    private static func makeRoot() throws -> String {
        let memory = "/dev/shm"
        let base =
            FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
        let root = "\(base)/clickrelay-simulation-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        return root
    }

    // MARK: The others

    private func work(in path: String) throws -> Int32 {
        let template = path + "/template"
        try Template.make(at: template)
        if let seed { return try simulate(seed, template, path, isTraced: true) ? 0 : 1 }
        if bug == .trapsInCompany, count > 1 { fatalError("a planted bug") }
        var isWell = true
        for seed in from..<(from + count) {
            if try !simulate(seed, template, path, isTraced: false) { isWell = false }
        }
        try FileManager.default.removeItem(atPath: path)
        return isWell ? 0 : 1
    }

    private func simulate(_ seed: UInt64, _ template: String, _ path: String, isTraced: Bool) throws
        -> Bool
    {
        alarm(UInt32(Self.secondsPerSeedMax))
        let data = "\(path)/s\(seed)"
        try Template.copy(template, to: data)
        let world = try World(
            seed: seed, path: data, bug: bug, isDiskFailing: isDiskFailing, isTraced: isTraced)
        var failure: (any Error)?
        do {
            try world.run()
        } catch {
            failure = error
        }
        world.trace.note(failure.map { "FAILED: \($0)" } ?? "all is well")
        world.end()
        for line in world.trace.lines { print(line) }
        if let failure { print("seed \(seed) FAILED: \(failure)") }
        try FileManager.default.removeItem(atPath: data)
        return failure == nil
    }
}
