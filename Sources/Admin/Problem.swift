internal import Domain
internal import Store

/// Why a call is not answered with what it asked for, as RFC 9457 problem details.
struct Problem: Error, Equatable {
    /// Each kind is one status, and one value of `type` that programs can rely on.
    enum Kind: String, Sendable {
        case malformedJSON = "malformed-json"
        case unauthorized
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case conflict
        case validation
        case rateLimited = "rate-limited"
        case storageUnavailable = "storage-unavailable"
        case tookTooLong = "took-too-long"

        var status: Int {
            switch self {
            case .malformedJSON: 400
            case .unauthorized: 401
            case .notFound: 404
            case .methodNotAllowed: 405
            case .conflict: 409
            case .validation: 422
            case .rateLimited: 429
            case .storageUnavailable, .tookTooLong: 503
            }
        }

        var title: String {
            switch self {
            case .malformedJSON: "The body is not valid JSON"
            case .unauthorized: "A valid token is required"
            case .notFound: "There is no such thing"
            case .methodNotAllowed: "This can't be done here"
            case .conflict: "It contradicts what is there"
            case .validation: "Some values can't be used"
            case .rateLimited: "Too many calls failed"
            case .storageUnavailable: "The storage does not work now"
            case .tookTooLong: "It took too long"
            }
        }
    }

    let kind: Kind
    let detail: String
    var errors: [FieldError] = []
    /// The methods a path has, for `methodNotAllowed`.
    var allowed: [String] = []

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    init(_ error: ValidationError) {
        kind = .validation
        detail = error.errors
            .map { $0.field.isEmpty ? "the body \($0.message)" : "\($0.field) \($0.message)" }
            .joined(separator: "; ")
        errors = error.errors
    }

    init(_ field: String, _ message: String) { self.init(ValidationError(field, message)) }

    /// The same call would take as long again.
    static let tookTooLong = Problem(
        .tookTooLong,
        "reading it took longer than \(Readers.answerSecondsMax) seconds; ask for a shorter period, "
            + "or filter by something narrower, such as a campaign or an ID")

    /// The one place where the store's errors become answers.
    init(_ error: StoreError) {
        switch error {
        case .invalid(let validation): self.init(validation)
        case .notFound(let what): self.init(.notFound, what)
        case .conflict(let what): self.init(.conflict, what)
        case .storage, .unreadable: self.init(.storageUnavailable, error.description)
        }
    }

    var response: APIResponse {
        var document: [JSONMember] = [
            JSONMember(name: "type", value: .string("urn:clickrelay:problem:\(kind.rawValue)")),
            JSONMember(name: "title", value: .string(kind.title)),
            JSONMember(name: "status", value: .integer(kind.status)),
            JSONMember(name: "detail", value: .string(detail)),
        ]
        if !errors.isEmpty {
            let items = errors.map {
                JSONValue.object(["field": .string($0.field), "message": .string($0.message)])
            }
            document.append(JSONMember(name: "errors", value: .array(items)))
        }
        var response = APIResponse(.object(document), status: kind.status)
        response.headers = [("Content-Type", "application/problem+json")]
        switch kind {
        case .unauthorized:
            response.headers.append(("WWW-Authenticate", "Bearer realm=\"clickrelay\""))
        case .methodNotAllowed:
            response.headers.append(("Allow", allowed.joined(separator: ", ")))
        case .storageUnavailable: response.headers.append(("Retry-After", "1"))
        case .rateLimited:
            response.headers.append(("Retry-After", "\(FailureLimiter.retryAfterSeconds)"))
        case .malformedJSON, .notFound, .conflict, .validation, .tookTooLong: break
        }
        return response
    }
}
