/// The languages that a visitor's browser asks for (RFC 9110 section 12.5.4).
public enum AcceptLanguage {
    /// Browsers send fewer than ten; of more only the first are read.
    private static let itemsMax = 32
    /// The longest tag that RFC 5646 wants everybody to cope with.
    private static let tagBytesMax = 35

    /// Appends the tag that is liked best, in lower case: `pt-br`. Of those liked alike the first.
    /// - Returns: false where the header names none; nothing was appended then.
    public static func appendBest(_ header: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool
    {
        var best: UnsafeRawBufferPointer.SubSequence?
        var bestWeight = 0
        var items = 0
        for item in header.split(separator: UInt8(ascii: ","), maxSplits: itemsMax) {
            items += 1
            guard items <= itemsMax else { break }
            let parts = item.split(separator: UInt8(ascii: ";"), maxSplits: 1)
            guard let first = parts.first else { continue }
            let tag = trimmed(first)
            guard isTag(tag) else { continue }
            let weight = parts.count > 1 ? weight(trimmed(parts[1])) : 1000
            guard weight > bestWeight else { continue }
            best = tag
            bestWeight = weight
        }
        guard let best else { return false }
        for byte in best { bytes.append(AgentText.lowercased(byte)) }
        return true
    }

    /// Letters and digits in groups of up to eight with `-` between them, a letter first.
    private static func isTag(_ tag: UnsafeRawBufferPointer.SubSequence) -> Bool {
        guard let first = tag.first, AgentText.isLetter(first), tag.count <= tagBytesMax else {
            return false
        }
        var group = 0
        for byte in tag {
            if byte == UInt8(ascii: "-") {
                guard group > 0 else { return false }
                group = 0
            } else {
                guard AgentText.isLetter(byte) || AgentText.isDigit(byte), group < 8 else {
                    return false
                }
                group += 1
            }
        }
        return group > 0
    }

    /// `q=0.8` in thousandths; a weight that can't be read is none at all.
    private static func weight(_ text: UnsafeRawBufferPointer.SubSequence) -> Int {
        var index = text.startIndex
        func next() -> UInt8? {
            guard index < text.endIndex else { return nil }
            defer { index += 1 }
            return text[index]
        }
        guard next().map({ $0 | 0x20 }) == UInt8(ascii: "q"), next() == UInt8(ascii: "="),
            let whole = next(), whole == UInt8(ascii: "0") || whole == UInt8(ascii: "1")
        else { return 0 }
        var weight = whole == UInt8(ascii: "1") ? 1000 : 0
        guard let dot = next() else { return weight }
        guard dot == UInt8(ascii: ".") else { return 0 }
        for unit in [100, 10, 1] {
            guard let byte = next() else { return min(weight, 1000) }
            guard AgentText.isDigit(byte) else { return 0 }
            weight += Int(byte &- 0x30) * unit
        }
        return min(weight, 1000)
    }

    private static func trimmed(_ text: UnsafeRawBufferPointer.SubSequence)
        -> UnsafeRawBufferPointer.SubSequence
    {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
