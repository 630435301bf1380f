/// Why a CSV file can't be read on.
public struct CSVError: Error, Equatable, Sendable, CustomStringConvertible {
    /// From 1.
    public let line: Int
    public let message: String

    public var description: String { "line \(line): \(message)" }
}

/// One record with the line that it begins on, from 1.
public struct CSVRecord: Equatable, Sendable {
    public let line: Int
    public let fields: [String]
}

/// Reads comma-separated values by RFC 4180: strict, because a quote in the wrong place would move
/// every amount after it. Lines end with CR LF or LF; empty ones and a byte order mark are skipped.
public struct CSVReader {
    public static let fieldsMax = 200
    public static let fieldBytesMax = 65_536

    private let bytes: [UInt8]
    /// How many bytes were read.
    public private(set) var position = 0
    private var line = 1

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The next record; nil at the end.
    public mutating func next() throws(CSVError) -> CSVRecord? {
        while position < bytes.count, try skipLineEnd() {}
        guard position < bytes.count else { return nil }
        let start = line
        var fields: [String] = []
        while true {
            guard fields.count < Self.fieldsMax else {
                throw fail("has more than \(Self.fieldsMax) fields")
            }
            fields.append(try field())
            guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { break }
            position += 1
        }
        if position < bytes.count { _ = try skipLineEnd() }
        return CSVRecord(line: start, fields: fields)
    }

    private mutating func field() throws(CSVError) -> String {
        let isQuoted = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
        let value = isQuoted ? try quoted() : try plain()
        guard value.count <= Self.fieldBytesMax else {
            throw fail("has a field of more than \(Self.fieldBytesMax) bytes")
        }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw fail("has a field that is not UTF-8")
        }
        return text
    }

    private mutating func plain() throws(CSVError) -> [UInt8] {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: ","), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                return Array(bytes[start..<position])
            case UInt8(ascii: "\""):
                throw fail("has a quote inside a field that does not begin with one")
            default: position += 1
            }
        }
        return Array(bytes[start..<position])
    }

    private mutating func quoted() throws(CSVError) -> [UInt8] {
        let start = line
        var value: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.count else { return value }
                switch bytes[position] {
                case UInt8(ascii: "\""): position += 1
                case UInt8(ascii: ","), UInt8(ascii: "\r"), UInt8(ascii: "\n"): return value
                default: throw fail("has something between a closing quote and the comma")
                }
            } else if byte == UInt8(ascii: "\n") {
                line += 1
            }
            value.append(byte)
        }
        throw CSVError(line: start, message: "has a quote that is never closed")
    }

    /// - Returns: false when the position is not at a line's end.
    private mutating func skipLineEnd() throws(CSVError) -> Bool {
        switch bytes[position] {
        case UInt8(ascii: "\n"): position += 1
        case UInt8(ascii: "\r"):
            guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") else {
                throw fail("has a carriage return without a line feed")
            }
            position += 2
        default: return false
        }
        line += 1
        return true
    }

    private func fail(_ message: String) -> CSVError { CSVError(line: line, message: message) }
}
