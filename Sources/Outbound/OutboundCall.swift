internal import Domain
internal import HTTP

/// Why a delivery can't be sent, now or ever, as it is.
public struct Unsendable: Error, Equatable {
    public let reason: String

    public init(_ reason: String) { self.reason = reason }
}

/// A delivery as a request of the HTTP client.
enum OutboundCall {
    /// Bytes of an answer that are read.
    static let bodyReadMax = 64 * 1024

    static func request(
        _ delivery: Delivery, _ settings: Dispatcher.Settings, _ auth: SendingAuth, at now: Instant
    ) throws(Unsendable) -> ClientRequest {
        let outbound = delivery.request
        let url: URL
        do {
            url = try URL(outbound.url)
        } catch {
            throw Unsendable("the URL \(error.text)")
        }
        var options = ClientRequest.Options()
        options.timeoutMilliseconds = settings.timeoutMilliseconds
        options.connectTimeoutMilliseconds = settings.connectTimeoutMilliseconds
        options.bodyReadMax = bodyReadMax
        options.bodyKeptMax =
            outbound.success.readsBody ? bodyReadMax : Attempt.excerptMax
        // A kept-alive connection that the receiver has closed is no failure of the receiver, and
        // the next attempt would repeat the call all the same.
        options.mayRepeat = true

        var headers = outbound.headers.map { ($0.name, $0.value) }
        if !outbound.headers.contains(where: { $0.name.lowercased() == "user-agent" }) {
            headers.append(("User-Agent", settings.userAgent))
        }
        headers.append(("Idempotency-Key", delivery.idempotencyKey))
        headers += auth.headers(
            id: delivery.idempotencyKey, at: now, body: outbound.body ?? [])
        do {
            return try ClientRequest(
                outbound.method.rawValue, url, headers: headers, body: outbound.body,
                options: options)
        } catch {
            throw Unsendable(error.text)
        }
    }
}

/// Says which addresses a delivery may be sent to.
struct AddressGate {
    /// For destinations that don't allow private addresses: those of `AddressPolicy`, and ourselves.
    let strict: (UInt128, UInt16) -> String?
    /// For those that do: the operator has said so.
    let open: (UInt128, UInt16) -> String? = { _, _ in nil }

    init(isOwnAddress: @escaping @Sendable (UInt128, UInt16) -> Bool) {
        strict = { bits, port in
            let address = IPAddress(bits: bits)
            let hint = "a delivery made while its destination has \"allow_private\" may call it"
            if let refusal = AddressPolicy.refusal(of: address) { return "\(refusal); \(hint)" }
            return isOwnAddress(bits, port)
                ? "\(address.text) port \(port) is this tracker itself; \(hint)" : nil
        }
    }

    func check(for request: OutboundRequest) -> (UInt128, UInt16) -> String? {
        request.allowsPrivate ? open : strict
    }
}
