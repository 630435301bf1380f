internal import Domain
internal import Store

/// The API's own tokens. The secret itself is shown once, when it is made; only its SHA-256 is kept.
enum TokenResource {
    static let nameMax = 100

    static let routes = [
        Route("GET", "/tokens", list), Route("POST", "/tokens", create),
        Route("DELETE", "/tokens/{}", revoke),
    ]

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        let cursor = query.cursor() ?? 0
        return .read { reader throws(StoreError) in
            let tokens = try reader.tokens().filter { $0.id > cursor }
            return .page(tokens, limit: limit, cursor: \.id) { json($0) }
        }
    }

    @Sendable private static func create(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let name = try name(try call.document())
        let secret = call.services.newToken()
        let digest = call.services.sha256(Array(secret.utf8))
        return .write { transaction throws(StoreError) in
            let token = try transaction.addToken(
                name: name, sha256: digest, at: call.services.now())
            return .done(
                APIResponse(
                    [
                        "id": .integer(token.id), "name": .string(token.name),
                        "token": .string(secret), "created_at": token.createdAt.json,
                    ], status: 201))
        }
    }

    @Sendable private static func revoke(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let nameOrID = call.parameter()
        return .write { transaction throws(StoreError) in
            let revoked = try transaction.revokeTokens(nameOrID, at: call.services.now())
            return .done(.page(revoked.map(json), nextCursor: nil))
        }
    }

    private static func name(_ document: JSONValue) throws(Problem) -> String {
        guard let members = document.objectValue else { throw Problem("", "must be a JSON object") }
        for member in members where member.name != "name" {
            throw Problem(member.name, "is not a known field; there is only \"name\"")
        }
        guard let name = document["name"]?.stringValue, (1...nameMax).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        else {
            throw Problem(
                "name", "must be a text of 1 to \(nameMax) bytes without control characters")
        }
        // Tokens are revoked by name or number, and must not be mistaken for one another.
        guard !name.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw Problem("name", "must not be a number")
        }
        return name
    }

    private static func json(_ token: APIToken) -> JSONValue {
        [
            "id": .integer(token.id), "name": .string(token.name),
            "created_at": token.createdAt.json, "revoked_at": token.revokedAt?.json ?? .null,
        ]
    }
}
