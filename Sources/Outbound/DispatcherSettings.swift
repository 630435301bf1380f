public import Domain
public import HTTP

extension Dispatcher {
    public struct Settings: Sendable {
        /// Calls in flight, in all.
        public var concurrency = 256
        /// Calls in flight to one host.
        public var perHost = 16
        /// From the start of an attempt to the last byte of its answer.
        public var timeoutMilliseconds = 15_000
        /// A delivery is dead this long after its conversion.
        public var giveUpAfter: Duration = .seconds(72 * 3600)
        public var userAgent = "Clickrelay"
        /// When a failed delivery is tried again; nil gives it up.
        public var schedule: @Sendable (Failure) -> Instant? = { $0.nextAttempt }
        /// Deliveries of one origin that are kept in memory.
        public var windowMax = 1024
        /// How often the table is looked through for deliveries nobody woke us for.
        public var scanMilliseconds = 60_000

        public init() {}

        /// Look-up, connection and TLS handshake of one attempt.
        public var connectTimeoutMilliseconds: Int { min(5_000, timeoutMilliseconds) }

        /// The bounds of a client that serves a dispatcher with these settings and nobody else.
        public var clientLimits: Client.Limits {
            var limits = Client.Limits()
            limits.connectionsMax = concurrency
            limits.idleMax = concurrency
            limits.idlePerEndpointMax = perHost
            limits.waitingMax = concurrency + CallTester.callsMax
            return limits
        }

        var planLimits: DeliveryPlan.Limits {
            var limits = DeliveryPlan.Limits()
            limits.concurrency = max(1, concurrency)
            limits.perHost = max(1, perHost)
            limits.windowMax = max(4, windowMax, min(perHost, 256) * 4)
            limits.unrecordedMax = max(4096, concurrency * 2)
            return limits
        }
    }

    /// A failed attempt, as the retry schedule sees it.
    public struct Failure: Sendable {
        /// From 1.
        public let attempt: Int
        /// When it failed.
        public let at: Instant
        public let convertedAt: Instant
        public let giveUpAfter: Duration
        public let retryAfter: Duration?
        /// In 0...1.
        public let jitter: Double

        /// By `RetrySchedule`.
        public var nextAttempt: Instant? {
            RetrySchedule.nextAttempt(
                afterAttempt: attempt, at: at, convertedAt: convertedAt, giveUpAfter: giveUpAfter,
                jitter: jitter, retryAfter: retryAfter)
        }
    }

    /// What the dispatcher is told by and tells its surroundings. Called on its loop.
    public struct Hooks: Sendable {
        /// Whether an address (IPv4 as `::ffff:a.b.c.d`) and port is one that we listen on.
        public var isOwnAddress: @Sendable (UInt128, UInt16) -> Bool = { _, _ in false }
        public var log: @Sendable (_ event: String, _ detail: String) -> Void = { _, _ in }
        /// In 0...1.
        public var random: @Sendable () -> Double = { Double.random(in: 0...1) }
        /// How a delivery's call is proved to be ours, as of now. One that needs what is not there
        /// is dead.
        public var auth: @Sendable (Delivery) throws(Unsendable) -> SendingAuth = {
            (_) throws(Unsendable) in .none
        }
        /// Wall clock in microseconds since 1970; nil: the loop's.
        public var wallMicros: (@Sendable () -> Int64)?

        public init() {}
    }
}
