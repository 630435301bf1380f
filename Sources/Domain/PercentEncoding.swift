/// Percent-encoding of URL components, RFC 3986 section 2.1.
public enum PercentEncoding {
    /// Appends `bytes` as one component of a URL: all but the unreserved characters of RFC 3986
    /// section 2.3 (letters, digits, `-._~`) become `%XX`, so that the value can't end the
    /// component, start another parameter or carry a control character into a header.
    public static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        for byte in bytes {
            if isUnreserved(byte) {
                output.append(byte)
            } else {
                appendEscape(byte, to: &output)
            }
        }
    }

    public static func append(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable {
            append(UnsafeRawBufferPointer($0), to: &output)
        }
        if isDone == nil { [UInt8](bytes).withUnsafeBytes { append($0, to: &output) } }
    }

    /// Appends `bytes` that are a piece of a URL already: delimiters and `%` stay, and only what
    /// must not be in a URL at all is encoded (controls, space, bytes from 0x7F up and
    /// ``" < > \ ^ ` { | }``).
    public static func appendRaw(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        for byte in bytes {
            if isForbiddenInURL(byte) {
                appendEscape(byte, to: &output)
            } else {
                output.append(byte)
            }
        }
    }

    public static func appendRaw(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable {
            appendRaw(UnsafeRawBufferPointer($0), to: &output)
        }
        if isDone == nil { [UInt8](bytes).withUnsafeBytes { appendRaw($0, to: &output) } }
    }

    /// `text` as one component of a URL.
    public static func encode(_ text: some StringProtocol) -> String {
        var output: [UInt8] = []
        append(text.utf8, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// A `%` that isn't followed by two hexadecimal digits stands for itself: senders forget to
    /// encode it, and losing their bytes would be worse.
    public static func decode(
        _ raw: UnsafeRawBufferPointer, plusIsSpace: Bool, into output: inout [UInt8]
    ) {
        var index = 0
        while index < raw.count {
            let byte = raw[index]
            if byte == UInt8(ascii: "%"), index + 2 < raw.count,
                let high = ASCII.hexDigit(raw[index + 1]), let low = ASCII.hexDigit(raw[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
                continue
            }
            output.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
    }

    public static func decode(_ raw: UnsafeRawBufferPointer, plusIsSpace: Bool) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(raw.count)
        decode(raw, plusIsSpace: plusIsSpace, into: &output)
        return output
    }

    /// Appends `byte` as `%XX`, whatever it is.
    public static func appendEscape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "%"))
        output.append(hexDigit(byte >> 4))
        output.append(hexDigit(byte & 15))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x41 + value - 10
    }

    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func isForbiddenInURL(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F...0xFF, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"),
            UInt8(ascii: "|"), UInt8(ascii: "}"):
            true
        default: false
        }
    }
}
