internal import Domain

/// `GET /openapi.json`: what there is, for programs and their makers (OpenAPI 3.1.0).
///
/// Paths come from the route table and schemas from sample documents that went through the same
/// code as everybody's, so that neither can fall behind.
enum OpenAPIResource {
    static let routes = [Route("GET", "/openapi.json", show)]

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        .done(APIResponse(document(version: call.services.version)))
    }

    static func document(version: String) -> JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Clickrelay", "version": .string(version),
                "description": .string(description),
            ],
            "servers": [["url": .string(String(Router.prefix.dropLast()))]],
            "security": [["token": []]],
            "paths": paths,
            "components": [
                "securitySchemes": [
                    "token": [
                        "type": "http", "scheme": "bearer",
                        "description": "made by `clickrelay token create NAME`",
                    ]
                ],
                "parameters": .object(
                    QueryNotes.all.map { JSONMember(name: $0.name, value: $0.json) }),
                "responses": ["Problem": problem],
                "schemas": .object(OpenAPISchemas.all),
            ],
        ]
    }

    private static let description = """
        PUT replaces, PATCH merges (RFC 7396), DELETE archives. A change takes effect for the next \
        click after the response. Amounts are decimal strings, times RFC 3339 in UTC. Entities name \
        one another by key. Lists go on with ?cursor= of the page before's next_cursor; where many \
        rows had to be looked at, a page with one may have few items or none.
        """

    private static let problem: JSONValue = [
        "description": "What is wrong, by field where there are such (RFC 9457)",
        "content": [
            "application/problem+json": ["schema": OpenAPISchemas.reference("Problem")]
        ],
    ]

    private static var paths: JSONValue {
        var paths: [JSONMember] = []
        for route in Routes.all {
            guard let note = RouteNotes.note(route) else { continue }
            let operation = JSONMember(
                name: route.method.lowercased(), value: operation(route, note))
            if let index = paths.firstIndex(where: { $0.name == note.path }) {
                paths[index].value = .object((paths[index].value.objectValue ?? []) + [operation])
            } else {
                paths.append(JSONMember(name: note.path, value: [operation.name: operation.value]))
            }
        }
        return .object(paths)
    }

    private static func operation(_ route: Route, _ note: RouteNote) -> JSONValue {
        var members = [
            JSONMember(name: "summary", value: .string(note.summary)),
            JSONMember(name: "tags", value: [.string(note.tag)]),
        ]
        let parameters =
            note.openParts.map { name -> JSONValue in
                [
                    "name": .string(name), "in": "path", "required": true,
                    "schema": ["type": "string"],
                ]
            } + note.query.map { ["$ref": .string("#/components/parameters/\($0)")] }
        if !parameters.isEmpty {
            members.append(JSONMember(name: "parameters", value: .array(parameters)))
        }
        if let body = note.body {
            members.append(
                JSONMember(
                    name: "requestBody",
                    value: [
                        "required": .bool(!note.bodyIsOptional),
                        "content": ["application/json": ["schema": body]],
                    ]))
        }
        members.append(
            JSONMember(
                name: "responses",
                value: [
                    "\(note.status)": [
                        "description": .string(note.answerText),
                        "content": ["application/json": ["schema": note.answer]],
                    ],
                    "default": ["$ref": "#/components/responses/Problem"],
                ]))
        return .object(members)
    }
}
