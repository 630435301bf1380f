/// One outbound postback: a (conversion, revision, destination), rendered when it was committed.
public struct Delivery: Sendable, Equatable {
    public enum State: String, CaseIterable, Sendable {
        case waiting, delivered, dead, cancelled
    }

    public let id: DeliveryID
    public let conversionID: ConversionID
    public let revision: Int
    /// `SOURCE/DESTINATION` by their keys, or `campaign:CAMPAIGN/DESTINATION` for one of the
    /// campaign's own: a source and a campaign may have the same key.
    public let destination: String
    public let state: State
    /// Why it is in that state, when there is more to say.
    public let reason: String?
    public let dueAt: Instant
    public let convertedAt: Instant
    public let request: OutboundRequest
    public let attemptCount: Int
    /// The destination's delay, which the time to give up doesn't count.
    public let delaySeconds: Int

    public init(
        id: DeliveryID, conversionID: ConversionID, revision: Int, destination: String,
        state: State, reason: String?, dueAt: Instant, convertedAt: Instant,
        request: OutboundRequest, attemptCount: Int, delaySeconds: Int = 0
    ) {
        self.id = id
        self.conversionID = conversionID
        self.revision = revision
        self.destination = destination
        self.state = state
        self.reason = reason
        self.dueAt = dueAt
        self.convertedAt = convertedAt
        self.request = request
        self.attemptCount = attemptCount
        self.delaySeconds = delaySeconds
    }

    /// When it was to be called for the first time.
    public var firstDueAt: Instant { convertedAt.advanced(by: .seconds(delaySeconds)) }

    /// What it takes in memory, about.
    public var approximateBytes: Int {
        var bytes = 512 + destination.utf8.count + (reason?.utf8.count ?? 0)
        bytes += request.url.utf8.count + (request.body?.count ?? 0)
        for header in request.headers {
            bytes += 32 + header.name.utf8.count + header.value.utf8.count
        }
        return bytes
    }

    /// It was dead when it was made, and what is kept of it is no whole request. What is given up
    /// without a call is due at the time of its end.
    public var wasNeverComplete: Bool {
        state == .dead && attemptCount == 0 && dueAt <= firstDueAt
    }

    /// The same for every attempt of one delivery, so that a receiver can tell a repeat. The time
    /// beside the ID keeps two installations, or one that was set up anew, from using one key for
    /// two conversions.
    public var idempotencyKey: String {
        // It's made for every attempt, and by interpolation took as long as the rest of a request.
        let (prefix, number, time) = (Self.idempotencyPrefix.utf8, id.rawValue, convertedAt.micros)
        return String(unsafeUninitializedCapacity: prefix.count + 1 + 2 * Self.digitsMax) {
            buffer in
            var count = 0
            for byte in prefix { Self.append(byte, to: buffer, &count) }
            Self.append(number, radix: 10, to: buffer, &count)
            Self.append(UInt8(ascii: "-"), to: buffer, &count)
            Self.append(time, radix: 36, to: buffer, &count)
            return count
        }
    }

    /// Those of the longest number, and its sign.
    private static let digitsMax = 20

    private static func append(
        _ byte: UInt8, to buffer: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int
    ) {
        buffer[count] = byte
        count += 1
    }

    private static func append(
        _ number: Int64, radix: UInt64, to buffer: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) {
        if number < 0 { append(UInt8(ascii: "-"), to: buffer, &count) }
        let start = count
        var rest = number.magnitude
        repeat {
            let digit = UInt8(rest % radix)
            append(
                digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10,
                to: buffer, &count)
            rest /= radix
        } while rest > 0
        buffer[start..<count].reverse()
    }

    /// The delivery that a key or the beginning of one up to its ID names.
    public static func id(idempotencyKey text: String) -> DeliveryID? {
        guard text.hasPrefix(idempotencyPrefix),
            let number = Int64(text.dropFirst(idempotencyPrefix.count).prefix { $0 != "-" }),
            number > 0
        else { return nil }
        return DeliveryID(number)
    }

    private static let idempotencyPrefix = "clickrelay-"
}

/// An outbound call as it will be sent, and what counts as its success.
public struct OutboundRequest: Sendable, Equatable {
    /// `https://host:port` as the destination's template has it: deliveries queue by it.
    public let origin: String
    public let method: Destination.Method
    public let url: String
    public let headers: [Header]
    public let body: [UInt8]?
    public let success: SuccessRule
    public let allowsPrivate: Bool
    /// A call that needs proof is made with it or not at all, whatever has become of its
    /// destination since.
    public let auth: Auth

    /// What proves a call to be ours. It's added when an attempt is made, by what the destination
    /// has then.
    public enum Auth: String, Sendable {
        case none, webhook, oauth
    }

    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        origin: String, method: Destination.Method, url: String, headers: [Header],
        body: [UInt8]?, success: SuccessRule, allowsPrivate: Bool, auth: Auth = .none
    ) {
        self.origin = origin
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.success = success
        self.allowsPrivate = allowsPrivate
        self.auth = auth
    }
}

/// One try of a delivery.
public struct Attempt: Sendable, Equatable {
    public let number: Int
    public let at: Instant
    /// Nil when there was no answer.
    public let status: Int?
    public let milliseconds: Int
    /// Why there was no answer, or why the answer is no success.
    public let error: String?
    /// The start of the answer's body.
    public let excerpt: [UInt8]

    public static let excerptMax = 2048

    public init(
        number: Int, at: Instant, status: Int?, milliseconds: Int, error: String?,
        excerpt: [UInt8]
    ) {
        self.number = number
        self.at = at
        self.status = status
        self.milliseconds = milliseconds
        self.error = error
        self.excerpt = excerpt
    }
}
