import Foundation

/// A process we started: its output is collected, its end awaited, its life bounded by ours.
final class ChildProcess: @unchecked Sendable {
    // Sendable because everything mutable is in `Locked` values.
    let pid: pid_t
    let standardOutput: Locked<[UInt8]>
    let standardError: Locked<[UInt8]>
    private let status = Locked<Int32?>(nil)
    private let open = Locked(2)  // pipes that have not reached their end

    /// What whoever started the tests left open would be open in the tested processes too, which
    /// then had other descriptors on each machine.
    private static let inheritsNothing: Void = {
        for descriptor in Int32(3)..<1024 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }()

    /// Every process that hasn't been waited for, so that none outlives the test run.
    private static let living = Locked<Set<pid_t>>([])
    private static let killAtExit: Void = {
        atexit { ChildProcess.living.current.forEach { _ = Foundation.kill($0, SIGKILL) } }
    }()

    /// - Parameter watched: its stderr is a terminal, which turns line feeds into CR LF.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:],
        watched: Bool = false
    ) throws {
        _ = ChildProcess.killAtExit
        _ = ChildProcess.inheritsNothing
        let output = try Pipe()
        let error = try watched ? Pipe(terminal: ()) : Pipe()
        standardOutput = output.collected
        standardError = error.collected

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writeEnd, 1)
        posix_spawn_file_actions_adddup2(&actions, error.writeEnd, 2)

        // Nothing named CLICKRELAY_… leaks in from outside: it would change what's tested.
        var variables = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("CLICKRELAY_")
        }
        variables.merge(environment) { $1 }
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child = pid_t()
        let result = Socket.inheritanceLock.withLock {
            posix_spawn(&child, path, &actions, nil, argv, envp)
        }
        pid = child
        close(output.writeEnd)
        close(error.writeEnd)
        guard result == 0 else {
            close(output.readEnd)
            close(error.readEnd)
            throw TestFailure("can't start \(path): \(String(cString: strerror(result)))")
        }
        ChildProcess.living.with { _ = $0.insert(child) }
        for pipe in [output, error] {
            let open = open
            pipe.collect { open.with { $0 -= 1 } }
        }
    }

    deinit {
        if !hasExited { kill(SIGKILL) }
        // Killed: it can't take long, and a child that isn't waited for stays a zombie.
        _ = try? wait(within: 10)
    }

    func kill(_ signal: Int32) {
        guard !hasExited else { return }
        _ = Foundation.kill(pid, signal)
    }

    /// True once it has ended; never blocks.
    var hasExited: Bool {
        status.with { status in
            if status != nil { return true }
            var value: Int32 = 0
            guard waitpid(pid, &value, WNOHANG) == pid else { return false }
            status = value
            ChildProcess.living.with { _ = $0.remove(pid) }
            return true
        }
    }

    /// The exit code; a signal's number plus 128 for a killed process.
    func wait(within seconds: Double = 60) throws -> Int32 {
        try eventually(within: seconds, "process \(pid) ends; stderr: \(errorText)") { hasExited }
        // What it wrote last may still be in the pipe.
        try eventually(within: 10, "the pipes of process \(pid) are read") { open.current == 0 }
        let value = status.current ?? 0
        return value & 0x7f == 0 ? (value >> 8) & 0xff : 128 + (value & 0x7f)
    }

    var outputText: String { String(decoding: standardOutput.current, as: UTF8.self) }
    var errorText: String { String(decoding: standardError.current, as: UTF8.self) }

    private struct Pipe {
        let readEnd: Int32
        let writeEnd: Int32
        let collected = Locked<[UInt8]>([])

        init() throws {
            var ends: [Int32] = [0, 0]
            let made = Socket.inheritanceLock.withLock {
                guard pipe(&ends) == 0 else { return false }
                ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
                return true
            }
            guard made else { throw TestFailure("pipe: \(systemError())") }
            (readEnd, writeEnd) = (ends[0], ends[1])
        }

        /// What is written to the terminal is read at its other end. Glibc's module leaves out
        /// `posix_openpt` and its kin; these two requests are what they make (tty_ioctl(2), x86-64
        /// and arm64).
        init(terminal: Void) throws {
            let unlock: UInt = 0x4004_5431  // TIOCSPTLCK
            let askNumber: UInt = 0x8004_5430  // TIOCGPTN
            (readEnd, writeEnd) = try Socket.inheritanceLock.withLock {
                let main = Foundation.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
                var (isLocked, number): (CInt, CUnsignedInt) = (0, 0)
                guard main >= 0, ioctl(main, unlock, &isLocked) == 0,
                    ioctl(main, askNumber, &number) == 0
                else { throw TestFailure("/dev/ptmx: \(systemError())") }
                let other = Foundation.open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
                guard other >= 0 else { throw TestFailure("the terminal: \(systemError())") }
                return (main, other)
            }
        }

        func collect(_ ended: @escaping @Sendable () -> Void) {
            let (readEnd, collected) = (readEnd, collected)
            Thread.detachNewThread {
                var chunk = [UInt8](repeating: 0, count: 65536)
                while true {
                    let count = read(readEnd, &chunk, chunk.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { break }
                    collected.with { $0.append(contentsOf: chunk[..<count]) }
                }
                close(readEnd)
                ended()
            }
        }
    }
}

/// What a finished command left behind.
public struct CommandResult: Sendable {
    public let exitCode: Int32
    public let output: String
    public let error: String

    /// stdout without the line's end.
    public var line: String { output.hasSuffix("\n") ? String(output.dropLast()) : output }

    /// - Throws: `TestFailure` when stdout is no JSON.
    public var json: JSON { get throws { try JSON(parsing: output) } }
}

/// Runs a program of the system and waits for it.
public func runTool(
    _ path: String, _ arguments: [String], within seconds: Double = 60
) throws -> CommandResult {
    let child = try ChildProcess(path, arguments)
    let code = try child.wait(within: seconds)
    return CommandResult(exitCode: code, output: child.outputText, error: child.errorText)
}
