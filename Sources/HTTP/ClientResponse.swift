/// An answer, as far as it was asked for.
public struct ClientResponse: Sendable {
    /// Three digits; never 1xx.
    public let status: Int
    /// At most 200 fields, as sent.
    public let headers: ClientHeaders
    /// The body's beginning: at most `bodyKeptMax` bytes, chunked coding undone.
    public let body: [UInt8]
    /// Bytes of body that were read; more than `body` holds if `bodyKeptMax` was the lower limit.
    public let bodyBytesRead: Int
    /// The body went on after `bodyReadMax` bytes; or it ended with its connection, and that by a
    /// reset or without TLS's goodbye, so that it may have been cut short.
    public let isTruncated: Bool
    /// From `send` to the last byte.
    public let milliseconds: Int
    /// The address the answer came from: `203.0.113.9:443`.
    public let remoteAddress: String
    /// Whether the request went over a connection that had carried others before.
    public let usedKeptConnection: Bool

    /// The words after the status, often none.
    public var reason: String { headers.reason }
}

/// The header fields of an answer, made into text when asked for.
public struct ClientHeaders: Sendable, RandomAccessCollection {
    struct Field: Sendable {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// The whole head as received, folded lines unfolded.
    let bytes: [UInt8]
    let fields: [Field]
    let reasonRange: Range<Int>

    public var startIndex: Int { 0 }
    public var endIndex: Int { fields.count }

    public subscript(position: Int) -> (name: String, value: String) {
        (text(fields[position].name), text(fields[position].value))
    }

    /// The value of the first field of that name, in whatever case.
    public subscript(name: String) -> String? {
        fields.first { matches($0.name, name) }.map { text($0.value) }
    }

    var reason: String { text(reasonRange) }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private func matches(_ range: Range<Int>, _ name: String) -> Bool {
        guard range.count == name.utf8.count else { return false }
        return zip(bytes[range], name.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }

    private func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
