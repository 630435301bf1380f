/// What would become of a sample visit: nothing of it was recorded or counted.
public struct SimulatedVisit: Sendable {
    public let clickID: ClickID
    public let at: Instant
    /// The visitor's, whatever of it would be kept.
    public let ip: IPAddress?
    public let visit: VisitKind
    public let device: Device
    public let place: Place
    public let version: Int64
    public let routing: RoutingExplanation
    public let end: End
    /// As it would be stored, if `isRecorded`.
    public let click: Click
    public let isRecorded: Bool
    public let answer: Answer
    public let addresses: [Address]
    /// Of everything that its flow leads to.
    public let caps: [CapState]

    /// Where the visitor is sent.
    public enum End: Sendable {
        case path(PathEnd)
        /// A recorded click without an offer, and why.
        case fallback(Fallback, because: String)
        /// A 404, and why; a recorded click all the same, if `isRecorded`.
        case nowhere(because: String)
    }

    public enum Fallback: String, Sendable {
        case campaign
        case domain
    }

    public struct PathEnd: Sendable {
        public let decision: Decision
        public let pathName: String?
        public let lander: EntityKey?
        /// Also where a lander comes first.
        public let offer: EntityKey
        /// Chosen by weight, but full.
        public let overflowOf: EntityKey?

        public init(
            decision: Decision, pathName: String?, lander: EntityKey?, offer: EntityKey,
            overflowOf: EntityKey?
        ) {
            self.decision = decision
            self.pathName = pathName
            self.lander = lander
            self.offer = offer
            self.overflowOf = overflowOf
        }
    }

    /// What the visitor's browser is answered, cookies apart.
    public struct Answer: Sendable {
        public let status: Int
        public let headers: [(name: String, value: String)]
        public let body: String

        public init(status: Int, headers: [(name: String, value: String)], body: String) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// A URL after substitution.
    public struct Address: Sendable {
        public enum Kind: Sendable {
            case lander(EntityKey)
            case offer(EntityKey)
            case fallback
        }

        public let kind: Kind
        /// Of a lander's links, which lead there; nil: the visitor is sent there at once.
        public let number: Int?
        public let template: String
        public let url: String
        /// The tokens that were left empty, as `{name}`.
        public let emptyTokens: [String]

        public init(
            _ kind: Kind, number: Int? = nil, template: String, url: String, emptyTokens: [String]
        ) {
            self.kind = kind
            self.number = number
            self.template = template
            self.url = url
            self.emptyTokens = emptyTokens
        }
    }

    public struct CapState: Sendable {
        public enum Of: Sendable {
            case campaign
            case path(String)
            case offer(EntityKey)
        }

        public let of: Of
        public let caps: TrafficCaps
        public let usage: CapUsage
        public let isOpen: Bool

        public init(of: Of, caps: TrafficCaps, usage: CapUsage, isOpen: Bool) {
            self.of = of
            self.caps = caps
            self.usage = usage
            self.isOpen = isOpen
        }
    }

    public init(
        clickID: ClickID, at: Instant, ip: IPAddress?, visit: VisitKind, device: Device,
        place: Place, version: Int64, routing: RoutingExplanation, end: End, click: Click,
        isRecorded: Bool, answer: Answer, addresses: [Address], caps: [CapState]
    ) {
        self.clickID = clickID
        self.at = at
        self.ip = ip
        self.visit = visit
        self.device = device
        self.place = place
        self.version = version
        self.routing = routing
        self.end = end
        self.click = click
        self.isRecorded = isRecorded
        self.answer = answer
        self.addresses = addresses
        self.caps = caps
    }
}
