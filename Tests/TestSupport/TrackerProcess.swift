import Foundation

/// A `clickrelay serve` of its own: the built binary, a data directory, a port the kernel picked.
///
/// The binary is `$CLICKRELAY_BINARY`, else the newer of the package's release and debug builds.
/// The server is killed when the last reference goes.
public final class TrackerProcess: @unchecked Sendable {
    // Sendable because only `kill`, `terminate` and `restart` replace `running`, and a test calls
    // them from one thread.
    public let directory: TemporaryDirectory
    private var running: Running
    private let options: Options
    private let token = Locked<String?>(nil)

    public struct Options: Sendable {
        public var arguments: [String] = []
        public var environment: [String: String] = [:]
        /// Start it so that a write beyond `RLIMIT_FSIZE` is an error and not its end.
        public var survivesFileSizeLimit = false
        /// What starts it and the commands for its directory: a program and its arguments, such as
        /// `nsenter`'s, that becomes them. Empty: they are started as they are.
        public var starter: [String] = []
        /// Where it is to run; nil: on this machine as it is.
        public var network: PrivateNetwork?

        public init(
            arguments: [String] = [], environment: [String: String] = [:],
            survivesFileSizeLimit: Bool = false
        ) {
            self.arguments = arguments
            self.environment = environment
            self.survivesFileSizeLimit = survivesFileSizeLimit
        }
    }

    private struct Running {
        let child: ChildProcess
        let port: UInt16
        let pool: HTTPPool
    }

    /// Starts a server and returns once it says that it's ready.
    public static func start(
        _ options: Options = Options(), in directory: TemporaryDirectory? = nil
    ) throws -> TrackerProcess {
        try TrackerProcess(options, directory ?? TemporaryDirectory())
    }

    private init(_ options: Options, _ directory: TemporaryDirectory) throws {
        self.options = options
        self.directory = directory
        running = try TrackerProcess.launch(options, directory, port: 0)
    }

    deinit { running.child.kill(SIGKILL) }

    public var port: UInt16 { running.port }
    public var pid: Int32 { running.child.pid }
    public var dataDirectory: String { directory.file("data") }
    /// What this start of the server has written to stderr so far.
    public var errorText: String { running.child.errorText }
    public var hasExited: Bool { running.child.hasExited }

    // MARK: Life

    private static func launch(
        _ options: Options, _ directory: TemporaryDirectory, port: UInt16
    ) throws -> Running {
        let binary = try TrackerProcess.binary
        let arguments =
            ["serve", "--data-dir", directory.file("data"), "--listen", "127.0.0.1:\(port)"]
            + options.arguments
        let child =
            if let network = options.network {
                try network.start(
                    binary, arguments, environment: options.environment,
                    nameServer: FakeNameServer.address, directory: directory)
            } else if options.survivesFileSizeLimit {
                // An ignored signal stays ignored across exec.
                try ChildProcess(
                    "/bin/sh", ["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", binary] + arguments,
                    environment: options.environment)
            } else {
                try start([binary] + arguments, options)
            }
        let bound = try eventually(within: 30, "the ready line; stderr: \(child.errorText)") {
            let port = readyPort(in: child.errorText)
            if port == nil, child.hasExited {
                _ = try child.wait()
                throw TestFailure("the server did not start: \(child.errorText)")
            }
            return port
        }
        return Running(child: child, port: bound, pool: HTTPPool(port: bound, in: options.network))
    }

    private static func start(_ command: [String], _ options: Options) throws -> ChildProcess {
        let all = options.starter + command
        return try ChildProcess(all[0], Array(all.dropFirst()), environment: options.environment)
    }

    /// The port in the first `http://host:port` or `https://host:port` of the ready line. Others may
    /// come before it and have such addresses, too: those of hosts that are called at once.
    static func readyPort(in text: String) -> UInt16? {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        where line.contains(" listening on ") {
            guard let start = line.range(of: "https?://", options: .regularExpression) else {
                continue
            }
            let authority = line[start.upperBound...].prefix { !" /\"'\\,;)".contains($0) }
            if let port = authority.split(separator: ":").last.flatMap({ UInt16($0) }) {
                return port
            }
        }
        return nil
    }

    /// `SIGKILL`: the process gets no chance to write anything.
    public func kill() throws {
        running.child.kill(SIGKILL)
        _ = try running.child.wait()
    }

    public func signal(_ signal: Int32) { running.child.kill(signal) }

    /// Waits for the server to end by itself and returns its exit code.
    public func awaitExit(within seconds: Double = 30) throws -> Int32 {
        try running.child.wait(within: seconds)
    }

    /// `SIGTERM`; returns the exit code.
    public func terminate(within seconds: Double = 30) throws -> Int32 {
        running.child.kill(SIGTERM)
        return try running.child.wait(within: seconds)
    }

    /// Starts a server again in the same data directory, after `kill` or `terminate`.
    public func restart(onSamePort: Bool = false) throws {
        running = try TrackerProcess.launch(
            options, directory, port: onSamePort ? running.port : 0)
    }

    // MARK: HTTP

    public func connect() throws -> HTTPConnection {
        try HTTPConnection(port: port, in: options.network)
    }

    public func get(_ target: String, fields: HTTPFields = [:]) throws -> HTTPResponse {
        try running.pool.request("GET", target, fields: fields)
    }

    public func head(_ target: String, fields: HTTPFields = [:]) throws -> HTTPResponse {
        try running.pool.request("HEAD", target, fields: fields)
    }

    public func post(
        _ target: String, form: String, type: String = "application/x-www-form-urlencoded"
    ) throws -> HTTPResponse {
        try running.pool.request(
            "POST", target, fields: ["Content-Type": type], body: Array(form.utf8))
    }

    public func post(_ target: String, json: JSON) throws -> HTTPResponse {
        try post(target, form: json.text, type: "application/json")
    }

    /// A request to `/api/v1` with a token that is made by the command line the first time.
    public func api(_ method: String, _ path: String, _ body: JSON? = nil) throws -> HTTPResponse {
        try api(method, path, text: body?.text)
    }

    public func api(_ method: String, _ path: String, text: String?) throws -> HTTPResponse {
        var fields: HTTPFields = ["Authorization": "Bearer \(try bearer())"]
        if text != nil { fields.all.append(("Content-Type", "application/json")) }
        return try running.pool.request(
            method, "/api/v1" + path, fields: fields, body: text.map { Array($0.utf8) })
    }

    /// The JSON of an API answer that has to be a success.
    @discardableResult
    public func call(_ method: String, _ path: String, _ body: JSON? = nil) throws -> JSON {
        let answer = try api(method, path, body)
        guard (200...299).contains(answer.status) else {
            throw TestFailure("\(method) \(path): \(answer.status) \(answer.text)")
        }
        return answer.body.isEmpty ? .null : try answer.json
    }

    /// Every item of a list, page by page.
    public func list(_ path: String, pageSize: Int = 1000) throws -> [JSON] {
        var items: [JSON] = []
        var cursor: String?
        repeat {
            let separator = path.contains("?") ? "&" : "?"
            let next = cursor.map { "&cursor=\(percentEncoded($0))" } ?? ""
            let page = try call("GET", "\(path)\(separator)limit=\(pageSize)\(next)")
            items += page["items"].array
            cursor = page["next_cursor"].id
        } while cursor != nil
        return items
    }

    public func bearer() throws -> String {
        if let known = token.current { return known }
        let result = try command("token", "create", "test-\(getpid())-\(monotonicNanos())")
        guard result.exitCode == 0 else { throw TestFailure("token create: \(result.error)") }
        let made = result.output.trimmingCharacters(in: .newlines)
        token.with { $0 = made }
        return made
    }

    // MARK: Command line

    /// Runs `clickrelay` with this server's data directory.
    public func command(_ arguments: String...) throws -> CommandResult {
        let all = arguments + ["--data-dir", dataDirectory]
        if options.starter.isEmpty { return try Self.run(all) }
        let command = options.starter + [try Self.binary] + all
        return try runTool(command[0], Array(command.dropFirst()))
    }

    /// Runs `clickrelay` with exactly these arguments.
    ///
    /// - Parameter watched: somebody sits before it: its stderr is a terminal.
    public static func run(
        _ arguments: [String], environment: [String: String] = [:], watched: Bool = false,
        within seconds: Double = 60
    ) throws -> CommandResult {
        let child = try ChildProcess(
            try binary, arguments, environment: environment, watched: watched)
        let code = try child.wait(within: seconds)
        return CommandResult(exitCode: code, output: child.outputText, error: child.errorText)
    }

    /// The binary under test.
    public static var binary: String {
        get throws {
            if let named = ProcessInfo.processInfo.environment["CLICKRELAY_BINARY"] { return named }
            let package = URL(fileURLWithPath: #filePath)
                .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let built = ["release", "debug"].compactMap { build -> (path: String, at: Date)? in
                let path = package.appendingPathComponent(".build/\(build)/clickrelay").path
                // Not built that way: not a candidate.
                let attributes = try? FileManager.default.attributesOfItem(atPath: path)
                return (attributes?[.modificationDate] as? Date).map { (path, $0) }
            }
            if let newest = built.max(by: { $0.at < $1.at }) { return newest.path }
            throw TestFailure("no clickrelay binary: run `swift build`, or set CLICKRELAY_BINARY")
        }
    }
}

/// A long-running command that isn't `serve`, such as `demo`, or a tool of the system.
public final class BackgroundCommand: Sendable {
    private let child: ChildProcess

    public init(_ arguments: [String], environment: [String: String] = [:]) throws {
        child = try ChildProcess(TrackerProcess.binary, arguments, environment: environment)
    }

    public init(tool path: String, _ arguments: [String]) throws {
        child = try ChildProcess(path, arguments)
    }

    deinit { child.kill(SIGKILL) }

    public var pid: Int32 { child.pid }
    public var outputText: String { child.outputText }
    public var errorText: String { child.errorText }
    public var hasExited: Bool { child.hasExited }
    public func signal(_ signal: Int32) { child.kill(signal) }
    public func awaitExit(within seconds: Double = 30) throws -> Int32 {
        try child.wait(within: seconds)
    }
}
