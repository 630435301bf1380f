/// An affiliate network: knows its postback key and reports conversions the ways networks do.
public struct FakeNetwork: Sendable {
    public let tracker: TrackerProcess
    public let key: String

    public init(tracker: TrackerProcess, key: String) {
        self.tracker = tracker
        self.key = key
    }

    /// How the parameters travel.
    public enum Carrier: Sendable, CaseIterable { case query, form, json }

    /// One postback with these parameters, properly encoded.
    public func report(
        _ parameters: KeyValuePairs<String, String>, as carrier: Carrier = .query
    ) throws -> PostbackAnswer {
        try report(parameters.map { ($0.key, $0.value) }, as: carrier)
    }

    public func report(
        _ parameters: [(String, String)], as carrier: Carrier = .query
    ) throws -> PostbackAnswer {
        let encoded = parameters.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }
            .joined(separator: "&")
        return switch carrier {
        case .query: try call(encoded)
        case .form: try PostbackAnswer(tracker.post("/postback/\(key)", form: encoded))
        case .json:
            try PostbackAnswer(
                tracker.post(
                    "/postback/\(key)",
                    json: .object(
                        Dictionary(parameters.map { ($0.0, .string($0.1)) }) { first, _ in first }))
            )
        }
    }

    /// One postback with a query that goes out as it's written here.
    public func call(_ query: String) throws -> PostbackAnswer {
        try PostbackAnswer(tracker.get("/postback/\(key)?\(query)"))
    }
}

/// The tracker's answer to a postback.
public struct PostbackAnswer: Sendable {
    public let response: HTTPResponse
    public let json: JSON

    public init(_ response: HTTPResponse) throws {
        self.response = response
        json = try response.json
    }

    public var status: Int { response.status }
    public var verdict: String { json["verdict"].string ?? "(none)" }
    public var message: String { json["message"].string ?? "" }
    public var conversion: String? { json["conversion"].id }
    public var revision: Int? { json["revision"].int }
    public var postback: String? { json["postback"].id }
}
