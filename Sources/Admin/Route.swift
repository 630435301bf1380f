internal import Domain
internal import Store

/// What is left to do for a call once it has been understood.
enum Work: Sendable {
    case done(APIResponse)
    /// On a reader's thread.
    case read(@Sendable (LedgerReader) throws(StoreError) -> APIResponse)
    /// On a reader's thread that has nothing to do that takes long.
    case glance(@Sendable (LedgerReader) throws(StoreError) -> APIResponse)
    /// On a reader's thread; what it returns is done next.
    case prepare(@Sendable (LedgerReader) throws(StoreError) -> Work)
    /// As a job of the ledger; what it returns is done after the commit.
    case write(@Sendable (LedgerTransaction) throws(StoreError) -> Work)
    /// Answered by somebody else, once, on any thread.
    case wait(@Sendable (_ answer: @escaping @Sendable (APIResponse) -> Void) -> Void)
}

/// One call, with the parts of its path that its route leaves open.
struct Call: Sendable {
    let api: AdminAPI
    let request: APIRequest
    /// Decoded, byte for byte.
    let parameters: [[UInt8]]

    var services: Services { api.services }
    var catalog: Catalog { api.ledger.catalog }

    /// An open part of the path as text. The route table says how many there are.
    func parameter(_ index: Int = 0) -> String {
        String(decoding: parameters[index], as: UTF8.self)
    }

    /// The body, which has to be JSON; its bytes must be UTF-8 and no deeper than 64 levels.
    func document() throws(Problem) -> JSONValue {
        do {
            return try JSONValue(parsing: request.body)
        } catch {
            throw Problem(
                .malformedJSON,
                request.body.isEmpty ? "the body is empty; send JSON" : error.description)
        }
    }
}

/// A method and a path with what to do about them. `{}` stands for one open part.
struct Route: Sendable {
    /// Understands the call; nothing may be changed before the query was found to be right too.
    typealias Action = @Sendable (Call, inout QueryReader) throws(Problem) -> Work

    let method: String
    let pattern: [String]
    let action: Action

    init(_ method: String, _ pattern: String, _ action: @escaping Action) {
        self.method = method
        self.pattern = pattern.split(separator: "/").map(String.init)
        self.action = action
    }

    /// The open parts' values; nil for another path.
    func match(_ segments: [[UInt8]]) -> [[UInt8]]? {
        guard segments.count == pattern.count else { return nil }
        var parameters: [[UInt8]] = []
        for (segment, expected) in zip(segments, pattern) {
            if expected == "{}" {
                if segment.isEmpty { return nil }
                parameters.append(segment)
            } else if !segment.elementsEqual(expected.utf8) {
                return nil
            }
        }
        return parameters
    }
}

/// Finds the route of a call.
enum Router {
    static let prefix = "/api/v1/"

    /// - Throws: `.notFound` for a path, `.methodNotAllowed` for a method that is not in the table.
    static func find(_ request: APIRequest, in routes: [Route])
        throws(Problem) -> (Route, [[UInt8]])
    {
        let segments = segments(request.path)
        // The server sends no body to HEAD; otherwise it is GET (RFC 9110 section 9.3.2).
        let method = request.method == "HEAD" ? "GET" : request.method
        var allowed: [String] = []
        for route in routes {
            guard let parameters = route.match(segments) else { continue }
            if route.method == method { return (route, parameters) }
            allowed.append(route.method)
        }
        guard !allowed.isEmpty else {
            throw Problem(.notFound, "there is nothing at \(request.path)")
        }
        if allowed.contains("GET") { allowed.append("HEAD") }
        allowed.append("OPTIONS")
        var problem = Problem(
            .methodNotAllowed,
            "\(request.path) takes \(allowed.joined(separator: ", ")), not \(request.method)")
        problem.allowed = allowed
        throw problem
    }

    private static func segments(_ path: String) -> [[UInt8]] {
        guard path.hasPrefix(prefix) else { return [] }
        return path.dropFirst(prefix.count).utf8
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { segment in
                Array(segment).withUnsafeBytes {
                    PercentEncoding.decode($0, plusIsSpace: false)
                }
            }
    }
}
