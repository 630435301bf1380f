/// Texts that a value is looked up in, without regard to ASCII case.
struct TextList: Hashable, Sendable {
    /// In lower case, sorted, without repeats.
    private let texts: [[UInt8]]

    init(_ texts: [String]) {
        let lower = Set(texts.map { $0.utf8.map(ASCII.lowercased) })
        self.texts = lower.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// All that are in one of the lists.
    init(joining lists: [TextList]) {
        texts = Set(lists.flatMap(\.texts)).sorted { $0.lexicographicallyPrecedes($1) }
    }

    var count: Int { texts.count }

    /// In lower case; the place is below `count`.
    subscript(place: Int) -> [UInt8] { texts[place] }

    func contains(_ value: UnsafeRawBufferPointer) -> Bool { index(of: value) != nil }

    func contains(_ value: [UInt8]) -> Bool { value.withUnsafeBytes { contains($0) } }

    func index(of value: UnsafeRawBufferPointer) -> Int? {
        var low = 0
        var high = texts.count
        while low < high {
            let middle = (low + high) / 2
            let order = Self.compare(texts[middle], value)
            if order == 0 { return middle }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Whether the value or what is left of it after each `separator`, from the left, is in the
    /// list: `ads.example.com`, `example.com`, `com`.
    func containsSuffix(of value: UnsafeRawBufferPointer, after separator: UInt8) -> Bool {
        if contains(value) { return true }
        for index in value.indices where value[index] == separator {
            if contains(UnsafeRawBufferPointer(rebasing: value[(index + 1)...])) { return true }
        }
        return false
    }

    /// Whether the value or what it begins with before a `separator` is in the list: `pt-br`, `pt`.
    func containsPrefix(of value: UnsafeRawBufferPointer, before separator: UInt8) -> Bool {
        if contains(value) { return true }
        for index in value.indices where value[index] == separator {
            if contains(UnsafeRawBufferPointer(rebasing: value[..<index])) { return true }
        }
        return false
    }

    func occurs(in value: UnsafeRawBufferPointer) -> Bool {
        texts.contains { Self.occurs($0, in: value) }
    }

    func begins(_ value: UnsafeRawBufferPointer) -> Bool {
        texts.contains { text in
            value.count >= text.count
                && Self.compare(text, UnsafeRawBufferPointer(rebasing: value[..<text.count])) == 0
        }
    }

    private static func compare(_ text: [UInt8], _ value: UnsafeRawBufferPointer) -> Int {
        let count = min(text.count, value.count)
        for index in 0..<count {
            let byte = ASCII.lowercased(value[index])
            if text[index] != byte { return text[index] < byte ? -1 : 1 }
        }
        return text.count - value.count
    }

    /// Both are short: a header is bounded by the request's limits, a condition's text by 200 bytes.
    private static func occurs(_ text: [UInt8], in value: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return true }
        let upper = first >= UInt8(ascii: "a") && first <= UInt8(ascii: "z") ? first & 0xDF : first
        var start = 0
        while true {
            start = ByteScan.firstIndex(of: first, or: upper, in: value, from: start)
            guard start + text.count <= value.count else { return false }
            var length = 1
            while length < text.count,
                ASCII.lowercased(value[start + length]) == text[length]
            { length += 1 }
            if length == text.count { return true }
            start += 1
        }
    }
}
