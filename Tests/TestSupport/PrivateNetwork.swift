import Foundation

/// A network with nobody else in it: a loopback device that has, beside 127.0.0.1 and ::1, the
/// addresses that a test gives it, public ones too. No packet ever leaves it.
///
/// A kernel's network namespace: Linux only, and for root only, since other users can't enter one
/// from a process with threads.
public final class PrivateNetwork: Sendable {
    /// Why a test that needs one can't run here.
    public struct Unavailable: Error, CustomStringConvertible {
        public let description: String
    }

    private typealias Job = @Sendable () -> Void
    private let jobs = Locked<[Job]>([])
    private let isOver = Locked(false)
    private let wake = DispatchSemaphore(value: 0)

    /// - Parameter addresses: IPv4 and IPv6 addresses that are to be this machine's in there.
    /// - Throws: `Unavailable` where the system doesn't allow it.
    public init(addresses: [String] = []) throws {
        let (jobs, isOver, wake) = (jobs, isOver, wake)
        // What a thread opens and starts belongs to the network that it is in.
        Thread.detachNewThread {
            while true {
                wake.wait()
                if isOver.current { return }
                jobs.with { $0.removeFirst() }()
            }
        }
        try perform {
            try Self.leave()
            try Self.ip("link", "set", "lo", "up")
            for address in addresses {
                if address.contains(":") {
                    try Self.ip("-6", "addr", "add", "\(address)/128", "dev", "lo", "nodad")
                } else {
                    try Self.ip("addr", "add", "\(address)/32", "dev", "lo")
                }
            }
        }
    }

    deinit {
        isOver.with { $0 = true }
        wake.signal()
    }

    /// Runs `work` inside; what it opens and starts stays there, whoever uses it.
    public func perform<Value>(_ work: @escaping () throws -> Value) throws -> Value {
        let carried = Carried(work)
        let result = Locked<Result<Value, any Error>?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        jobs.with {
            $0.append {
                let made = Result { try carried.work() }
                result.with { $0 = made }
                isDone.signal()
            }
        }
        wake.signal()
        isDone.wait()
        guard let made = result.current else { throw TestFailure("no result") }
        return try made.get()
    }

    /// Taken to the other thread while the caller waits for it.
    // Unchecked because of that.
    private struct Carried<Value>: @unchecked Sendable {
        let work: () throws -> Value
        init(_ work: @escaping () throws -> Value) { self.work = work }
    }

    /// Leaves the machine's network. Swift's Glibc module has no `unshare`.
    private static func leave() throws {
        typealias Unshare = @convention(c) (CInt) -> CInt
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "unshare") else {
            throw Unavailable(description: "no unshare(2)")
        }
        let newNetwork: CInt = 0x4000_0000  // CLONE_NEWNET, sched.h
        guard unsafeBitCast(symbol, to: Unshare.self)(newNetwork) == 0 else {
            throw Unavailable(description: "unshare: \(systemError())")
        }
    }

    private static func ip(_ arguments: String...) throws {
        let places: [String] = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"]
        guard let tool = places.first(where: { access($0, X_OK) == 0 }) else {
            throw Unavailable(description: "no ip command")
        }
        let result = try runTool(tool, arguments)
        guard result.exitCode == 0 else {
            throw Unavailable(
                description: "ip \(arguments.joined(separator: " ")): \(result.error)")
        }
    }

    /// Starts a program inside, for which `nameServer` is the only one there is.
    ///
    /// - Parameter directory: where the files are written that it sees in place of the system's.
    func start(
        _ path: String, _ arguments: [String], environment: [String: String],
        nameServer: String, directory: TemporaryDirectory
    ) throws -> ChildProcess {
        let resolver = try directory.write(
            "nameserver \(nameServer)\noptions timeout:30 attempts:2\n", to: "resolv.conf")
        let services = try directory.write("hosts: files dns\n", to: "nsswitch.conf")
        let script = """
            mount --bind '\(resolver)' /etc/resolv.conf
            mount --bind '\(services)' /etc/nsswitch.conf
            exec "$0" "$@"
            """
        return try perform {
            try ChildProcess(
                "/usr/bin/unshare", ["--mount", "/bin/sh", "-ec", script, path] + arguments,
                environment: environment)
        }
    }
}
