internal import Domain
internal import SQLite
internal import Store
internal import Visitors

/// `geo update|list|lookup|reload`: the operator's location files.
enum GeoCommands {
    static let commands = [
        Command(
            words: ["geo", "update"], operands: "WHAT…", operandCount: 1...20,
            summary: "install or replace location files, and put them in use",
            flags: [
                Flag(
                    "license-file", "FILE",
                    "its first line is ACCOUNT_ID:LICENSE_KEY, sent to the URL's own host only"),
                Command.jsonFlag,
            ], scope: .settings,
            details: """
                WHAT is a file, a URL, or a name: dbip-city-lite, dbip-country-lite and
                dbip-asn-lite are DB-IP's free files of this month (CC BY 4.0: credit "IP
                Geolocation by DB-IP" with a link to db-ip.com); GeoLite2-City, GeoLite2-Country,
                GeoLite2-ASN and the GeoIP2-… files are MaxMind's and need your account's licence
                key. Any MMDB file with their members will do, as it is, in gzip or in a .tar.gz.

                All of a file is read and checked before it takes the place of the older one of its
                type in geo/ of the data directory; visitors are looked up in one or the other at
                every moment. A running server takes the new one at once. It works on a copy of its
                own, so a file in use takes its size on disk twice.

                  clickrelay geo update dbip-city-lite dbip-asn-lite
                  clickrelay geo update --license-file /etc/clickrelay/maxmind GeoLite2-City
                  clickrelay geo update ./GeoIP2-ISP.mmdb
                """,
            run: update),
        Command(
            words: ["geo", "list"], summary: "list the location files",
            flags: [Command.jsonFlag], scope: .api, run: list),
        Command(
            words: ["geo", "lookup"], operands: "ADDRESS…", operandCount: 1...100,
            summary: "show where an IP address is",
            flags: [Command.jsonFlag], scope: .api, run: lookup),
        Command(
            words: ["geo", "reload"],
            summary: "read location files again that were put there by hand",
            flags: [Command.jsonFlag], scope: .api, run: reload),
    ]

    private static func list(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        try show(try invocation.api().call("GET", "/geo"), invocation)
    }

    private static func reload(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let answer = try invocation.api().call("POST", "/geo/load")
        _ = try show(answer, invocation)
        return hasProblem(answer) ? .partlyDone : .done
    }

    private static func lookup(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let api = try invocation.api()
        var places: [JSONValue] = []
        for address in invocation.operands {
            places.append(try api.call("GET", "/geo/lookup?ip=\(API.encoded(address))"))
        }
        if invocation.wantsJSON {
            Terminal.line(
                (places.count == 1 ? places[0] : .array(places)).encoded(pretty: true))
        } else {
            let names = ["ip", "country", "region", "city", "isp", "asn", "connection_type"]
            Terminal.out(
                TextTable.data(
                    names.map { String($0.map { $0 == "_" ? " " : $0 }).uppercased() },
                    places.map { place in names.map { Show.text(place[$0]) } }))
        }
        return .done
    }

    // MARK: Updating

    private static func update(_ invocation: Invocation) throws(CommandFailure) -> ExitCode {
        let configuration = try invocation.configuration()
        if configuration.server != nil {
            throw .usage("location files are installed on the server itself, without --server")
        }
        let directory = DataDirectory(path: configuration.dataDirectory)
        guard FileSystem.exists(directory.ledgerPath) else {
            throw CommandFailure(
                .failed,
                "\(Printable.text(directory.path)) is no data directory; name one with --data-dir")
        }
        do {
            try FileSystem.createDirectory(directory.geoPath)
        } catch {
            throw CommandFailure(.failed, error.description)
        }
        let source = try GeoSource(licenseFile: invocation.arguments.value("license-file"))
        var installed: [GeoFile] = []
        var problems: [String] = []
        for name in invocation.operands {
            do throws(CommandFailure) {
                let file = try source.install(name, in: directory.geoPath)
                Terminal.endProgress()
                Terminal.talk("installed \(file.name), built \(Show.time(file.builtAt))")
                installed.append(file)
            } catch {
                Terminal.endProgress()
                if installed.isEmpty, invocation.operands.count == 1 { throw error }
                problems.append("\(Printable.text(name)): \(error.message)")
            }
        }
        if try Invocation.isServed(configuration), !installed.isEmpty {
            let api = API(
                transport: HTTPTransport(controlSocket: configuration.controlSocketPath))
            let answer = try api.call("POST", "/geo/load")
            _ = try show(answer, invocation)
            if hasProblem(answer) { problems.append("not every file is in use") }
        } else if invocation.wantsJSON {
            Terminal.line(
                JSONValue.object([
                    JSONMember(
                        name: "installed", value: .array(installed.map { .string($0.name) }))
                ]).encoded(pretty: true))
        }
        for problem in problems { Terminal.talk("clickrelay: \(problem)") }
        if problems.isEmpty { return .done }
        return installed.isEmpty ? .failed : .partlyDone
    }

    // MARK: Output

    private static func hasProblem(_ answer: JSONValue) -> Bool {
        (answer["items"]?.arrayValue ?? []).contains { $0["problem"]?.isNull == false }
    }

    private static func show(_ answer: JSONValue, _ invocation: Invocation)
        throws(CommandFailure) -> ExitCode
    {
        if invocation.wantsJSON {
            Terminal.line(answer.encoded(pretty: true))
            return .done
        }
        let files = answer["items"]?.arrayValue ?? []
        if files.isEmpty {
            Terminal.talk("none; `clickrelay help geo update` says how to get some")
            return .done
        }
        Terminal.out(
            TextTable.data(
                ["FILE", "TYPE", "BUILT", "MB", "IN USE", "PROBLEM"],
                files.map { file in
                    [
                        Show.text(file["file"]), Show.text(file["type"]),
                        Show.time(file["built_at"]),
                        file["bytes"]?.int64Value.map { String(($0 + 999_999) / 1_000_000) } ?? "-",
                        Show.text(file["in_use"]), Show.text(file["problem"]),
                    ]
                }, right: [3]))
        return .done
    }
}

extension Show {
    /// As `time` of JSON.
    fileprivate static func time(_ instant: Instant?) -> String {
        instant.map { time(.string($0.rfc3339)) } ?? "-"
    }
}
