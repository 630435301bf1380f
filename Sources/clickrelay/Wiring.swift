/// Where the command line meets the rest of the program.
enum Wiring {
    /// Opens a data directory that no server has: takes its lock and answers API requests in this
    /// process until the transport is gone.
    ///
    /// - Throws: `.tryAgain` when the lock is held, `.failed` when the directory can't be opened.
    static func openDirectory(_ configuration: Configuration) throws(CommandFailure)
        -> any APITransport
    {
        throw CommandFailure(
            .tryAgain, "no server runs on \(configuration.dataDirectory); start `clickrelay serve`")
    }
}
