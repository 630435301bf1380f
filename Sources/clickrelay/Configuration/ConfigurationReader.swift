internal import Domain
internal import HTTP
internal import Net
internal import Visitors

/// Makes a `Configuration` from the four sources and collects everything that is wrong with them,
/// so that one run is enough to mend all of it.
///
/// Pure: files, environment and arguments were read by the caller.
struct ConfigurationReader {
    /// A key's winning text and its origin. An empty text means that the key is not set.
    struct Value: Equatable {
        var texts: [String]
        let origin: SettingOrigin
        var text: String { texts.joined(separator: ",") }
    }

    private(set) var values: [Setting: Value] = [:]
    private(set) var problems: [SettingProblem] = []
    /// What is worth saying though it stops nobody.
    private(set) var warnings: [SettingProblem] = []
    private(set) var configuration = Configuration()

    /// - Parameters:
    ///   - file: the file that `--config` names, with its path for messages.
    ///   - environment: all variables; those without our prefix are not looked at.
    ///   - flags: settings given as flags, in order.
    ///   - coreCount: how many cores this process may use, the default of `LOOPS`.
    init(
        file: (path: String, contents: EnvironmentFile)?, environment: [String: String],
        flags: [(Setting, String)], coreCount: Int
    ) {
        for setting in Setting.allCases {
            let text = setting == .loops ? "\(coreCount)" : setting.fixedDefault ?? ""
            values[setting] = Value(texts: [text], origin: .builtIn)
        }
        if let file { take(file.contents, path: file.path) }
        take(environment)
        takeFlags(flags)
        validate(coreCount: coreCount)
    }

    // MARK: Sources

    private mutating func take(_ file: EnvironmentFile, path: String) {
        for problem in file.problems {
            problems.append(
                SettingProblem(key: "\(path), line \(problem.number)", message: problem.message))
        }
        var seen: [Setting: Int] = [:]
        for line in file.lines {
            let origin = SettingOrigin.file(path: path, line: line.number)
            guard let setting = Setting(name: line.name) else {
                let hint = Setting.nearest(to: line.name).map { "; did you mean \($0)?" } ?? ""
                problems.append(
                    SettingProblem(
                        key: Printable.text(line.name),
                        message: "is not a setting (\(origin.text))\(hint)"))
                continue
            }
            if let earlier = seen.updateValue(line.number, forKey: setting) {
                problems.append(
                    SettingProblem(
                        key: setting.rawValue,
                        message: "is set twice, in lines \(earlier) and \(line.number) of \(path)"))
            }
            set(setting, [line.value], origin)
        }
    }

    private mutating func take(_ environment: [String: String]) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix(Setting.prefix) {
            if let setting = Setting(name: name) {
                set(setting, [value], .environment)
            } else {
                // Only a warning: the environment is shared with whatever else uses our name.
                let hint = Setting.nearest(to: name).map { "; did you mean \($0)?" } ?? ""
                warnings.append(
                    SettingProblem(
                        key: Printable.text(name), message: "is not a setting (environment)\(hint)")
                )
            }
        }
    }

    private mutating func takeFlags(_ flags: [(Setting, String)]) {
        var lists: [Setting: [String]] = [:]
        for (setting, text) in flags {
            if setting.mayRepeat {
                lists[setting, default: []].append(text)
            } else {
                lists[setting] = [text]
            }
        }
        for (setting, texts) in lists { set(setting, texts, .flag) }
    }

    /// An empty value leaves what a lower source says: `KEY=` in a file is how a template says
    /// "not set".
    private mutating func set(_ setting: Setting, _ texts: [String], _ origin: SettingOrigin) {
        if texts.contains(where: { !$0.isEmpty }) {
            values[setting] = Value(texts: texts, origin: origin)
        } else if origin == .flag {
            fail(setting, "needs a value", origin: origin)
        }
    }

    // MARK: Validation

    private mutating func validate(coreCount: Int) {
        readDataDirectory()
        readListen()
        readPublicURL()
        readTrustedProxies()
        configuration.nodeID = integer(.nodeID, 0...255)
        configuration.loops = integer(.loops, 1...256)
        configuration.databaseSync = choice(.dbSync, .full)
        configuration.onStorageFailure = choice(.onStorageFailure, .redirect)
        configuration.maxConnections = integer(.maxConnections, 16...1_000_000)
        configuration.maxHeaderBytes = integer(.maxHeaderBytes, 1_024...1_048_576)
        configuration.maxBodyBytes = integer(.maxBodyBytes, 1_024...67_108_864)
        configuration.requestTimeoutMilliseconds = integer(.requestTimeoutMs, 100...600_000)
        configuration.outboundConcurrency = integer(.outboundConcurrency, 1...10_000)
        configuration.outboundPerHost = integer(.outboundPerHost, 1...10_000)
        configuration.outboundTimeoutMilliseconds = integer(.outboundTimeoutMs, 100...600_000)
        configuration.outboundGiveUpHours = integer(.outboundGiveUpHours, 1...8_760)
        configuration.retentionClickDays = days(.retentionClickDays)
        configuration.retentionPostbackDays = days(.retentionPostbackDays)
        configuration.ipPolicy = choice(.ipPolicy, .full)
        readVisitRules()
        configuration.logLevel = choice(.logLevel, .info)
        configuration.logFormat = choice(.logFormat, .auto)
        configuration.shutdownGraceMilliseconds = integer(.shutdownGraceMs, 0...3_600_000)
        readTLS()
        readClientSettings()
    }

    private mutating func readDataDirectory() {
        let path = text(.dataDir)
        if path.utf8.contains(0) {
            fail(.dataDir, "must not contain a NUL")
        } else if SocketAddress(path: path + "/control.sock") == nil {
            fail(
                .dataDir,
                "is too long: the path of control.sock in it must fit into 107 bytes; "
                    + "use a shorter path or a symbolic link")
        }
        configuration.dataDirectory =
            path.utf8.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    private mutating func readListen() {
        var addresses: [SocketAddress] = []
        for item in list(.listen) {
            // No path: what a socket file's peer sends has no address to keep with a click.
            guard let address = SocketAddress.parse(item), address.ipBytes != nil else {
                let hint = item.hasPrefix(":") ? "; for every address write 0.0.0.0\(item)" : ""
                fail(
                    .listen,
                    "\"\(Printable.text(item))\" is not ADDRESS:PORT such as 127.0.0.1:8080, "
                        + "0.0.0.0:8080 or [::1]:8080\(hint)")
                continue
            }
            if address.port != 0, addresses.contains(address) {
                fail(.listen, "names \(address.text) twice")
            }
            addresses.append(address)
        }
        if addresses.count > 16 { fail(.listen, "names more than 16 addresses") }
        configuration.listen = addresses
    }

    private mutating func readPublicURL() {
        guard isSet(.publicURL) else { return }
        do {
            let url = try URL(text(.publicURL))
            guard url.fragment == nil, !url.target.contains("?") else {
                fail(.publicURL, "must not have a query or a fragment")
                return
            }
            var text = url.text
            while text.hasSuffix("/") { text.removeLast() }
            configuration.publicURL = text
            configuration.publicHost = HostName(
                url.host.contains(":") ? "[\(url.host)]" : url.host)
        } catch {
            fail(.publicURL, "\(error.text), such as https://track.example.com")
        }
    }

    private mutating func readTrustedProxies() {
        var networks: [IPNetwork] = []
        for item in list(.trustedProxies) {
            if let network = IPNetwork(item) {
                networks.append(network)
            } else {
                fail(
                    .trustedProxies,
                    "\"\(Printable.text(item))\" is not an address or a block such as 10.0.0.0/8")
            }
        }
        configuration.trustedProxies = networks
    }

    /// The files themselves are read when serving starts, and again at every SIGHUP.
    private mutating func readTLS() {
        switch (isSet(.tlsCertFile), isSet(.tlsKeyFile)) {
        case (false, false): return
        case (true, false):
            fail(.tlsCertFile, "needs the certificate's key too, and TLS_KEY_FILE is missing")
        case (false, true):
            fail(.tlsKeyFile, "needs the key's certificate too, and TLS_CERT_FILE is missing")
        case (true, true):
            let (certificates, keys) = (list(.tlsCertFile), list(.tlsKeyFile))
            if text(.tlsCertFile).utf8.contains(0) { fail(.tlsCertFile, "must not contain a NUL") }
            if text(.tlsKeyFile).utf8.contains(0) { fail(.tlsKeyFile, "must not contain a NUL") }
            guard certificates.count == keys.count else {
                return fail(
                    .tlsKeyFile,
                    "must name a key for each certificate in TLS_CERT_FILE, in the same order: "
                        + "there are \(certificates.count) certificates and \(keys.count) keys")
            }
            if certificates.count > Self.certificatesMax {
                fail(.tlsCertFile, "names more than \(Self.certificatesMax) certificates")
            }
            if certificates.isEmpty { fail(.tlsCertFile, "names no file") }
            configuration.certificate = CertificateFiles(
                pairs: zip(certificates, keys).map { .init(certificateFile: $0, keyFile: $1) })
        }
    }

    private static let certificatesMax = 1000

    /// The list itself is read when serving starts, and again at every SIGHUP.
    private mutating func readVisitRules() {
        if isSet(.botsFile) {
            let path = text(.botsFile)
            if path.utf8.contains(0) { fail(.botsFile, "must not contain a NUL") }
            configuration.visitRules.listPath = path
        }
        configuration.visitRules.marks = []
        let names = list(.botMarks)
        if names == ["none"] { return }
        for name in names {
            guard let mark = BotMark(rawValue: name) else {
                let known = BotMark.allCases.map(\.rawValue)
                fail(
                    .botMarks,
                    "\"\(Printable.text(name))\" is none of \(known.joined(separator: ", ")), and "
                        + "not \"none\" alone")
                continue
            }
            configuration.visitRules.marks.insert(mark)
        }
    }

    private mutating func readClientSettings() {
        if isSet(.token) {
            let token = text(.token)
            if token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
                configuration.token = token
            } else {
                fail(.token, "must be printable ASCII without spaces, as `token create` prints it")
            }
        }
        guard isSet(.server) else { return }
        // Who names a directory on the command line means it, whatever the environment says.
        if origin(.dataDir) == .flag, origin(.server) != .flag { return }
        if origin(.dataDir) == .flag {
            fail(.server, "and --data-dir exclude each other: talk to a server, or to a directory")
        }
        do {
            configuration.server = try URL(text(.server))
        } catch {
            fail(.server, "\(error.text), such as https://track.example.com")
        }
    }

    // MARK: Reading one value

    private func text(_ setting: Setting) -> String { values[setting]?.text ?? "" }
    private func isSet(_ setting: Setting) -> Bool { !text(setting).isEmpty }
    private func origin(_ setting: Setting) -> SettingOrigin { values[setting]?.origin ?? .builtIn }

    private func list(_ setting: Setting) -> [String] {
        text(setting).split(separator: ",").map { item in
            var item = item
            while item.first == " " { item.removeFirst() }
            while item.last == " " { item.removeLast() }
            return String(item)
        }
    }

    private mutating func integer(_ setting: Setting, _ range: ClosedRange<Int>) -> Int {
        let text = text(setting)
        // `Int` alone would take a plus sign.
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(text),
            range.contains(number)
        else {
            fail(
                setting,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound), "
                    + "not \"\(Printable.text(text))\"")
            return range.lowerBound
        }
        return number
    }

    /// Nil where it is not set: everything is kept.
    private mutating func days(_ setting: Setting) -> Int? {
        isSet(setting) ? integer(setting, 1...36_500) : nil
    }

    private mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ setting: Setting, _ fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        let text = text(setting)
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        let hint =
            NearestName.suggestion(for: text, among: names).map { "; did you mean \($0)?" } ?? ""
        fail(
            setting,
            "must be \(names.joined(separator: " or ")), not \"\(Printable.text(text))\"\(hint)")
        return fallback
    }

    private mutating func fail(_ setting: Setting, _ message: String, origin: SettingOrigin? = nil)
    {
        let origin = origin ?? self.origin(setting)
        problems.append(
            SettingProblem(key: setting.rawValue, message: "\(message) (\(place(setting, origin)))")
        )
    }

    private mutating func warn(_ setting: Setting, _ message: String) {
        warnings.append(
            SettingProblem(
                key: setting.rawValue, message: "\(message) (\(place(setting, origin(setting))))"))
    }

    private func place(_ setting: Setting, _ origin: SettingOrigin) -> String {
        origin == .flag ? "--\(setting.flagName)" : origin.text
    }
}
