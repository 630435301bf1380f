internal import Glibc
internal import Net
internal import SQLite

extension Invocation {
    /// The API that this run is to use: of the server that `--server` names, of the server that
    /// has the data directory, or of the directory itself, opened by this process.
    ///
    /// - Parameter mayCreate: whether a data directory that is not there is to be made. Reading
    ///   from nothing is a mistyped path.
    func api(mayCreate: Bool = false) throws(CommandFailure) -> API {
        let configuration = try configuration()
        if let server = configuration.server {
            guard let token = configuration.token else {
                throw .usage(
                    "SERVER needs a token: set \(Setting.token.variable) or give --token, "
                        + "as printed by `clickrelay token create` on the server")
            }
            return API(transport: try HTTPTransport(server: server, token: token))
        }
        let directory = configuration.dataDirectory
        if try Self.isServed(configuration) {
            return API(transport: HTTPTransport(controlSocket: configuration.controlSocketPath))
        }
        if !FileSystem.exists(directory + "/clickrelay.db") {
            guard mayCreate else {
                throw CommandFailure(
                    .failed,
                    "\(Printable.text(directory)) is no data directory; name one with --data-dir, "
                        + "or a server with --server")
            }
            Terminal.talk("clickrelay: making the data directory \(Printable.text(directory))")
        }
        do {
            return API(transport: try Wiring.openDirectory(configuration))
        } catch {
            // Who had the lock was a server that was starting.
            guard error.code == .tryAgain, try Self.isServed(configuration) else { throw error }
            return API(transport: HTTPTransport(controlSocket: configuration.controlSocketPath))
        }
    }

    /// Whether a server has the directory and listens on its control socket.
    static func isServed(_ configuration: Configuration) throws(CommandFailure) -> Bool {
        guard let address = SocketAddress(path: configuration.controlSocketPath) else {
            return false
        }
        do {
            Socket.close(try Socket.connect(to: address))
            return true
        } catch {
            switch error.code {
            // No socket, or one that a killed server left behind.
            case ENOENT, ECONNREFUSED, ENOTDIR: return false
            // Its queue is full: somebody is there.
            case EAGAIN: return true
            case EACCES, EPERM:
                throw CommandFailure(
                    .failed,
                    "\(configuration.controlSocketPath) may be used by the server's own user only")
            default: throw CommandFailure(.failed, error.description)
            }
        }
    }
}
