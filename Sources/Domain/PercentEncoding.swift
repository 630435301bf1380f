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
        withUnsafeTemporaryAllocation(byteCount: raw.count, alignment: 8) { memory in
            let count = decode(raw, plusIsSpace: plusIsSpace, into: memory)
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        }
    }

    /// The same into memory of at least as many bytes.
    /// - Returns: how many were written.
    public static func decode(
        _ raw: UnsafeRawBufferPointer, plusIsSpace: Bool, into memory: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(memory.count >= raw.count, "\(raw.count) bytes into \(memory.count)")
        guard let source = raw.baseAddress, let target = memory.baseAddress else { return 0 }
        let percent = UInt8(ascii: "%")
        let other = plusIsSpace ? UInt8(ascii: "+") : percent
        var read = 0
        var written = 0
        while read < raw.count {
            // Most of what is sent needs no decoding: it is copied by words.
            let plain = ByteScan.copy(
                source + read, count: raw.count - read, to: target + written,
                until: percent, or: other)
            read += plain
            written += plain
            guard read < raw.count else { break }
            var byte = raw[read]
            if byte != percent {
                byte = 0x20
            } else if read + 2 < raw.count, let high = ASCII.hexDigit(raw[read + 1]),
                let low = ASCII.hexDigit(raw[read + 2])
            {
                byte = high << 4 | low
                read += 2
            }
            read += 1
            target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
        }
        return written
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
        let bits = byte < 64 ? unreservedBelow64 : unreservedFrom64
        return byte < 128 && bits >> UInt64(byte & 63) & 1 != 0
    }

    /// A bit for each ASCII character: `-.0123456789`, then letters, `_` and `~`.
    private static let unreservedBelow64: UInt64 = 0x03FF_6000_0000_0000
    private static let unreservedFrom64: UInt64 = 0x47FF_FFFE_87FF_FFFE

    /// Whether all of them are.
    static func isUnreserved(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where !isUnreserved(byte) { return false }
        return true
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
