internal import Domain

/// One key of the configuration, as `clickrelay help config` lists them.
///
/// The raw value is the key without its prefix; everything else about a key follows from it.
enum Setting: String, CaseIterable, Sendable {
    case dataDir = "DATA_DIR"
    case listen = "LISTEN"
    case tlsCertFile = "TLS_CERT_FILE"
    case tlsKeyFile = "TLS_KEY_FILE"
    case publicURL = "PUBLIC_URL"
    case trustedProxies = "TRUSTED_PROXIES"
    case nodeID = "NODE_ID"
    case loops = "LOOPS"
    case dbSync = "DB_SYNC"
    case onStorageFailure = "ON_STORAGE_FAILURE"
    case maxConnections = "MAX_CONNECTIONS"
    case maxHeaderBytes = "MAX_HEADER_BYTES"
    case maxBodyBytes = "MAX_BODY_BYTES"
    case requestTimeoutMs = "REQUEST_TIMEOUT_MS"
    case outboundConcurrency = "OUTBOUND_CONCURRENCY"
    case outboundPerHost = "OUTBOUND_PER_HOST"
    case outboundTimeoutMs = "OUTBOUND_TIMEOUT_MS"
    case outboundGiveUpHours = "OUTBOUND_GIVE_UP_HOURS"
    case retentionClickDays = "RETENTION_CLICK_DAYS"
    case retentionPostbackDays = "RETENTION_POSTBACK_DAYS"
    case ipPolicy = "IP_POLICY"
    case botsFile = "BOTS_FILE"
    case botMarks = "BOT_MARKS"
    case logLevel = "LOG_LEVEL"
    case logFormat = "LOG_FORMAT"
    case shutdownGraceMs = "SHUTDOWN_GRACE_MS"
    // The command line's own: where the server is that it talks to.
    case server = "SERVER"
    case token = "TOKEN"

    static let prefix = "CLICKRELAY_"

    /// The name in the environment: `CLICKRELAY_DATA_DIR`.
    var variable: String { Setting.prefix + rawValue }

    /// The flag's name without its dashes: `data-dir`.
    var flagName: String {
        String(rawValue.lowercased().map { $0 == "_" ? "-" : $0 })
    }

    /// Read by commands that talk to a server, and by no server.
    var isForClients: Bool { self == .server || self == .token }

    /// Several values, each by a flag of its own or in one text with commas.
    var mayRepeat: Bool {
        self == .listen || self == .trustedProxies || self == .tlsCertFile || self == .tlsKeyFile
    }

    /// Never printed.
    var isSecret: Bool { self == .token }

    /// With or without the prefix, in upper case.
    init?(name: some StringProtocol) {
        let key = name.hasPrefix(Setting.prefix) ? name.dropFirst(Setting.prefix.count) : name[...]
        self.init(rawValue: String(key))
    }

    /// The key that somebody probably meant.
    static func nearest(to name: some StringProtocol) -> String? {
        let hasPrefix = name.hasPrefix(prefix)
        let key = hasPrefix ? name.dropFirst(prefix.count) : name[...]
        return NearestName.suggestion(for: String(key), among: allCases.map(\.rawValue))
            .map { hasPrefix ? prefix + $0 : $0 }
    }

    /// What the value looks like, for usage texts.
    var valueName: String {
        switch self {
        case .dataDir: "DIR"
        case .listen: "ADDRESS:PORT"
        case .tlsCertFile, .tlsKeyFile, .botsFile: "FILE"
        case .publicURL, .server: "URL"
        case .trustedProxies: "CIDR,…"
        case .nodeID, .loops, .maxConnections, .outboundConcurrency, .outboundPerHost: "N"
        case .dbSync: "full|normal"
        case .onStorageFailure: "redirect|refuse"
        case .maxHeaderBytes, .maxBodyBytes: "BYTES"
        case .requestTimeoutMs, .outboundTimeoutMs, .shutdownGraceMs: "MS"
        case .outboundGiveUpHours: "HOURS"
        case .retentionClickDays, .retentionPostbackDays: "DAYS"
        case .ipPolicy: "full|truncate|none"
        case .botMarks: "MARK,…|none"
        case .logLevel: "debug|info|warn|error"
        case .logFormat: "auto|json|text"
        case .token: "TOKEN"
        }
    }

    /// The value where no source gives one; nil for none, or one that depends on the machine.
    var fixedDefault: String? {
        switch self {
        case .dataDir: "./data"
        case .listen: "127.0.0.1:8080"
        case .nodeID: "0"
        case .dbSync: "full"
        case .onStorageFailure: "redirect"
        case .maxConnections: "10000"
        case .maxHeaderBytes: "32768"
        case .maxBodyBytes: "1048576"
        case .requestTimeoutMs: "10000"
        case .outboundConcurrency: "256"
        case .outboundPerHost: "16"
        case .outboundTimeoutMs: "15000"
        case .outboundGiveUpHours: "72"
        case .ipPolicy: "full"
        case .botMarks: "none"
        case .logLevel: "info"
        case .logFormat: "auto"
        case .shutdownGraceMs: "10000"
        case .tlsCertFile, .tlsKeyFile, .publicURL, .trustedProxies, .loops, .retentionClickDays,
            .retentionPostbackDays, .botsFile, .server, .token:
            nil
        }
    }

    var summary: String {
        switch self {
        case .dataDir: "everything Clickrelay keeps; made at first start"
        case .listen: "may repeat (commas in files); port 0 lets the kernel pick"
        case .tlsCertFile:
            "PEM, with its chain: every LISTEN address speaks TLS; SIGHUP rereads it; may repeat"
        case .tlsKeyFile: "PEM without a passphrase: that certificate's key; one for each, in order"
        case .publicURL: "how the world reaches this server; postback URLs begin with it"
        case .trustedProxies: "whose X-Forwarded-For counts; none by default"
        case .nodeID: "0 to 255, part of every click ID; one per server"
        case .loops: "event loops; default: the cores this process may use"
        case .dbSync: "full: nothing acknowledged is lost in a power cut"
        case .onStorageFailure: "a click that can't be recorded is redirected or refused (503)"
        case .maxConnections:
            "beyond it the oldest idle connection is closed; LimitNOFILE may allow fewer"
        case .maxHeaderBytes: "longer request heads are answered 431"
        case .maxBodyBytes:
            "longer request bodies are answered 413, a network's call 400 with its beginning kept"
        case .requestTimeoutMs: "a request head must be complete within this"
        case .outboundConcurrency: "outbound postbacks in flight at once"
        case .outboundPerHost: "of these, to one host"
        case .outboundTimeoutMs: "for one attempt, from name look-up to the last byte"
        case .outboundGiveUpHours: "a delivery is dead this long after its conversion"
        case .retentionClickDays:
            "days after which a day's clicks are deleted, 2 at least; unset: kept"
        case .retentionPostbackDays: "days after which received calls lose their text; unset: kept"
        case .ipPolicy: "how much of a visitor's address is stored"
        case .botsFile: "networks and agents that are bots; see help bots; SIGHUP rereads it"
        case .botMarks: "what makes a request a bot's: library, no-agent, no-language, rate"
        case .logLevel: "the least important event that is logged"
        case .logFormat: "auto: text on a terminal, JSON elsewhere"
        case .shutdownGraceMs: "how long SIGTERM waits for requests in flight"
        case .server: "commands talk to this server instead of a data directory"
        case .token: "its API token; better here than as a flag, which others can see"
        }
    }
}
