internal import Domain

/// What is said of one route beyond its method.
struct RouteNote {
    let method: String
    /// With the names of its open parts: `/clicks/{click_id}`.
    let path: String
    let summary: String
    /// Names of `QueryNotes`.
    let query: [String]
    let body: JSONValue?
    let bodyIsOptional: Bool
    let answer: JSONValue
    let answerText: String
    let status: Int

    /// - Parameters:
    ///   - body: a schema's name; `answer` too, or `[Name]` for a page of such.
    init(
        _ method: String, _ path: String, _ summary: String, query: [String] = [],
        body: String? = nil, bodyIsOptional: Bool = false, answer: String = "Object",
        status: Int = 200
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.query = query
        self.body = body.map { OpenAPISchemas.named($0) }
        self.bodyIsOptional = bodyIsOptional
        self.answer = OpenAPISchemas.named(answer)
        answerText = answer.hasPrefix("[") ? "A page of them" : "As it is now"
        self.status = status
    }

    /// The path's first part: what belongs together.
    var tag: String { path.split(separator: "/").first.map(String.init) ?? "" }

    var openParts: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
            String($0.dropFirst().dropLast())
        }
    }

    /// As the route table writes it.
    var pattern: [String] {
        path.split(separator: "/").map { $0.hasPrefix("{") ? "{}" : String($0) }
    }
}

/// A parameter of a query, the same wherever it is taken.
struct QueryNote {
    let name: String
    let meaning: String
    let schema: JSONValue

    var json: JSONValue {
        [
            "name": .string(name), "in": "query", "required": false,
            "description": .string(meaning), "schema": schema,
        ]
    }
}
