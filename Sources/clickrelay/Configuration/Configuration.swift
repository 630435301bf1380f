internal import Domain
internal import HTTP
internal import Net

/// Everything the server can be told, read and validated once at start.
///
/// A value is always usable as it stands; `ConfigurationReader` is the only place that makes one
/// from text.
struct Configuration: Sendable {
    enum DatabaseSync: String, CaseIterable, Sendable { case full, normal }
    enum StorageFailurePolicy: String, CaseIterable, Sendable { case redirect, refuse }

    var dataDirectory = "./data"
    /// Never empty; where port is 0 the kernel picks.
    var listen: [SocketAddress] = []
    /// What every address in `listen` shows its visitors; nil: plain HTTP.
    var certificate: CertificateFiles?
    /// Without a slash at its end.
    var publicURL: String?
    /// The host in it.
    var publicHost: HostName?
    var trustedProxies: [IPNetwork] = []
    /// 0...255.
    var nodeID = 0
    var loops = 1
    var databaseSync = DatabaseSync.full
    var onStorageFailure = StorageFailurePolicy.redirect
    var maxConnections = 10_000
    var maxHeaderBytes = 32_768
    var maxBodyBytes = 1_048_576
    var requestTimeoutMilliseconds = 10_000
    var outboundConcurrency = 256
    var outboundPerHost = 16
    var outboundTimeoutMilliseconds = 15_000
    var outboundGiveUpHours = 72
    /// Nil: clicks are kept for good.
    var retentionClickDays: Int?
    /// Nil: the text of received calls is kept for good.
    var retentionPostbackDays: Int?
    var ipPolicy = IPPolicy.full
    /// How bots are told from visitors.
    var visitRules = VisitRulesSource()
    var logLevel = Log.Level.info
    var logFormat = Log.Format.auto
    var shutdownGraceMilliseconds = 10_000

    /// The command line's own: the server it talks to, and the key to it.
    var server: URL?
    var token: String?

    var log: Log { Log(level: logLevel, format: logFormat) }
    /// How the addresses in `listen` are spoken to.
    var scheme: String { certificate == nil ? "http" : "https" }
    var controlSocketPath: String { dataDirectory + "/control.sock" }
    var lockPath: String { dataDirectory + "/lock" }
}

/// Where a setting's value came from; a later case wins over an earlier one.
enum SettingOrigin: Comparable, Sendable {
    case builtIn
    case file(path: String, line: Int)
    case environment
    case flag

    private var rank: Int {
        switch self {
        case .builtIn: 0
        case .file: 1
        case .environment: 2
        case .flag: 3
        }
    }

    static func < (left: SettingOrigin, right: SettingOrigin) -> Bool { left.rank < right.rank }

    var text: String {
        switch self {
        case .builtIn: "default"
        case .file(let path, let line): "\(path), line \(line)"
        case .environment: "environment"
        case .flag: "flag"
        }
    }
}

/// One thing wrong with the configuration, at its key.
struct SettingProblem: Equatable, Sendable {
    let key: String
    let message: String

    var text: String { "\(key): \(message)" }
}
