internal import Domain
internal import Store

/// `/templates/sources`: what is known of traffic sources before an account with them exists.
enum SourceTemplateResource {
    static let routes = [
        Route("GET", "/templates/sources", list), Route("GET", "/templates/sources/{}", show),
    ]

    @Sendable private static func list(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        let limit = query.limit()
        // The cursor is the number of the last entry shown, from 1.
        let start = Int(exactly: query.cursor() ?? 0) ?? .max
        let items = SourceTemplates.all.enumerated().dropFirst(start).prefix(limit + 1)
        return .done(
            .page(Array(items), limit: limit, cursor: { Int64($0.offset + 1) }) {
                $0.element.document
            })
    }

    @Sendable private static func show(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        guard let template = SourceTemplates.named(call.parameter()) else {
            throw Problem(
                .notFound, "source template " + SourceTemplates.unknown(call.parameter()))
        }
        return .done(APIResponse(template.document))
    }
}
