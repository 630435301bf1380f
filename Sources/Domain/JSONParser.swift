/// Why a text isn't JSON, and where: "line 3, column 7: expected ':' after a member's name".
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public let message: String
    /// Bytes before the place.
    public let offset: Int
    /// From 1.
    public let line: Int
    /// From 1, in characters (Unicode scalars).
    public let column: Int

    public var description: String { "line \(line), column \(column): \(message)" }

    init(_ message: String, at offset: Int, in bytes: UnsafeRawBufferPointer) {
        self.message = message
        self.offset = offset
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.line = line
        self.column = column
    }
}

extension JSONValue {
    /// Reads one strict JSON text (RFC 8259) with nothing but white space around it; a byte order
    /// mark before it is skipped, as section 8.1 permits.
    ///
    /// Refused beside bad syntax: invalid UTF-8, lone surrogates, arrays and objects nested deeper
    /// than `maxDepth` (at most 512: values are compared and freed recursively), and, unless
    /// `allowsDuplicates`, an object that has a name twice, for two readers could take different
    /// ones. The parser itself doesn't recurse.
    public init(
        parsing bytes: UnsafeRawBufferPointer, maxDepth: Int = 64, allowsDuplicates: Bool = false
    ) throws(JSONError) {
        var parser = JSONParser(
            bytes: bytes, depthMax: min(maxDepth, 512), allowsDuplicates: allowsDuplicates)
        self = try parser.parse()
    }

    public init(parsing bytes: [UInt8], maxDepth: Int = 64, allowsDuplicates: Bool = false)
        throws(JSONError)
    {
        let result = bytes.withUnsafeBytes { raw in
            Result { () throws(JSONError) in
                try JSONValue(parsing: raw, maxDepth: maxDepth, allowsDuplicates: allowsDuplicates)
            }
        }
        self = try result.get()
    }

    public init(parsing text: String, maxDepth: Int = 64, allowsDuplicates: Bool = false)
        throws(JSONError)
    {
        try self.init(
            parsing: [UInt8](text.utf8), maxDepth: maxDepth, allowsDuplicates: allowsDuplicates)
    }
}

private struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let depthMax: Int
    let allowsDuplicates: Bool
    private var position = 0
    private var open: [Container] = []

    init(bytes: UnsafeRawBufferPointer, depthMax: Int, allowsDuplicates: Bool) {
        self.bytes = bytes
        self.depthMax = depthMax
        self.allowsDuplicates = allowsDuplicates
    }

    /// An array or object whose end hasn't come yet.
    private struct Container {
        let isObject: Bool
        var elements: [JSONValue] = []
        var members: [JSONMember] = []
        /// The name whose value is being read.
        var name = ""
        /// Kept only once there are many members, where comparing each pair would take long.
        var names: Set<String> = []

        mutating func add(_ value: JSONValue) {
            if isObject {
                members.append(JSONMember(name: name, value: value))
            } else {
                elements.append(value)
            }
        }

        mutating func hasMember(_ name: String) -> Bool {
            if members.count < 16 { return members.contains { $0.name == name } }
            if names.isEmpty { names = Set(members.map(\.name)) }
            return !names.insert(name).inserted
        }
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        while true {
            skipSpace()
            guard var value = try readValueOrOpen() else { continue }
            // Closing one container may complete the next outer one.
            while true {
                guard !open.isEmpty else {
                    skipSpace()
                    guard position == bytes.count else {
                        throw error("expected nothing after the end of the document")
                    }
                    return value
                }
                open[open.count - 1].add(value)
                guard let closed = try readSeparatorOrClose() else { break }
                value = closed
            }
        }
    }

    /// A whole scalar or empty container; nil when a container was opened and its first value
    /// comes next.
    private mutating func readValueOrOpen() throws(JSONError) -> JSONValue? {
        guard let byte = peek else { throw error(endMessage) }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return try openContainer(isObject: byte == UInt8(ascii: "{"))
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "-"), 0x30...0x39: return .number(try readNumber())
        default: break
        }
        if takeWord("true") { return .bool(true) }
        if takeWord("false") { return .bool(false) }
        if takeWord("null") { return .null }
        throw error(messageForNoValue(byte))
    }

    private mutating func openContainer(isObject: Bool) throws(JSONError) -> JSONValue? {
        guard open.count < depthMax else {
            throw error("nested more than \(depthMax) levels deep")
        }
        position += 1
        skipSpace()
        if peek == UInt8(ascii: isObject ? "}" : "]") {
            position += 1
            return isObject ? .object([]) : .array([])
        }
        open.append(Container(isObject: isObject))
        if isObject { try readName() }
        return nil
    }

    /// After a value: nil when another one follows, otherwise the container that ended here.
    private mutating func readSeparatorOrClose() throws(JSONError) -> JSONValue? {
        let isObject = open[open.count - 1].isObject
        skipSpace()
        guard let byte = peek else { throw error(endMessage) }
        if byte == UInt8(ascii: ",") {
            let comma = position
            position += 1
            skipSpace()
            if let next = peek, next == UInt8(ascii: "}") || next == UInt8(ascii: "]") {
                throw error("a comma before '\(Character(Unicode.Scalar(next)))'", at: comma)
            }
            if isObject { try readName() }
            return nil
        }
        guard byte == UInt8(ascii: isObject ? "}" : "]") else {
            throw error(
                isObject
                    ? "expected ',' or '}' after a member" : "expected ',' or ']' after an element")
        }
        position += 1
        let container = open.removeLast()
        return isObject ? .object(container.members) : .array(container.elements)
    }

    private mutating func readName() throws(JSONError) {
        guard let byte = peek else { throw error(endMessage) }
        let start = position
        guard byte == UInt8(ascii: "\"") else {
            throw error("expected a member's name in double quotes")
        }
        let name = try readString()
        if !allowsDuplicates, open[open.count - 1].hasMember(name) {
            throw error("the object has the name \"\(name)\" twice", at: start)
        }
        skipSpace()
        guard peek == UInt8(ascii: ":") else {
            throw error(peek == nil ? endMessage : "expected ':' after a member's name")
        }
        position += 1
        open[open.count - 1].name = name
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    /// Consumes `word` unless more letters follow it.
    private mutating func takeWord(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount
        where bytes[position + offset] != word.utf8Start[offset] {
            return false
        }
        if end < bytes.count, isWordByte(bytes[end]) { return false }
        position = end
        return true
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(ASCII.lowercased(byte)) || ASCII.digit(byte) != nil || byte == 0x5F
    }

    private mutating func readNumber() throws(JSONError) -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        guard skipDigits() > 0 else { throw error("expected a digit in a number") }
        if bytes[firstDigit] == UInt8(ascii: "0"), position - firstDigit > 1 {
            throw error("a number doesn't start with a zero before another digit", at: start)
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            guard skipDigits() > 0 else { throw error("expected a digit after a decimal point") }
        }
        if let byte = peek, ASCII.lowercased(byte) == UInt8(ascii: "e") {
            position += 1
            if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                position += 1
            }
            guard skipDigits() > 0 else { throw error("expected a digit in an exponent") }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = peek, ASCII.digit(byte) != nil { position += 1 }
        return position - start
    }

    private mutating func readString() throws(JSONError) -> String {
        let start = position
        position += 1
        var decoded: [UInt8] = []
        var pieceStart = position
        while true {
            guard let byte = peek else { throw error("a string that doesn't end", at: start) }
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else {
                throw error("a raw control character in a string; write it as an escape")
            }
            guard byte == UInt8(ascii: "\\") else {
                position += 1
                continue
            }
            decoded.append(contentsOf: bytes[pieceStart..<position])
            try readEscape(into: &decoded)
            pieceStart = position
        }
        let last = UnsafeRawBufferPointer(rebasing: bytes[pieceStart..<position])
        position += 1
        let text: String?
        if decoded.isEmpty {
            text = String(validating: last, as: UTF8.self)
        } else {
            decoded.append(contentsOf: last)
            text = String(validating: decoded, as: UTF8.self)
        }
        guard let text else { throw error("a string that isn't valid UTF-8", at: start) }
        return text
    }

    private mutating func readEscape(into decoded: inout [UInt8]) throws(JSONError) {
        let start = position
        position += 1
        guard let byte = peek else { throw error(endMessage) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try readUnicodeEscape(from: start)
            decoded.append(contentsOf: Unicode.UTF8.encode(scalar) ?? .init())
        default: throw error("an escape JSON doesn't have", at: start)
        }
    }

    /// After `\u`; a pair of surrogates is read whole.
    private mutating func readUnicodeEscape(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try readFourHexDigits(from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, peek == UInt8(ascii: "\\"), position + 1 < bytes.count,
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw error("a surrogate without its other half", at: start) }
        position += 2
        let second = try readFourHexDigits(from: start)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(
                0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw error("a surrogate without its other half", at: start) }
        return scalar
    }

    private mutating func readFourHexDigits(from start: Int) throws(JSONError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw error(endMessage, at: start) }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = ASCII.hexDigit(byte) else {
                throw error("expected four hexadecimal digits after \\u", at: start)
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }

    private var endMessage: String {
        guard let innermost = open.last else {
            return bytes.isEmpty ? "an empty document" : "the document ends too early"
        }
        return innermost.isObject
            ? "the document ends inside an object" : "the document ends inside an array"
    }

    private func messageForNoValue(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): "strings are in double quotes in JSON"
        case UInt8(ascii: "/"), UInt8(ascii: "#"): "JSON has no comments"
        case UInt8(ascii: "+"): "a number doesn't start with '+' in JSON"
        case UInt8(ascii: "."): "a number needs a digit before its point"
        case UInt8(ascii: ","): "expected a value before ','"
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            "expected a value before '\(Character(Unicode.Scalar(byte)))'"
        default: "expected a value: an object, array, string, number, true, false or null"
        }
    }

    private func error(_ message: String, at offset: Int? = nil) -> JSONError {
        JSONError(message, at: offset ?? position, in: bytes)
    }
}
