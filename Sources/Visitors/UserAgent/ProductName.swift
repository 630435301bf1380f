/// What an agent calls itself, where no table has the name.
enum ProductName {
    /// First words that every browser writes, or that are a system's.
    private static let usual: [StaticString] = [
        "mozilla", "opera/", "dalvik", "ucweb", "(", "[", "http:", "https:", "compatible",
    ]
    /// A name's last part where programs write what they run on.
    private static let endings: [StaticString] = ["-iphone", "-ipad", "-ios", "-android"]

    /// The name at the text's start, several words included, unless it is a browser's usual one.
    static func first(_ text: AgentText) -> Range<Int>? {
        for word in usual where text.starts(with: word, at: 0) { return nil }
        return name(text, from: 0)
    }

    /// `Mozilla/5.0 (compatible; Goodzer/2.0; …)`
    static func compatible(_ scan: AgentScan) -> Range<Int>? {
        var index = scan.end(of: .compatible)
        guard index > 0 else { return nil }
        while scan.text[index] == UInt8(ascii: ";") || AgentText.isBlank(scan.text[index]) {
            index += 1
        }
        return name(scan.text, from: index)
    }

    /// `Name/1.0`, `Name 1.0`
    static func hasVersion(_ text: AgentText, _ name: Range<Int>) -> Bool {
        let after = name.upperBound
        if text[after] == UInt8(ascii: "-"), isDotted(text, after + 1) { return true }
        guard text[after] == UInt8(ascii: "/") || AgentText.isBlank(text[after]) else {
            return false
        }
        let first = text[after + 1]
        return AgentText.isDigit(first)
            || first | 0x20 == UInt8(ascii: "v") && AgentText.isDigit(text[after + 2])
    }

    /// Up to a sign, a version (` 2`, ` v2`) or an address.
    private static func name(_ text: AgentText, from start: Int) -> Range<Int>? {
        var end = start
        while end < text.count, end - start < 64 {
            let byte = text[end]
            if AgentText.isBlank(byte) {
                let next = text[end + 1]
                if AgentText.isDigit(next) || AgentText.isBlank(next) { break }
                if next | 0x20 == UInt8(ascii: "v"), AgentText.isDigit(text[end + 2]) { break }
                if text.starts(with: "http", at: end + 1) || text.starts(with: "- ", at: end + 1) {
                    break
                }
            } else if byte == UInt8(ascii: "-"), AgentText.isDigit(text[end + 1]),
                isDotted(text, end + 1)
            {
                break
            } else if !isName(byte), !text.starts(with: "::", at: end),
                !text.starts(with: "::", at: end - 1)
            {
                break
            }
            end += 1
        }
        for ending in endings where text.starts(with: ending, at: end - ending.utf8CodeUnitCount) {
            end -= ending.utf8CodeUnitCount
        }
        return end > start ? start..<end : nil
    }

    /// `InternetArchive-1.0`, but `aws-sdk-dotnet-45`
    private static func isDotted(_ text: AgentText, _ start: Int) -> Bool {
        var index = start
        while AgentText.isDigit(text[index]) { index += 1 }
        return text[index] == UInt8(ascii: ".") && AgentText.isDigit(text[index + 1])
    }

    /// Crawlers made with Nutch write `Axtaris Web Crawler/Axtaris-1.0.1`: the second names them.
    static func nutch(_ text: AgentText, _ name: Range<Int>) -> Range<Int>? {
        guard name.lowerBound == 0, text[name.upperBound] == UInt8(ascii: "/") else { return nil }
        let start = name.upperBound + 1
        var end = start
        while AgentText.isLetter(text[end]) { end += 1 }
        guard end > start, text[end] == UInt8(ascii: "-"), isDotted(text, end + 1) else {
            return nil
        }
        return start..<end
    }

    private static func isName(_ byte: UInt8) -> Bool {
        AgentText.isWord(byte) || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "&")
    }
}
