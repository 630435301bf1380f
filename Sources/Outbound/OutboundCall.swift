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

    static func url(of delivery: Delivery) throws(Unsendable) -> URL {
        do {
            return try URL(delivery.request.url)
        } catch {
            throw Unsendable("the URL \(error.text)")
        }
    }

    /// - Parameters:
    ///   - proof: the header fields that prove it to be ours.
    ///   - server: that of the delivery's origin; nil when it isn't known.
    static func request(
        _ delivery: Delivery, _ settings: Dispatcher.Settings,
        _ proof: [(name: String, value: String)], at server: ClientServer? = nil
    ) throws(Unsendable) -> ClientRequest {
        let outbound = delivery.request
        var options = ClientRequest.Options()
        options.timeoutMilliseconds = settings.timeoutMilliseconds
        options.connectTimeoutMilliseconds = settings.connectTimeoutMilliseconds
        options.bodyReadMax = bodyReadMax
        options.bodyKeptMax =
            outbound.success.readsBody ? bodyReadMax : Attempt.excerptMax
        // A kept-alive connection that the receiver has closed is no failure of the receiver, and
        // the next attempt would repeat the call all the same.
        options.mayRepeat = true

        var headers: [(String, String)] = []
        headers.reserveCapacity(outbound.headers.count + 5)
        var hasUserAgent = false
        for header in outbound.headers {
            headers.append((header.name, header.value))
            // Told apart by length first, so that most names cost nothing.
            if header.name.utf8.count == 10, header.name.lowercased() == "user-agent" {
                hasUserAgent = true
            }
        }
        if !hasUserAgent { headers.append(("User-Agent", settings.userAgent)) }
        headers.append(("Idempotency-Key", delivery.idempotencyKey))
        for field in proof { headers.append((field.name, field.value)) }
        let method = outbound.method.rawValue
        do throws(ClientRequestError) {
            if let server, let target = URL.target(of: outbound.url, at: outbound.origin) {
                return try ClientRequest(
                    method, at: server, target: target, headers: headers, body: outbound.body,
                    options: options)
            }
        } catch {
            throw Unsendable(error.text)
        }
        let url = try url(of: delivery)
        do {
            return try ClientRequest(
                method, url, headers: headers, body: outbound.body, options: options)
        } catch {
            throw Unsendable(error.text)
        }
    }

    /// The server of an origin; nil when the origin is none, so that each URL has to be looked at.
    static func server(of origin: String) -> ClientServer? {
        // What is wrong with it, if anything, is said of the delivery's whole URL.
        guard let url = try? URL(origin), url.target == "/", url.fragment == nil,
            origin.utf8.last != UInt8(ascii: "/")
        else { return nil }
        return try? ClientServer(url)
    }
}

/// Says which addresses a delivery may be sent to.
struct AddressGate {
    /// For destinations that don't allow private addresses: those of `AddressPolicy`, and ourselves.
    let strict: (UInt128, UInt16) -> String?
    /// The same for addresses that no destination names: nobody can allow them.
    let foreign: (UInt128, UInt16) -> String?
    /// For those that do: the operator has said so.
    let open: (UInt128, UInt16) -> String? = { _, _ in nil }

    init(isOwnAddress: @escaping @Sendable (UInt128, UInt16) -> Bool) {
        let refusal = { (bits: UInt128, port: UInt16) -> String? in
            let address = IPAddress(bits: bits)
            if let refusal = AddressPolicy.refusal(of: address) { return refusal }
            return isOwnAddress(bits, port)
                ? "\(address.text) port \(port) is this tracker itself" : nil
        }
        foreign = refusal
        strict = { bits, port in
            refusal(bits, port).map {
                "\($0); a delivery made while its destination has \"allow_private\" may call it"
            }
        }
    }

    func check(for request: OutboundRequest) -> (UInt128, UInt16) -> String? {
        request.allowsPrivate ? open : strict
    }
}
