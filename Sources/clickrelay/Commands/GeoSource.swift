internal import Domain
internal import HTTP
internal import Net
internal import SQLite
internal import Visitors

/// Where a location file that somebody names comes from.
struct GeoSource {
    /// Of the account whose files are downloaded; nil: none is needed.
    private let authorization: String?

    private static let bytesMax = 2 << 30
    private static let timeoutMilliseconds = 30 * 60_000
    private static let redirectsMax = 5

    init(licenseFile: String?) throws(CommandFailure) {
        guard let licenseFile else {
            authorization = nil
            return
        }
        let bytes: [UInt8]
        do {
            bytes = try FileSystem.read(licenseFile, bytesMax: 4_096)
        } catch {
            throw CommandFailure(.failed, error.description)
        }
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        let parts = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), line.allSatisfy({ $0 > 0x20 })
        else {
            throw CommandFailure(
                .failed,
                "the first line of \(Printable.text(licenseFile)) must be ACCOUNT_ID:LICENSE_KEY")
        }
        authorization = "Basic " + Base64.encode(Array(line))
    }

    /// Downloads or reads what is named so and installs it.
    func install(_ name: String, in directory: String) throws(CommandFailure) -> GeoFile {
        let installer = GeoInstaller(directory: directory)
        let bytes = try bytes(name)
        do throws(GeoError) {
            guard let bytes else { return try installer.install(file: name) }
            return try installer.install(bytes: try GeoArchive.database(in: bytes))
        } catch {
            throw CommandFailure(.failed, error.message)
        }
    }

    /// Nil for a file that needs no unpacking.
    private func bytes(_ name: String) throws(CommandFailure) -> [UInt8]? {
        if name.hasPrefix("http://") || name.hasPrefix("https://") { return try download(name) }
        if let file = Self.freeFiles.first(where: { $0 == name.lowercased() }) {
            return try downloadOfThisMonth(file)
        }
        if !name.contains("/"), name.hasPrefix("GeoLite2-") || name.hasPrefix("GeoIP2-"),
            !name.hasSuffix(".mmdb"), !name.hasSuffix(".gz"), !FileSystem.exists(name)
        {
            guard authorization != nil else {
                throw .usage(
                    "\(Printable.text(name)) needs --license-file: MaxMind gives its files to "
                        + "account holders only, GeoLite2 for free")
            }
            return try download(
                "https://download.maxmind.com/geoip/databases/\(API.encoded(name))/download"
                    + "?suffix=tar.gz")
        }
        guard FileSystem.exists(name) else {
            let hint = NearestName.suggestion(for: name, among: Self.freeFiles)
            throw CommandFailure(
                .notFound,
                "there is no file \(Printable.text(name))"
                    + (hint.map { "; did you mean \($0)?" } ?? ""))
        }
        guard name.hasSuffix(".gz") || name.hasSuffix(".tgz") || name.hasSuffix(".tar") else {
            return nil
        }
        do {
            return try FileSystem.read(name, bytesMax: Self.bytesMax)
        } catch {
            throw CommandFailure(.failed, error.description)
        }
    }

    /// DB-IP's, as db-ip.com/db/lite.php names them.
    private static let freeFiles = ["dbip-city-lite", "dbip-country-lite", "dbip-asn-lite"]

    /// A month's file appears some time on its first day.
    private func downloadOfThisMonth(_ file: String) throws(CommandFailure) -> [UInt8] {
        let today = Installation.now().day
        let months = [today, today.advanced(by: -today.civil.day)].map { $0.text.prefix(7) }
        func url(_ month: Substring) -> String {
            "https://download.db-ip.com/free/\(file)-\(month).mmdb.gz"
        }
        do throws(CommandFailure) {
            return try download(url(months[0]), authorizes: false)
        } catch {
            guard error.code == .notFound else { throw error }
            return try download(url(months[1]), authorizes: false)
        }
    }

    /// - Parameter authorizes: whether the licence key may be sent to that URL.
    private func download(_ text: String, authorizes: Bool = true) throws(CommandFailure)
        -> [UInt8]
    {
        var target = text
        var isSecure = false
        for hop in 0...Self.redirectsMax {
            let url = try Self.url(target)
            if isSecure, url.scheme == .http {
                throw .failed("\(Printable.text(text)) leads on to http, where anybody may answer")
            }
            Terminal.progress("downloading \(Printable.text(url.host))…")
            // The key is for the host that was named, not for where it keeps its files.
            let isOwn = authorizes && hop == 0
            if isOwn, authorization != nil, url.scheme == .http, !Self.isLoopback(url.host) {
                throw .usage("the licence key is not sent over http: name an https URL")
            }
            let response = try Self.response(
                url, headers: isOwn ? authorization.map { [("Authorization", $0)] } ?? [] : [])
            switch response.status {
            case 200:
                guard !response.isTruncated else {
                    throw .failed("\(url.authority) sent more than 2 GiB, or not all of the file")
                }
                return response.body
            case 301, 302, 303, 307, 308:
                guard let location = response.headers["Location"] else {
                    throw .failed("\(url.authority) redirects to nowhere")
                }
                target = Self.target(of: location, from: url)
                isSecure = url.scheme == .https
            case 401, 403:
                throw CommandFailure(
                    .refused,
                    "\(url.authority) answered \(response.status): is the licence key right?")
            case 404:
                throw CommandFailure(
                    .notFound, "\(url.authority) answered 404: there is no such file")
            default:
                throw CommandFailure(
                    .failed, "\(url.authority) answered \(response.status)")
            }
        }
        throw .failed("\(Printable.text(text)) redirects too often")
    }

    /// What never leaves this machine can't be read on its way.
    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost"
            || IPAddress(host).flatMap { AddressPolicy.refusal(of: $0) }?
                .hasSuffix("a loopback address") == true
    }

    /// Where a redirect leads: to a URL, or to another host or path of the same kind.
    private static func target(of location: String, from url: URL) -> String {
        if location.hasPrefix("//") { return "\(url.scheme.rawValue):\(location)" }
        if location.hasPrefix("/") {
            return "\(url.scheme.rawValue)://\(url.authority)\(location)"
        }
        return location
    }

    private static func url(_ text: String) throws(CommandFailure) -> URL {
        do {
            return try URL(text)
        } catch {
            throw .failed("\(Printable.text(text)) is no URL: \(error.text)")
        }
    }

    private static func response(_ url: URL, headers: [(String, String)]) throws(CommandFailure)
        -> ClientResponse
    {
        var options = ClientRequest.Options()
        options.connectTimeoutMilliseconds = 30_000
        options.timeoutMilliseconds = timeoutMilliseconds
        options.bodyReadMax = bytesMax
        options.bodyKeptMax = bytesMax
        options.usesOwnConnection = true
        do {
            let request = try ClientRequest("GET", url, headers: headers, options: options)
            let tls = url.scheme == .https ? try TLSContext.client() : nil
            return try Client.perform(request, tls: tls).get()
        } catch let error as ClientError {
            throw .failed("\(url.authority): \(error.text)")
        } catch let error as TLSError {
            throw .failed("TLS can't be used: \(error.text)")
        } catch {
            throw .failed("\(url.authority): \(error)")
        }
    }
}
