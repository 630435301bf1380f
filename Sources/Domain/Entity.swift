/// What the administration API keeps by key: sources, networks, offers and campaigns.
public protocol Entity: Sendable {
    /// `source`, as in answers, commands and table names.
    static var kind: String { get }
    var key: EntityKey { get }
    var name: String { get }
    /// The API's JSON, with every default written out. Reading it back gives the same entity.
    var document: JSONValue { get }
    /// - Throws: `ValidationError` with every problem of the document at once.
    init(document: JSONValue) throws(ValidationError)
}

/// An entity with what the installation adds to it.
public struct Stored<Value: Entity>: Sendable {
    public let id: RowID<Value>
    public let value: Value
    public let createdAt: Instant
    public let updatedAt: Instant
    /// Archived entities take no new clicks, keep their numbers and can be shown.
    public let archivedAt: Instant?

    public init(
        id: RowID<Value>, value: Value, createdAt: Instant, updatedAt: Instant, archivedAt: Instant?
    ) {
        self.id = id
        self.value = value
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.archivedAt = archivedAt
    }

    public var isArchived: Bool { archivedAt != nil }
}

extension DocumentReader {
    /// Members that every answer carries; a document that was read back may still hold them.
    mutating func ignoreReadOnly() {
        ignore("id", "created_at", "updated_at", "archived_at", "archived")
    }
}
