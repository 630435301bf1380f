/// The bounds of one `Server`, that is of one loop. Times are in milliseconds.
public struct ServerLimits: Sendable {
    /// The request line without its CRLF; a longer one is answered 414.
    public var requestLineBytesMax = 16 * 1024
    /// All header lines with their CRLFs; more are answered 431.
    public var headerBytesMax = 32 * 1024
    public var headerFieldsMax = 200
    /// After removing the chunk framing; a larger body is answered 413.
    public var bodyBytesMax = 1024 * 1024
    /// One line with a chunk's size and its extensions; a longer one is answered 400.
    public var chunkLineBytesMax = 256
    /// All chunk extensions of one body; more are answered 400.
    public var chunkExtensionBytesMax = 4096
    /// All trailer lines of one body; more are answered 431. Trailers are checked and dropped.
    public var trailerBytesMax = 4096

    /// Requests of one connection that wait for their answers; at this many reading pauses. 1...32.
    public var pipelinedMax = 8
    /// Answer bytes of one connection that wait to be sent or for their turn; at this many parsing
    /// pauses, as it does while the client doesn't take them. With that, and with what one read
    /// brings, a client that asks and doesn't read holds 8 KB, or its last answer where that alone is
    /// larger, however much it asks for.
    public var outputBytesMax = 3 * 1024
    /// What is read at once without TLS: pipelined requests beyond those that are parsed wait in
    /// memory.
    public var readBytesMax = 2 * 1024
    /// All requests and answers held in memory by the server. Beyond, connections that don't take
    /// their answers are closed, the largest first, and where there are none the one whose answer does
    /// not fit. Requests may take three quarters of it, beyond which the largest that are not complete
    /// are answered 503: so bodies that never end leave room for others.
    public var bufferedBytesMax = 256 * 1024 * 1024
    /// At this many another connection is closed for a new one: the longest waiting of those that
    /// linger after their last answer, else of the idle ones, else of those that don't take their
    /// answers, else of those that have sent a part of a request, or nothing for less than
    /// `stuckMilliseconds`. When all are owed answers, the new one is closed.
    public var connectionsMax = 10_000

    /// From a head's first byte to its last; then 408 and close. Also from a connection's start to
    /// its first byte, and with TLS from the first byte of the handshake to its end; then close.
    public var headMilliseconds = 10_000
    /// Without another request.
    public var idleMilliseconds = 30_000
    /// A body may take this long and 1/`bodyBytesPerSecondMin` of a second for each byte, of which
    /// `idleMilliseconds` can be saved up.
    public var bodyMilliseconds = 10_000
    public var bodyBytesPerSecondMin = 500
    /// Without the client taking any of the answer, as far as the kernel tells, which it does for some
    /// 8 KB; a trickle is held to `bodyBytesPerSecondMin`. Also of what the kernel has taken and can't
    /// send on.
    public var writeMilliseconds = 10_000
    /// Whose answers have waited for so long to be taken may lose its place to another one.
    public var stuckMilliseconds = 1_000
    /// For want of descriptors a connection that has sent nothing for so long is closed for another
    /// one. A client sends something with the end of TCP's handshake, or some milliseconds after it.
    public var silentMilliseconds = 50
    /// And one that has begun with its first request, or a TLS handshake, but isn't through with it:
    /// that takes round trips.
    public var begunMilliseconds = 500
    /// After an answer that closes a connection whose request was not read to its end: reading
    /// goes on for this long and this much, as a reset would destroy the answer on its way.
    public var lingerMilliseconds = 5_000
    public var lingerBytesMax = 4 * 1024 * 1024

    public init() {}

    /// How often deadlines are looked at: they are kept to within this, unless thousands are late
    /// together.
    var sweepNanos: UInt64 {
        let shortest = min(
            headMilliseconds, idleMilliseconds, bodyMilliseconds, writeMilliseconds,
            lingerMilliseconds)
        return Self.nanos(max(5, min(500, shortest / 4)))
    }

    /// The limits of time, in the clock's unit: looked at for each request.
    struct Nanos {
        let head: UInt64
        let first: UInt64
        let idle: UInt64
        /// Until we look whether the kernel has sent what it was given, and between two looks.
        let look: UInt64
        /// What it has to send from one to the next.
        let lookBytesMin: Int
        let body: UInt64
        let perBodyByte: UInt64
        let write: UInt64
        let stuck: UInt64
        let silent: UInt64
        let begun: UInt64
        let linger: UInt64
    }

    var nanos: Nanos {
        Nanos(
            head: Self.nanos(headMilliseconds),
            first: Self.nanos(min(headMilliseconds, idleMilliseconds)),
            idle: Self.nanos(idleMilliseconds),
            look: Self.nanos(min(idleMilliseconds, writeMilliseconds / 2)),
            lookBytesMin: max(1, bodyBytesPerSecondMin * writeMilliseconds / 2000),
            body: Self.nanos(bodyMilliseconds),
            perBodyByte: 1_000_000_000 / UInt64(max(1, bodyBytesPerSecondMin)),
            write: Self.nanos(writeMilliseconds), stuck: Self.nanos(stuckMilliseconds),
            silent: Self.nanos(silentMilliseconds), begun: Self.nanos(begunMilliseconds),
            linger: Self.nanos(lingerMilliseconds))
    }

    static func nanos(_ milliseconds: Int) -> UInt64 {
        UInt64(clamping: milliseconds).multipliedReportingOverflow(by: 1_000_000).partialValue
    }
}
