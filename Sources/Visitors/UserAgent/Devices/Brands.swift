internal import Domain

/// Makers, by how the names of their models begin.
enum Brands {
    struct Brand: Sendable {
        let name: String
        /// What all its models of this name are; nil: phones or tablets, as the agent says.
        let kind: Device.Kind?
        /// The maker's name itself rather than a model's: tells a device wherever it stands.
        let isMaker: Bool
    }

    /// The maker of the model that begins at `model`.
    static func find(_ text: AgentText, _ model: Range<Int>) -> Brand? {
        guard !model.isEmpty else { return nil }
        let bucket = buckets[Int(text.lower(model.lowerBound))]
        for rule in bucket where matches(rule.prefix, text, model) { return rule.brand }
        return nil
    }

    private struct Rule: Sendable {
        let prefix: StaticString
        let brand: Brand
    }

    /// Rules by their first byte in lower case; the longer prefix first.
    private static let buckets: [[Rule]] = {
        var buckets = [[Rule]](repeating: [], count: 256)
        let all =
            BrandNames.makers.map { ($0, $1, Device.Kind?.none, true) }
            + BrandModels.phones.map { ($0, $1, Device.Kind?.none, false) }
            + BrandModels.tablets.map { ($0, $1, Device.Kind?.some(.tablet), false) }
            + BrandModels.others.map { ($0, $1, Device.Kind?.some($2), false) }
        for (prefix, name, kind, isMaker) in all {
            let first = prefix.utf8Start[0] | 0x20
            let rule = Rule(prefix: prefix, brand: Brand(name: name, kind: kind, isMaker: isMaker))
            if prefix.utf8Start[0] == UInt8(ascii: "#") {
                for digit in UInt8(ascii: "0")...UInt8(ascii: "9") {
                    buckets[Int(digit)].append(rule)
                }
            } else {
                buckets[Int(first)].append(rule)
            }
        }
        return buckets.map {
            $0.sorted { $0.prefix.utf8CodeUnitCount > $1.prefix.utf8CodeUnitCount }
        }
    }()

    /// `#` is a digit. A maker's name of letters must end there: `HTC_One`, not `HTCsomething`,
    /// unless the rule ends in `*`.
    private static func matches(_ prefix: StaticString, _ text: AgentText, _ model: Range<Int>)
        -> Bool
    {
        var count = prefix.utf8CodeUnitCount
        let pointer = prefix.utf8Start
        let isOpen = pointer[count - 1] == UInt8(ascii: "*")
        if isOpen { count -= 1 }
        guard model.count >= count else { return false }
        for offset in 0..<count {
            let byte = text[model.lowerBound + offset]
            if pointer[offset] == UInt8(ascii: "#") {
                guard AgentText.isDigit(byte) else { return false }
            } else if byte | 0x20 != pointer[offset] | 0x20 {
                return false
            }
        }
        if isOpen || !AgentText.isLetter(pointer[count - 1]) { return true }
        return model.count == count || !AgentText.isLetter(text[model.lowerBound + count])
    }
}
