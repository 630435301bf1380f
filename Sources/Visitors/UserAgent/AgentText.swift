/// The bytes of a user agent, cut to `bytesMax`: the same work at most, whatever is sent.
struct AgentText {
    /// Real agents end below 600; Facebook's in-app agents are the longest.
    static let bytesMax = 1024

    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(AgentText.bytesMax))
    }

    var count: Int { bytes.count }

    /// 0 beyond the end, which no branch takes for anything.
    subscript(index: Int) -> UInt8 {
        index >= 0 && index < bytes.count ? bytes[index] : 0
    }

    /// Printable ASCII of a range; anything else becomes `?`, as this goes to reports.
    func text(_ range: Range<Int>, max: Int = 64) -> String {
        let range = trimmed(range)
        let count = min(range.count, max)
        return String(unsafeUninitializedCapacity: count) { target in
            for offset in 0..<count {
                let byte = bytes[range.lowerBound + offset]
                target[offset] = (0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?")
            }
            return count
        }
    }

    /// The range within the text and without blanks at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = min(max(range.lowerBound, 0), bytes.count)
        var upper = min(max(range.upperBound, lower), bytes.count)
        while lower < upper, AgentText.isBlank(bytes[lower]) { lower += 1 }
        while upper > lower, AgentText.isBlank(bytes[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    /// The dotted number that begins at `start`, `17_1_2` included: at most four parts.
    func version(at start: Int) -> String {
        var end = start
        var dots = 0
        while end < bytes.count, end - start < 24 {
            let byte = self[end]
            if AgentText.isDigit(byte) {
                end += 1
            } else if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_"),
                AgentText.isDigit(self[end + 1]), end > start, dots < 3
            {
                dots += 1
                end += 1
            } else {
                break
            }
        }
        guard end > start else { return "" }
        return String(unsafeUninitializedCapacity: end - start) { target in
            for offset in 0..<(end - start) {
                let byte = self[start + offset]
                target[offset] = byte == UInt8(ascii: "_") ? UInt8(ascii: ".") : byte
            }
            return end - start
        }
    }

    /// The version behind a word that ends at `end`: glued to it, or after `/`, a blank, `:`, `=`
    /// or `-`, and a `v`.
    func version(behind end: Int) -> String {
        guard end > 0 else { return "" }
        var start = end
        switch self[start] {
        case UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "="),
            UInt8(ascii: " "), UInt8(ascii: "+"):
            start += 1
        default: break
        }
        if AgentText.isBlank(self[start]) { start += 1 }
        if lower(start) == UInt8(ascii: "v"), AgentText.isDigit(self[start + 1]) { start += 1 }
        return version(at: start)
    }

    /// The number that begins at `start`; -1: none. Five digits at most are read.
    func number(at start: Int) -> Int {
        var value = 0
        var index = start
        while AgentText.isDigit(self[index]), index - start < 5 {
            value = value * 10 + Int(self[index] - UInt8(ascii: "0"))
            index += 1
        }
        return index > start ? value : -1
    }

    /// The byte in lower case, letters or not: compare with letters and digits only.
    func lower(_ index: Int) -> UInt8 { self[index] | 0x20 }

    /// Whether `text`, in lower case, stands at `start` in any case.
    func starts(with text: StaticString, at start: Int) -> Bool {
        starts(with: text, count: text.utf8CodeUnitCount, at: start)
    }

    /// Of `text` the first `count` bytes.
    func starts(with text: StaticString, count: Int, at start: Int) -> Bool {
        guard start >= 0, start <= bytes.count, bytes.count - start >= count else { return false }
        let pointer = text.utf8Start
        for offset in 0..<count where bytes[start + offset] | 0x20 != pointer[offset] | 0x20 {
            return false
        }
        return true
    }

    /// Where `text`, in lower case, first stands at or after `start`.
    func index(of text: StaticString, from start: Int = 0, before end: Int = bytesMax) -> Int? {
        let last = min(end, bytes.count) - text.utf8CodeUnitCount
        guard text.utf8CodeUnitCount > 0, start >= 0, start <= last else { return nil }
        let first = text.utf8Start[0] | 0x20
        for index in start...last where bytes[index] | 0x20 == first {
            if starts(with: text, at: index) { return index }
        }
        return nil
    }

    /// Whether `text`, in lower case, stands at `start` in any case.
    func starts(with text: [UInt8], at start: Int) -> Bool {
        guard start >= 0, start <= bytes.count, bytes.count - start >= text.count else {
            return false
        }
        for offset in text.indices
        where AgentText.lowercased(bytes[start + offset]) != text[offset] { return false }
        return true
    }

    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// Some servers' logs, and what replays them, write `+` for a blank.
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "+")
    }

    /// What a word is made of: `python-requests`, `archive.org_bot` and `FB_IAB` are one each.
    static func isWord(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "!") || byte >= 0x80
    }
}
