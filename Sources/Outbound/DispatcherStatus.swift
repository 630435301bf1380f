public import Domain

extension Dispatcher {
    /// A moment's view, for operators.
    public struct Status: Sendable, Equatable {
        /// Waiting deliveries in memory; the rest is on disk.
        public internal(set) var waitingInMemory = 0
        public internal(set) var inFlight = 0
        /// Results that are not on disk yet.
        public internal(set) var unrecorded = 0
        /// Origins with deliveries in memory.
        public internal(set) var origins = 0
        public internal(set) var openBreakerCount = 0
        /// Hosts that fail and are only probed: the first of them by name.
        public internal(set) var openBreakers: [OpenBreaker] = []
        public static let openBreakersMax = 1000
        /// Why no call is made now, or none of what is on disk: results can't be recorded, the table
        /// can't be read, or there is no descriptor or memory for a call. Nil when all is well.
        public internal(set) var failure: String?
    }

    public struct OpenBreaker: Sendable, Equatable {
        /// `https://host:port`
        public let origin: String
        public let since: Instant
        public let lastError: String
        /// Seconds between two probes at the moment.
        public let pauseSeconds: Int
    }
}
