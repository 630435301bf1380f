extension JSONValue {
    /// The value as JSON text; `pretty` puts each member and element on its own line, indented by
    /// two spaces.
    ///
    /// Beside what RFC 8259 wants escaped, `<`, `>`, DEL, the C1 controls and the marks that break
    /// lines or turn the direction of text are: so the text can stand in an HTML page or a script,
    /// can't move a terminal's cursor, and reads as it is. The writer recurses as deep as the value,
    /// which `init(parsing:)` bounds.
    public func encoded(pretty: Bool = false) -> String {
        String(decoding: encodedBytes(pretty: pretty), as: UTF8.self)
    }

    public func encodedBytes(pretty: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        append(to: &output, pretty: pretty)
        return output
    }

    public func append(to output: inout [UInt8], pretty: Bool = false) {
        var writer = JSONWriter(output: output, isPretty: pretty)
        output = []  // the writer has the only reference now: appending doesn't copy
        writer.write(self)
        output = writer.output
    }
}

private struct JSONWriter {
    var output: [UInt8]
    let isPretty: Bool
    private var depth = 0

    init(output: consuming [UInt8], isPretty: Bool) {
        self.output = output
        self.isPretty = isPretty
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text):
            // A number that isn't one (only our own code could make it) must not break the document.
            if JSONWriter.isNumber(text) {
                output.append(contentsOf: text.utf8)
            } else {
                write(text)
            }
        case .string(let text): write(text)
        case .array(let elements):
            writeList(elements, open: UInt8(ascii: "["), close: UInt8(ascii: "]")) {
                $0.write($1)
            }
        case .object(let members):
            writeList(members, open: UInt8(ascii: "{"), close: UInt8(ascii: "}")) {
                $0.write($1.name)
                $0.output.append(UInt8(ascii: ":"))
                if $0.isPretty { $0.output.append(0x20) }
                $0.write($1.value)
            }
        }
    }

    private mutating func writeList<Item>(
        _ items: [Item], open: UInt8, close: UInt8,
        _ writeItem: (inout JSONWriter, Item) -> Void
    ) {
        output.append(open)
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            breakLine()
            writeItem(&self, item)
        }
        depth -= 1
        if !items.isEmpty { breakLine() }
        output.append(close)
    }

    private mutating func breakLine() {
        guard isPretty else { return }
        output.append(0x0A)
        output.append(contentsOf: repeatElement(0x20, count: 2 * depth))
    }

    private mutating func write(_ text: String) {
        output.append(UInt8(ascii: "\""))
        var copy = text
        copy.withUTF8 { bytes in
            var index = 0
            while index < bytes.count {
                index += writeCharacter(at: index, of: bytes)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Returns how many bytes of the text it wrote.
    private mutating func writeCharacter(at index: Int, of bytes: UnsafeBufferPointer<UInt8>) -> Int
    {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            output.append(UInt8(ascii: "\\"))
            output.append(byte)
        case 0x08: output.append(contentsOf: "\\b".utf8)
        case 0x09: output.append(contentsOf: "\\t".utf8)
        case 0x0A: output.append(contentsOf: "\\n".utf8)
        case 0x0C: output.append(contentsOf: "\\f".utf8)
        case 0x0D: output.append(contentsOf: "\\r".utf8)
        case 0...0x1F, 0x7F, UInt8(ascii: "<"), UInt8(ascii: ">"):
            writeEscape(UInt16(byte))
        case 0xC2 where index + 1 < bytes.count && bytes[index + 1] < 0xA0:
            writeEscape(UInt16(bytes[index + 1]))
            return 2
        case 0xD8 where index + 1 < bytes.count && bytes[index + 1] == 0x9C:
            writeEscape(0x061C)
            return 2
        case 0xE2 where index + 2 < bytes.count && bytes[index + 1] <= 0x81:
            let unit =
                0x2000 | UInt16(bytes[index + 1] & 0x3F) << 6 | UInt16(bytes[index + 2] & 0x3F)
            switch unit {
            case 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
                writeEscape(unit)
                return 3
            default: output.append(byte)
            }
        default: output.append(byte)
        }
        return 1
    }

    private mutating func writeEscape(_ unit: UInt16) {
        output.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> UInt16(shift)) & 15
            output.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }

    private static func isNumber(_ text: String) -> Bool {
        // Losing the error is right: all that matters is that there was one.
        guard case .number(let parsed)? = try? JSONValue(parsing: text) else { return false }
        return parsed.utf8.count == text.utf8.count
    }
}
