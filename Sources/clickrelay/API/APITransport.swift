internal import Domain

/// One answer of the administration API.
struct APIAnswer: Sendable {
    let status: Int
    /// `.null` where the answer has no body.
    let body: JSONValue

    var isSuccess: Bool { (200...299).contains(status) }
}

/// A way to the administration API; commands don't know which one they use.
protocol APITransport {
    /// Sends one request and waits for its answer.
    ///
    /// - Parameter path: path and query from the root: `/api/v1/sources?limit=1000`.
    /// - Throws: only where there is no answer; an answer that refuses is an answer.
    func call(_ method: String, _ path: String, body: JSONValue?) throws(CommandFailure)
        -> APIAnswer
}

/// The API as commands use it: paths below `/api/v1`, and refusals as failures with the exit code
/// that the contract gives them.
struct API {
    let transport: any APITransport

    /// - Parameter path: below `/api/v1`, with its query: `/sources/push`.
    func answer(_ method: String, _ path: String, body: JSONValue? = nil) throws(CommandFailure)
        -> APIAnswer
    {
        try transport.call(method, "/api/v1" + path, body: body)
    }

    /// The body of a successful answer.
    @discardableResult
    func call(_ method: String, _ path: String, body: JSONValue? = nil) throws(CommandFailure)
        -> JSONValue
    {
        let answer = try answer(method, path, body: body)
        guard answer.isSuccess else { throw Self.failure(answer) }
        return answer.body
    }

    /// Nil for 404.
    func find(_ path: String) throws(CommandFailure) -> JSONValue? {
        let answer = try answer("GET", path)
        if answer.status == 404 { return nil }
        guard answer.isSuccess else { throw Self.failure(answer) }
        return answer.body
    }

    struct Page {
        var items: [JSONValue] = []
        /// Where the list goes on; nil at its end.
        var nextCursor: String?

        var json: JSONValue {
            .object(["items": .array(items), "next_cursor": .string(orNull: nextCursor)])
        }
    }

    /// At most `count` items of a list, in as many requests as it takes; nil for all of them.
    ///
    /// - Parameter query: `name=value` pairs already encoded.
    func list(
        _ path: String, query: [String] = [], count: Int? = nil, cursor: String? = nil
    ) throws(CommandFailure) -> Page {
        var page = Page(nextCursor: cursor)
        repeat {
            let wanted = min(count.map { $0 - page.items.count } ?? Self.pageMax, Self.pageMax)
            var pairs = query + ["limit=\(wanted)"]
            if let cursor = page.nextCursor { pairs.append("cursor=\(Self.encoded(cursor))") }
            let body = try call("GET", path + "?" + pairs.joined(separator: "&"))
            guard let items = body["items"]?.arrayValue else {
                throw CommandFailure(.failed, "GET \(path) answered without items")
            }
            page.items += items
            let next = body["next_cursor"]
            page.nextCursor = next?.stringValue ?? next?.numberText
        } while page.nextCursor != nil && page.items.count < count ?? .max
        return page
    }

    private static let pageMax = 1_000

    /// One path segment or query value.
    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        PercentEncoding.append(text.utf8, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Refusals

    static func failure(_ answer: APIAnswer) -> CommandFailure {
        CommandFailure(exitCode(answer.status), problem(answer))
    }

    static func exitCode(_ status: Int) -> ExitCode {
        switch status {
        case 200...299: .done
        case 404: .notFound
        case 429, 503: .tryAgain
        case 400...499: .refused
        default: .failed
        }
    }

    /// RFC 9457 as text: what is wrong, and each field with its message on a line of its own.
    static func problem(_ answer: APIAnswer) -> String {
        let body = answer.body
        let errors = body["errors"]?.arrayValue ?? []
        let detail = body["detail"]?.stringValue
        let title = body["title"]?.stringValue
        // The detail says the same as the list, in one line: better for one error, worse for many.
        var text =
            (errors.count > 1 ? title ?? detail : detail ?? title)
            ?? "the server answered \(answer.status)"
        if answer.status == 401 { text += " (--token or \(Setting.token.variable))" }
        for error in errors where errors.count > 1 {
            let field = error["field"]?.stringValue ?? ""
            text += "\n  \(field): \(error["message"]?.stringValue ?? "is wrong")"
        }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { Printable.text($0) }.joined(separator: "\n")
    }
}
