/// Where an agent names the device that it runs on.
enum DeviceModel {
    static func find(_ scan: AgentScan, os: String) -> Range<Int>? {
        switch os {
        case "iOS", "tvOS", "watchOS": return apple(scan)
        case "Android", "HarmonyOS", "GoogleTV": return android(scan) ?? named(scan)
        case "Windows Phone": return windowsPhone(scan)
        case "Windows" where !scan.has(.iEMobile), "macOS", "Mac OS", "Chrome OS": return nil
        default: return named(scan)
        }
    }

    /// `iPhone10,4` where an app tells it, else the bare name: browsers tell no more.
    private static func apple(_ scan: AgentScan) -> Range<Int>? {
        for mark in [AgentMark.iPad, .iPhone, .iPod, .watch, .appleTV, .homePod] {
            let end = scan.end(of: mark)
            guard end > 0 else { continue }
            var start = end
            while start > 0, AgentText.isLetter(scan.text[start - 1]) { start -= 1 }
            var upper = end
            while AgentText.isDigit(scan.text[upper]) || scan.text[upper] == UInt8(ascii: ",") {
                upper += 1
            }
            return start..<(scan.text[upper - 1] == UInt8(ascii: ",") ? end : upper)
        }
        return nil
    }

    /// `(Linux; U; Android 4.0.3; en-us; KFTT Build/IML74K)`: what isn't the version, a language
    /// or a sign. Chrome says `K` for whatever it runs on.
    private static func android(_ scan: AgentScan) -> Range<Int>? {
        let text = scan.text
        var start = scan.end(
            of: scan.has(.android) ? .android : scan.has(.googleTV) ? .googleTV : .linux)
        guard start > 0, let first = segmentEnd(text, from: start), first < text.count else {
            return nil
        }
        start = first
        var rounds = 0
        while text[start] == UInt8(ascii: ";"), rounds < 8,
            let end = segmentEnd(text, from: start + 1)
        {
            let segment = text.trimmed((start + 1)..<end)
            if isModel(text, segment) { return cut(text, segment) }
            start = end
            rounds += 1
        }
        return nil
    }

    /// Behind `IEMobile/11.0; NOKIA; Lumia 920`, or the last two parts.
    private static func windowsPhone(_ scan: AgentScan) -> Range<Int>? {
        let text = scan.text
        var start = max(scan.end(of: .iEMobile), scan.end(of: .phoneWord), scan.end(of: .wds))
        var rounds = 0
        var found: Range<Int>?
        while let end = segmentEnd(text, from: start), rounds < 10 {
            let segment = text.trimmed(start..<end)
            if Brands.find(text, segment) != nil {
                let isName = text[end] == UInt8(ascii: ";") && !(segment.count > 8)
                guard isName, let next = segmentEnd(text, from: end + 1) else { return segment }
                return text.trimmed(segment.lowerBound..<next)
            }
            if found == nil, text.starts(with: "lumia", at: segment.lowerBound) { found = segment }
            guard text[end] == UInt8(ascii: ";") else { break }
            start = end + 1
            rounds += 1
        }
        return found ?? named(scan)
    }

    /// Any part of the agent that begins with a maker's name: how phones wrote before Android.
    private static func named(_ scan: AgentScan) -> Range<Int>? {
        let text = scan.text
        var index = 0
        var rounds = 0
        while index < text.count, rounds < 32 {
            if AgentText.isWord(text[index]) {
                var end = index
                while end < text.count, AgentText.isWord(text[end]) { end += 1 }
                // An agent of nothing but a phone's name begins with the model alone.
                if let brand = Brands.find(text, index..<end), brand.isMaker || index == 0 {
                    return index..<end
                }
                index = end
                rounds += 1
            } else {
                index += 1
            }
        }
        return nil
    }

    /// The next `;` or the `)` that closes: models have parentheses too, `Moto G (4)`.
    private static func segmentEnd(_ text: AgentText, from start: Int) -> Int? {
        var depth = 0
        var index = start
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: ";") where depth == 0: return index
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                if depth == 0 { return index }
                depth -= 1
            default: break
            }
            index += 1
        }
        return start < text.count ? text.count : nil
    }

    private static func isModel(_ text: AgentText, _ segment: Range<Int>) -> Bool {
        let start = segment.lowerBound
        switch segment.count {
        case 0, 1: return false
        case 2 where !AgentText.isDigit(text[start + 1]): return false
        case 5, 6:
            // `en-us` is a language; `TM-70` isn't.
            let sign = text[start + 2]
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "_"),
                AgentText.isLetter(text[start]), AgentText.isLetter(text[start + 1]),
                AgentText.isLetter(text[start + 3]), AgentText.isLetter(text[start + 4])
            {
                return false
            }
        default: break
        }
        for word in others where text.starts(with: word, at: start) { return false }
        return true
    }

    /// Beginnings of parts that name no model.
    private static let others: [StaticString] = [
        "mobile", "tablet", "rv:", "linux", "opera m", "opera t", "android", "arm_64", "build/",
        "language/", "scale/",
    ]

    /// Without what the build adds: ` Build/…`, ` MIUI/…`, and a line of the operator.
    private static func cut(_ text: AgentText, _ segment: Range<Int>) -> Range<Int>? {
        var end = segment.upperBound
        for word in builds {
            if let found = text.index(of: word, from: segment.lowerBound, before: end) {
                end = found
            }
        }
        let model = text.trimmed(segment.lowerBound..<end)
        return model.isEmpty ? nil : model
    }

    private static let builds: [StaticString] = [" build", " miui/", "/v10"]
}
