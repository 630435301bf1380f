internal import Domain

/// Everything the API answers to.
enum Routes {
    static let all: [Route] =
        EntityResource<Source>.routes + EntityResource<Network>.routes
        + EntityResource<Offer>.routes + EntityResource<Campaign>.routes
        + TokenResource.routes
}
