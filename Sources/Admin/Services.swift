public import Domain
public import Store

/// What the API needs and must not reach by itself: cryptography, the clock, and the parts of the
/// program whose state it shows.
public struct Services: Sendable {
    public var clickIDs: any ClickIDSealing
    /// Of received calls, for replays and for conversions that are entered by hand.
    public var rules: any PostbackRules
    public var sha256: @Sendable ([UInt8]) -> [UInt8]
    /// In lower-case hexadecimal digits, as `{sha256:…}` gives it.
    public var sha256Hex: @Sendable (ArraySlice<UInt8>) -> [UInt8]
    /// A new secret bearer token, in characters that need no encoding.
    public var newToken: @Sendable () -> String
    /// The secret part of a new network's postback URL, fit to stand in a path.
    public var newPostbackKey: @Sendable () -> String
    /// A new secret of a webhook, as `WebhookSecret` reads it.
    public var newWebhookSecret: @Sendable () -> String
    public var now: @Sendable () -> Instant
    /// Where visitors and networks reach this installation: `https://t.example`.
    public var publicURL: @Sendable () -> String
    public var directory: DataDirectory
    public var version: String
    public var startedAt: Instant
    /// Clicks on their way to the disk, and those held because it fails.
    public var clickDepth: @Sendable () -> (queued: Int, held: Int) = { (0, 0) }
    public var clickCache: @Sendable () -> CacheUse = { CacheUse(bytes: 0, bytesMax: 0) }
    /// Nil while clicks can be stored.
    public var clickFailure: @Sendable () -> String? = { nil }
    /// What is taken of the scope's caps; nil where it has none.
    public var capUsage: @Sendable (CapScope) -> CapUsage? = { _ in nil }
    /// More members of the status's `outbound`, from the dispatcher.
    public var outboundStatus: @Sendable () -> [JSONMember] = { [] }
    /// Calls a delivery's receiver once and answers, on any thread, with what there was to see.
    public var testCall: TestCall = { $1(.failure(.conflict("nobody is there to call"))) }
    public typealias TestCall =
        @Sendable (
            _ delivery: Delivery,
            _ answer: @escaping @Sendable (Result<JSONValue, StoreError>) -> Void
        ) -> Void
    /// Tells what would become of a visit to a campaign of the catalog; on a reader's thread.
    public var simulate: Simulate = { _, _, _, _ throws(StoreError) in
        throw .conflict("nobody is there to tell")
    }
    public typealias Simulate =
        @Sendable (SampleVisit, Stored<Campaign>, Catalog, _ now: Instant) throws(StoreError) ->
        SimulatedVisit
    public var geo = GeoServices()
    /// Of senders whose calls fail, shared with those of networks.
    public var limiter = FailureLimiter()

    public init(
        clickIDs: any ClickIDSealing, rules: any PostbackRules,
        sha256: @escaping @Sendable ([UInt8]) -> [UInt8],
        sha256Hex: @escaping @Sendable (ArraySlice<UInt8>) -> [UInt8],
        newToken: @escaping @Sendable () -> String,
        newPostbackKey: @escaping @Sendable () -> String,
        newWebhookSecret: @escaping @Sendable () -> String,
        now: @escaping @Sendable () -> Instant, publicURL: @escaping @Sendable () -> String,
        directory: DataDirectory, version: String, startedAt: Instant
    ) {
        self.clickIDs = clickIDs
        self.rules = rules
        self.sha256 = sha256
        self.sha256Hex = sha256Hex
        self.newToken = newToken
        self.newPostbackKey = newPostbackKey
        self.newWebhookSecret = newWebhookSecret
        self.now = now
        self.publicURL = publicURL
        self.directory = directory
        self.version = version
        self.startedAt = startedAt
    }

    /// The member that tells what is taken of an entity's caps, and of its paths': null without any.
    func capsUsed(_ scope: CapScope?, paths: [(CampaignID, name: String)]) -> [JSONMember] {
        var members = scope.flatMap { capUsage($0) }?.members ?? []
        let used = paths.compactMap { campaignID, name in
            capUsage(.path(campaignID, name: name)).map {
                JSONValue.object([JSONMember(name: "name", value: .string(name))] + $0.members)
            }
        }
        if !used.isEmpty { members.append(JSONMember(name: "paths", value: .array(used))) }
        return [
            JSONMember(
                name: TrafficCaps.usedName, value: members.isEmpty ? .null : .object(members))
        ]
    }

    /// `path` under the public URL.
    func publicURL(_ path: String) -> String {
        let base = publicURL()
        return (base.hasSuffix("/") ? String(base.dropLast()) : base) + path
    }
}
