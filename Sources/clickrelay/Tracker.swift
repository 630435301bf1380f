internal import Clicks
internal import Crypto
internal import Domain
internal import HTTP
internal import Net
internal import SQLite
internal import Store

/// A running tracker: its files, its threads and its listening sockets.
///
/// One per data directory, which its lock file sees to.
// Unchecked: everything is set before `start` returns; `stop` is called once.
final class Tracker: @unchecked Sendable {
    /// Where it listens, ports as the kernel gave them: `http://127.0.0.1:8080`.
    let addresses: [String]
    private let services: Services
    private let loops: [RunningLoop]

    private struct RunningLoop {
        let loop: EventLoop
        let server: Server
        let thread: LoopThread
    }

    /// Opens the data directory and serves. When it returns, requests are accepted and
    /// `GET /readyz` answers 200.
    static func start(_ configuration: Configuration) throws(CommandFailure) -> Tracker {
        let services = try Services(configuration)
        do {
            return try Tracker(configuration, services)
        } catch {
            services.close()
            throw error
        }
    }

    private init(_ configuration: Configuration, _ services: Services) throws(CommandFailure) {
        self.services = services
        var limits = ServerLimits()
        limits.headerBytesMax = configuration.maxHeaderBytes
        limits.bodyBytesMax = configuration.maxBodyBytes
        limits.headMilliseconds = configuration.requestTimeoutMilliseconds
        limits.connectionsMax = max(16, configuration.maxConnections / configuration.loops)
        var listen = configuration.listen
        var loops: [RunningLoop] = []
        do {
            for number in 1...configuration.loops {
                let loop = try EventLoop(name: "loop-\(number)")
                let handler = try LoopHandler(LoopHandle(loop), services, isTrusted: false)
                let server = Server(loop: loop, limits: limits) { _ in handler }
                // The first loop learns the ports that the kernel picked, the others share them.
                for index in listen.indices { listen[index] = try server.listen(listen[index]) }
                loops.append(
                    RunningLoop(loop: loop, server: server, thread: try LoopThread.running(loop)))
            }
            let loop = try EventLoop(name: "control")
            let handler = try LoopHandler(LoopHandle(loop), services, isTrusted: true)
            let server = Server(loop: loop, limits: limits) { _ in handler }
            guard let address = SocketAddress(path: configuration.controlSocketPath) else {
                throw CommandFailure.failed("the path of control.sock is too long")
            }
            try server.listen(address)
            loops.append(
                RunningLoop(loop: loop, server: server, thread: try LoopThread.running(loop)))
        } catch let failure as CommandFailure {
            Self.end(loops)
            throw failure
        } catch {
            Self.end(loops)
            throw .failed("\(error)")
        }
        self.loops = loops
        addresses = listen.map { "http://\($0.text)" }
        services.startOutbound(addresses: addresses)
    }

    /// Accepts nothing more, lets requests in flight finish within the grace, commits, and ends.
    func stop(graceMilliseconds: Int) {
        let drained = Countdown(loops.count)
        for running in loops {
            running.server.drain(deadlineMilliseconds: graceMilliseconds) { drained.countDown() }
        }
        drained.wait()
        services.stopOutbound(graceMilliseconds: graceMilliseconds)
        Self.end(loops)
        services.close()
    }

    private static func end(_ loops: [RunningLoop]) {
        for running in loops { running.loop.stop() }
        for running in loops { running.thread.join() }
    }
}
