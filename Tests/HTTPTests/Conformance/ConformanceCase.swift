import Testing

/// Bytes a client sends over one connection, and what must come of them.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    enum End: Equatable, Sendable {
        /// Everything is answered and the connection stays.
        case open
        /// Everything is answered and the connection ends, as the request says.
        case closed
        /// More bytes are waited for; if none come, it's 400.
        case waiting
        /// The last thing sent is answered with this and the connection ends.
        case refused(Int)
    }

    let testDescription: String
    let bytes: [UInt8]
    /// What reaches the handler: method, target, and the body behind an arrow if there is one.
    let requests: [String]
    let end: End

    init(_ name: String, _ text: String, requests: [String] = [], _ end: End) {
        testDescription = name
        bytes = Self.bytes(text)
        self.requests = requests
        self.end = end
    }

    /// One byte per scalar, so that `\u{85}` is the byte 0x85.
    static func bytes(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { scalar in
            precondition(scalar.value < 256, "\(scalar) is not one byte")
            return UInt8(truncatingIfNeeded: scalar.value)
        }
    }

    // MARK: Refused

    static func bad(_ text: String, _ name: String, _ status: Int = 400) -> ConformanceCase {
        ConformanceCase("\(status) \(name)", text, .refused(status))
    }

    static func line(_ line: String, _ name: String, _ status: Int = 400) -> ConformanceCase {
        bad("\(line)\r\nHost: a\r\n\r\n", name, status)
    }

    static func host(_ value: String, _ status: Int = 400) -> ConformanceCase {
        bad("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", "Host: \(value)", status)
    }

    static func fields(_ lines: String, _ name: String, _ status: Int = 400) -> ConformanceCase {
        bad("POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", name, status)
    }

    static let chunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    static func chunks(_ body: String, _ name: String, _ status: Int = 400) -> ConformanceCase {
        bad(chunkedHead + body, name, status)
    }

    // MARK: Accepted

    static func good(
        _ text: String, _ requests: [String], _ name: String = "", _ end: End = .open
    ) -> ConformanceCase {
        ConformanceCase(
            "taken \(name.isEmpty ? requests.first ?? "" : name)", text, requests: requests, end)
    }

    static func goodHost(_ value: String) -> ConformanceCase {
        good("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", ["GET /"], "Host: \(value)")
    }

    static func goodChunks(_ body: String, _ decoded: String, _ name: String) -> ConformanceCase {
        good(chunkedHead + body, ["POST / → \(decoded)"], name)
    }
}
