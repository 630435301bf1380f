internal import Domain
internal import Store

/// How the installation is: versions, queues, sizes. Answered also while the storage fails, for
/// that is when people look.
enum StatusResource {
    static let routes = [Route("GET", "/status", status)]

    @Sendable private static func status(_ call: Call, _ query: inout QueryReader) throws(Problem)
        -> Work
    {
        .glance { reader throws(StoreError) in APIResponse(json(call, reader)) }
    }

    private static func json(_ call: Call, _ reader: LedgerReader) -> JSONValue {
        let services = call.services
        var readFailure: String?
        var backlog: DeliveryBacklog?
        var strays: Int64?
        var schemaVersion: Int64?
        do {
            backlog = try reader.backlog()
            strays = try reader.strayPostbackCount()
            schemaVersion = try reader.schemaVersion()
        } catch {
            readFailure = error.description
        }
        let clicks = services.clickDepth()
        let bytes = services.directory.databaseBytes()
        let uptime = services.now() - services.startedAt
        return [
            "version": .string(services.version),
            "schema_version": number(schemaVersion),
            "started_at": services.startedAt.json,
            "uptime_seconds": .integer(max(0, uptime.components.seconds)),
            "clicks": [
                "queued": .integer(clicks.queued), "held": .integer(clicks.held),
                "failure": .string(orNull: services.clickFailure()),
            ],
            "ledger": [
                "queued": .integer(call.api.ledger.depth),
                "failure": .string(orNull: call.api.ledger.failure ?? readFailure),
            ],
            "outbound": .object(
                [
                    JSONMember(name: "waiting", value: number(backlog?.waiting)),
                    JSONMember(name: "dead", value: number(backlog?.dead)),
                    JSONMember(name: "oldest_due_at", value: backlog?.oldestDueAt?.json ?? .null),
                    JSONMember(
                        name: "pauses", value: .array(call.catalog.pauses.lasting.map(\.json))),
                ] + services.outboundStatus()),
            "rate_limited": .integer(services.limiter.refusedCount),
            "stray_postbacks": number(strays),
            "disk": ["free_bytes": number(services.directory.freeBytes)],
            "databases": [
                "ledger_bytes": .integer(bytes.ledger), "clicks_bytes": .integer(bytes.clicks),
            ],
            "caches": [
                "ledger": json(call.api.ledger.cache), "clicks": json(services.clickCache()),
            ],
        ]
    }

    private static func json(_ cache: CacheUse) -> JSONValue {
        ["bytes": .integer(cache.bytes), "bytes_max": .integer(cache.bytesMax)]
    }

    private static func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
}
