/// What the process tells its caller; scripts rely on it.
enum ExitCode: Int32, Sendable {
    case done = 0
    case failed = 1
    case usage = 2
    case notFound = 3
    /// The request was understood and refused: validation, authorization, a conflict.
    case refused = 4
    /// Some of several were done; stderr says which were not.
    case partlyDone = 5
    /// Nothing was done and the same may work later. 75 is EX_TEMPFAIL of sysexits(3).
    case tryAgain = 75
}

/// Why a command ended early: what to say on stderr and how to exit.
struct CommandFailure: Error {
    let code: ExitCode
    let message: String

    init(_ code: ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }

    static func failed(_ message: String) -> CommandFailure { CommandFailure(.failed, message) }
    static func usage(_ message: String) -> CommandFailure { CommandFailure(.usage, message) }
}
