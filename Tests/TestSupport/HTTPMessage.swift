import Foundation

/// Header fields in the order they came, names without regard to case.
public struct HTTPFields: Sendable, ExpressibleByDictionaryLiteral {
    public var all: [(name: String, value: String)]

    public init(_ all: [(name: String, value: String)] = []) { self.all = all }

    public init(dictionaryLiteral elements: (String, String)...) {
        all = elements.map { (name: $0.0, value: $0.1) }
    }

    public subscript(name: String) -> String? {
        all.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Of a field that may come several times.
    public func values(of name: String) -> [String] {
        all.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    var lines: String { all.map { "\($0.name): \($0.value)\r\n" }.joined() }
}

/// An answer as it came over the wire.
public struct HTTPResponse: Sendable {
    public let status: Int
    public let fields: HTTPFields
    public let body: [UInt8]
    /// The status line and header as sent, for tests that care about single bytes.
    public let head: [UInt8]

    public var text: String { String(decoding: body, as: UTF8.self) }
    public var location: String? { fields["location"] }

    /// - Throws: `TestFailure` when the body is no JSON.
    public var json: JSON { get throws { try JSON(parsing: text) } }

    /// The value of `name` in the `Location`'s query, decoded.
    public func locationParameter(_ name: String) -> String? {
        location.flatMap { URLQuery(ofTarget: $0)[name] }
    }
}

/// A request a fake server received.
public struct RecordedRequest: Sendable {
    public let method: String
    /// As sent: path and query, nothing decoded.
    public let target: String
    public let fields: HTTPFields
    public let body: [UInt8]
    /// `CLOCK_MONOTONIC` nanoseconds when its last byte had arrived.
    public let receivedAt: UInt64
    /// What `FakeTrafficSource.mark` said when it arrived.
    public let mark: Int

    public var path: String {
        target.split(separator: "?", maxSplits: 1).first.map(String.init) ?? ""
    }
    public var query: URLQuery { URLQuery(ofTarget: target) }
    public var text: String { String(decoding: body, as: UTF8.self) }
    public var idempotencyKey: String? { fields["idempotency-key"] }
}

/// The parameters of a URL's query in order, percent-decoded; `+` is a space as in forms.
public struct URLQuery: Sendable {
    public let raw: [(name: String, value: String)]

    public init(ofTarget target: String) {
        guard let mark = target.firstIndex(of: "?") else {
            raw = []
            return
        }
        let query = target[target.index(after: mark)...].prefix { $0 != "#" }
        raw = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
        }
    }

    public subscript(name: String) -> String? {
        raw.first { percentDecoded($0.name) == name }.map { percentDecoded($0.value) }
    }

    public var names: [String] { raw.map { percentDecoded($0.name) } }

    /// The bytes of a value before decoding.
    public func rawValue(_ name: String) -> String? { raw.first { $0.name == name }?.value }
}

public func percentDecoded(_ text: String) -> String {
    String(decoding: percentDecodedBytes(text), as: UTF8.self)
}

public func percentDecodedBytes(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
        let byte = bytes[index]
        if byte == UInt8(ascii: "%"), index + 2 < bytes.count,
            let value = UInt8(
                String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
        {
            result.append(value)
            index += 3
        } else {
            result.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            index += 1
        }
    }
    return result
}

/// Everything but RFC 3986's unreserved characters becomes `%XX`.
public func percentEncoded(_ text: String) -> String { percentEncoded(Array(text.utf8)) }

public func percentEncoded(_ bytes: [UInt8]) -> String {
    var result = ""
    for byte in bytes {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let hex = String(byte, radix: 16, uppercase: true)
            result += hex.count == 1 ? "%0\(hex)" : "%\(hex)"
        }
    }
    return result
}

/// The start line and fields of a message's head.
func parseHead(_ head: [UInt8]) throws -> (startLine: String, fields: HTTPFields) {
    let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    var fields = HTTPFields()
    for line in lines.dropFirst() where !line.isEmpty {
        guard let colon = line.firstIndex(of: ":") else {
            throw TestFailure("a header line without a colon: \(line)")
        }
        let value = line[line.index(after: colon)...]
        fields.all.append(
            (name: String(line[..<colon]), value: value.trimmingCharacters(in: .whitespaces)))
    }
    return (lines[0], fields)
}

extension Socket {
    /// A body framed by `Content-Length` or chunks; nil where neither is named.
    func readFramedBody(_ fields: HTTPFields, within seconds: Double) throws -> [UInt8]? {
        if fields["transfer-encoding"]?.lowercased() == "chunked" {
            var body: [UInt8] = []
            while true {
                guard let line = try read(through: "\r\n", within: seconds),
                    let size = Int(
                        String(decoding: line.dropLast(2).prefix { $0 != 0x3b }, as: UTF8.self),
                        radix: 16)
                else { throw TestFailure("not a chunk size") }
                body += try read(count: size, within: seconds)
                _ = try read(count: 2, within: seconds)
                if size == 0 { return body }
            }
        }
        guard let length = fields["content-length"] else { return nil }
        guard let count = Int(length) else { throw TestFailure("Content-Length: \(length)") }
        return try read(count: count, within: seconds)
    }
}
