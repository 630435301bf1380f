import Foundation
import TestSupport

/// A receiver that does what it should not, and what is to be recorded of the first call to it.
struct HostileReceiver: Sendable {
    /// Also the key of its source and campaign.
    let name: String
    let peer: Peer
    let outcome: Outcome

    enum Peer: Sendable {
        /// Below HTTP.
        case faulty(FaultyPeer.Mode)
        /// The same, called with `https`.
        case faultyTLS(FaultyPeer.Mode)
        /// Answers its calls one after another so, the last answer for ever.
        case answers([FakeTrafficSource.Answer])
        case showsCertificate(@Sendable (TestCertificates) -> TestCertificates.Pair)
        case showsOwnCertificate
        case nobody
    }

    struct Outcome: Sendable {
        var state = "waiting"
        var status: Int?
        /// The attempt's error contains one of these; none: there is no error.
        var errors: [String] = []
        /// The answer's excerpt; nil: whatever it is.
        var excerpt: String? = ""
        /// Seconds from the attempt's end to the next one.
        var pause = 9.9...12.5
        /// Milliseconds that the attempt takes at least.
        var millisecondsMin = 0
    }

    /// Of the whole attempt: the good deliveries must come before it is over.
    static let timeoutMilliseconds = 10_000
    /// Of the connection.
    static let connectTimeoutMilliseconds = 5000
    private static let noAnswer = "no answer within 10 s"

    private static func failing(
        _ name: String, _ peer: Peer, status: Int? = nil, excerpt: String = "",
        pause: ClosedRange<Double> = 9.9...12.5, millisecondsMin: Int = 0, _ errors: String...
    ) -> HostileReceiver {
        HostileReceiver(
            name: name, peer: peer,
            outcome: Outcome(
                status: status, errors: errors, excerpt: excerpt, pause: pause,
                millisecondsMin: millisecondsMin))
    }

    private static func delivered(
        _ name: String, _ peer: Peer, status: Int = 200, excerpt: String?
    ) -> HostileReceiver {
        HostileReceiver(
            name: name, peer: peer,
            outcome: Outcome(state: "delivered", status: status, excerpt: excerpt))
    }

    private static let head = "HTTP/1.1 200 OK\r\n"
    private static let filling = String(repeating: "x", count: 60_000)
    private static let kept = String(repeating: "x", count: 2048)
    private static let chunk = "ea60\r\n\(filling)\r\n"
    private static let noHTTP = "not a valid HTTP answer"
    private static let closed = "closed the connection in the middle of the answer"

    static let all: [HostileReceiver] =
        connections + answers + bodies + oldHTTP + notHTTP + certificates

    // MARK: Connections

    private static let connections = [
        failing("nobody-listens", .nobody, "Connection refused"),
        failing(
            "never-answers", .faulty(.stalls), millisecondsMin: timeoutMilliseconds, noAnswer),
        failing(
            "a-byte-a-second", .faulty(.drips(head + "\r\n", pauseSeconds: 1)),
            millisecondsMin: timeoutMilliseconds, noAnswer),
        failing(
            "a-byte-a-second-of-body",
            .faulty(.drips(head + "Content-Length: 2048\r\n\r\n\(kept)", pauseSeconds: 0.05)),
            millisecondsMin: timeoutMilliseconds, noAnswer),
        failing("closes-at-once", .faulty(.closesAtOnce), "closed the connection before an answer"),
        // Which of them depends on how far our request has got.
        failing(
            "resets-at-once", .faulty(.resetsAtOnce), "reset", "Broken pipe", "before an answer"),
        failing(
            "resets-mid-head", .faulty(.saysAndResets("HTTP/1.1 200 OK\r\nContent-")),
            "Connection reset by peer in the middle of the answer"),
        failing(
            "resets-mid-body", .faulty(.saysAndResets(head + "Content-Length: 9\r\n\r\nOK")),
            "Connection reset by peer in the middle of the answer"),
        // The status is known, and nothing says that more was to come.
        delivered(
            "resets-body-without-end", .faulty(.saysAndResets(head + "\r\nOK")), excerpt: "OK"),
        failing("closes-mid-body", .faulty(.says(head + "Content-Length: 9\r\n\r\nOK")), closed),
        failing(
            "closes-mid-chunk",
            .faulty(.says(head + "Transfer-Encoding: chunked\r\n\r\n9\r\nOK")), closed),
    ]

    // MARK: Answers

    private static func answer(_ status: Int, _ fields: HTTPFields) -> Peer {
        .answers([.init(status, fields: fields)])
    }

    private static func failing(
        _ name: String, _ answer: Int, retryAfter: String, pause: ClosedRange<Double>
    ) -> HostileReceiver {
        failing(
            name, self.answer(answer, ["Retry-After": retryAfter]), status: answer, excerpt: "OK",
            pause: pause, "answered \(answer)")
    }

    /// In the form of HTTP dates.
    private static func date(inSeconds seconds: Double) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: Date(timeIntervalSinceNow: seconds))
    }

    private static let answers = [
        failing(
            "500-then-200", .answers([.status(500), .ok]), status: 500, excerpt: "OK",
            "answered 500 Scripted"),
        failing("429-seconds", 429, retryAfter: "7200", pause: 7199...7202),
        // The date is made when the first of these is read, a while before the call.
        failing("429-date", 429, retryAfter: date(inSeconds: 7200), pause: 6900...7201),
        failing("503-seconds", 503, retryAfter: " 0000900 ", pause: 899...902),
        failing("429-a-day", 429, retryAfter: "86400", pause: 86_399...86_402),
        failing("429-a-week", 429, retryAfter: "604800", pause: 86_399...86_402),
        failing(
            "429-date-of-2090", 429, retryAfter: "Mon, 02 Jan 2090 03:04:05 GMT",
            pause: 86_399...86_402),
        failing("429-past", 429, retryAfter: date(inSeconds: -60), pause: 9.9...12.5),
        failing("429-garbage", 429, retryAfter: "soon", pause: 9.9...12.5),
        failing("429-negative", 429, retryAfter: "-5", pause: 9.9...12.5),
        failing(
            "429-overflow", 429, retryAfter: String(repeating: "9", count: 60),
            pause: 86_399...86_402),
        HostileReceiver(
            name: "410", peer: .answers([.status(410)]),
            outcome: Outcome(
                state: "dead", status: 410, errors: ["the receiver answered 410 Gone"],
                excerpt: "OK")),
        failing(
            "301-to-loopback", answer(301, ["Location": "http://127.0.0.1:1/stolen"]), status: 301,
            excerpt: "OK",
            "answered 301 to http://127.0.0.1:1/stolen; redirects are not followed"),
        failing(
            "302-to-metadata", answer(302, ["Location": "http://169.254.169.254/latest"]),
            status: 302, excerpt: "OK", "answered 302 to http://169.254.169.254/latest;"),
        failing(
            "308-without-location", answer(308, [:]), status: 308, excerpt: "OK",
            "answered 308 Scripted"),
        // What goes into logs and onto terminals has no control characters.
        failing(
            "307-with-escapes", answer(307, ["Location": "/\u{1b}[2J\u{7f}é"]), status: 307,
            excerpt: "OK", "answered 307 to /?[2J???; redirects are not followed"),
    ]

    // MARK: Bodies

    private static let bodies = [
        delivered(
            "ten-gigabytes-by-length",
            .faulty(.saysAndFloods(head + "Content-Length: 10737418240\r\n\r\n", filling)),
            excerpt: kept),
        delivered(
            "ten-gigabytes-in-chunks",
            .faulty(.saysAndFloods(head + "Transfer-Encoding: chunked\r\n\r\n", chunk)),
            excerpt: kept),
        delivered(
            "a-body-without-end", .faulty(.saysAndFloods(head + "\r\n", filling)), excerpt: kept),
        failing(
            "a-refusal-of-ten-gigabytes",
            .faulty(
                .saysAndFloods(
                    "HTTP/1.1 500 No\r\nContent-Length: 10737418240\r\n\r\n", filling)),
            status: 500, excerpt: kept, "answered 500 No"),
        failing(
            "a-length-too-long",
            .faulty(.says(head + "Content-Length: 99999999999999999999\r\n\r\n")),
            "\(noHTTP): bad Content-Length"),
        failing(
            "a-negative-length", .faulty(.says(head + "Content-Length: -1\r\n\r\n")),
            "\(noHTTP): bad Content-Length"),
        failing(
            "two-lengths",
            .faulty(.says(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nOK.")),
            "\(noHTTP): conflicting Content-Length"),
        failing(
            "a-chunk-too-large",
            .faulty(
                .says(head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nOK")),
            noHTTP),
        failing(
            "no-chunk", .faulty(.says(head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n")), noHTTP),
        failing(
            "a-chunk-extension-without-end",
            .faulty(
                .saysAndFloods(head + "Transfer-Encoding: chunked\r\n\r\n2;", filling)), noHTTP),
        failing(
            "trailers-without-end",
            .faulty(
                .saysAndFloods(
                    head + "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n", "X-A: b\r\n")),
            noHTTP),
    ]

    // MARK: HTTP/1.0

    private static let oldHTTP = [
        delivered("http-10", .faulty(.says("HTTP/1.0 200 OK\r\n\r\nfine")), excerpt: "fine"),
        delivered(
            "http-10-with-length",
            .faulty(.saysAndStalls("HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine")),
            excerpt: "fine"),
        delivered(
            "http-10-no-content", .faulty(.saysAndStalls("HTTP/1.0 204 No Content\r\n\r\n")),
            status: 204, excerpt: ""),
        failing(
            "http-10-that-stays-open", .faulty(.saysAndStalls("HTTP/1.0 200 OK\r\n\r\nfine")),
            millisecondsMin: timeoutMilliseconds, noAnswer),
    ]

    // MARK: No HTTP

    private static let notHTTP = [
        failing("garbage", .faulty(.says("\u{1}\u{2} no HTTP\r\n\r\n")), "\(noHTTP): it begins"),
        failing("http-2", .faulty(.says("HTTP/2 200\r\n\r\n")), "\(noHTTP): it begins"),
        failing("http-09", .faulty(.says("<html>fine</html>")), "\(noHTTP): it begins"),
        failing("another-protocol", .faulty(.says("SSH-2.0-OpenSSH\r\n")), "\(noHTTP): it begins"),
        failing("no-status", .faulty(.says("HTTP/1.1 OK\r\n\r\n")), "\(noHTTP): bad status line"),
        failing("status-0", .faulty(.says("HTTP/1.1 000 X\r\n\r\n")), "\(noHTTP): bad status"),
        failing(
            "switches-protocols", .faulty(.says("HTTP/1.1 101 Go\r\nUpgrade: h2c\r\n\r\n")),
            "\(noHTTP): it switches to another protocol"),
        failing(
            "interim-answers-without-end", .faulty(.floods("HTTP/1.1 100 Continue\r\n\r\n")),
            "\(noHTTP): too many interim answers"),
        failing(
            "a-header-without-end", .faulty(.saysAndFloods(head + "X-A: ", filling)),
            "\(noHTTP): the header is larger than 65536 bytes"),
        failing(
            "headers-without-end", .faulty(.saysAndFloods(head, "X-A: b\r\n")),
            "\(noHTTP): the header is larger than 65536 bytes"),
        failing(
            "a-thousand-headers",
            .faulty(.says(head + String(repeating: "X-A: b\r\n", count: 1000) + "\r\n")),
            "\(noHTTP): more than 200 headers"),
        failing(
            "a-zero-in-a-header", .faulty(.says(head + "X-A: a\u{0}b\r\n\r\n")),
            "\(noHTTP): control character in a header"),
    ]

    // MARK: TLS

    private static let certificates = [
        delivered("tls", .showsCertificate(\.good), excerpt: nil),
        failing("wrong-name", .showsCertificate(\.wrongName), "TLS: IP address mismatch"),
        failing("expired", .showsCertificate(\.expired), "TLS: certificate has expired"),
        failing(
            "unknown-authority", .showsCertificate(\.stranger),
            // The other where the authority's certificate does not come along.
            "TLS: self-signed certificate in certificate chain",
            "TLS: unable to get local issuer certificate"),
        failing("self-signed", .showsOwnCertificate, "TLS: self-signed certificate"),
        failing(
            "no-handshake", .faultyTLS(.stalls), millisecondsMin: connectTimeoutMilliseconds,
            "no TLS handshake within 5 s"),
        failing("no-tls", .faultyTLS(.says("HTTP/1.1 400 Bad Request\r\n\r\n")), "TLS: "),
        failing("tls-closes", .faultyTLS(.closesAtOnce), "during the handshake"),
    ]
}
