public import Domain

/// Whom the operator takes for bots: networks, such as those of data centres and of companies that
/// check ads, and words of user agents.
public struct BotList: Sendable {
    /// An IPv4 address per line for the largest lists that are sold; 32 bytes each.
    public static let networksMax = 1_000_000
    public static let wordsMax = 1000
    static let wordBytesMax = 100

    /// Lowest and highest addresses of blocks, in order, none within another.
    private let blocks: [(first: UInt128, last: UInt128)]
    /// In lower case, by their first two bytes.
    private let words: [UInt16: [[UInt8]]]

    private static let ipv4: ClosedRange<UInt128> = 0xffff_0000_0000...0xffff_ffff_ffff

    public static let empty = BotList(networks: [], words: [])

    public var isEmpty: Bool { blocks.isEmpty && words.isEmpty }
    /// Blocks that lie within others aren't counted.
    public var networkCount: Int { blocks.count }
    public var wordCount: Int { words.values.reduce(0) { $0 + $1.count } }

    init(networks: [IPNetwork], words: [[UInt8]]) {
        var blocks: [(first: UInt128, last: UInt128)] = []
        var ranges: [(first: UInt128, last: UInt128)] = []
        for network in networks {
            let first = network.first.bits
            let last = first | UInt128.max >> UInt128(network.prefixLength)
            if network.prefixLength < 96, first <= Self.ipv4.lowerBound,
                last >= Self.ipv4.upperBound
            {
                // `::/0` means every IPv6 address; those of IPv4 lie within it as we hold them.
                if first < Self.ipv4.lowerBound { ranges.append((first, Self.ipv4.lowerBound - 1)) }
                ranges.append((Self.ipv4.upperBound + 1, last))
            } else {
                ranges.append((first, last))
            }
        }
        for range in ranges.sorted(by: { ($0.first, $1.last) < ($1.first, $0.last) }) {
            if let last = blocks.last, range.last <= last.last { continue }
            blocks.append(range)
        }
        self.blocks = blocks
        self.words = Dictionary(grouping: words) { UInt16($0[0]) << 8 | UInt16($0[1]) }
    }

    /// By halves: the same time for a list of ten and a million.
    public func contains(_ address: IPAddress) -> Bool {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = low + (high - low) / 2
            if blocks[middle].first <= address.bits { low = middle + 1 } else { high = middle }
        }
        return low > 0 && address.bits <= blocks[low - 1].last
    }

    public func names(agent: UnsafeRawBufferPointer) -> Bool {
        guard !words.isEmpty, agent.count >= 2 else { return false }
        let text = AgentText(agent)
        var first = AgentText.lowercased(text[0])
        for index in 1..<text.count {
            let second = AgentText.lowercased(text[index])
            if let candidates = words[UInt16(first) << 8 | UInt16(second)] {
                for word in candidates where text.starts(with: word, at: index - 1) { return true }
            }
            first = second
        }
        return false
    }
}

/// Why a list of bots can't be used: the line, from 1, and what to change there.
public struct BotListError: Error, Equatable, CustomStringConvertible {
    public let line: Int
    public let message: String

    public var description: String { "line \(line): \(message)" }
}

extension BotList {
    /// Reads a list: on each line an address, a network (`192.0.2.0/24`) or `agent:` and a word or
    /// words that only a bot's user agent has in it. What follows a `#` isn't read.
    public init(parsing bytes: [UInt8]) throws(BotListError) {
        var networks: [IPNetwork] = []
        var words: [[UInt8]] = []
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let text = Self.trimmed(line.prefix { $0 != UInt8(ascii: "#") })
            if text.isEmpty { continue }
            if text.starts(with: "agent:".utf8) {
                let word = Self.trimmed(text.dropFirst(6)).map(AgentText.lowercased)
                guard (2...Self.wordBytesMax).contains(word.count) else {
                    throw BotListError(
                        line: number,
                        message: "write 2 to \(Self.wordBytesMax) letters behind `agent:`")
                }
                guard words.count < Self.wordsMax else {
                    throw BotListError(line: number, message: "more than \(Self.wordsMax) agents")
                }
                words.append(word)
            } else if let network = IPNetwork(String(decoding: text.prefix(64), as: UTF8.self)),
                text.count <= 64
            {
                guard networks.count < Self.networksMax else {
                    throw BotListError(
                        line: number, message: "more than \(Self.networksMax) networks")
                }
                networks.append(network)
            } else {
                throw BotListError(
                    line: number,
                    message: "neither an address, a network such as 192.0.2.0/24, nor `agent: word`"
                )
            }
        }
        self.init(networks: networks, words: words)
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while let first = text.first, first <= 0x20 { text = text.dropFirst() }
        while let last = text.last, last <= 0x20 { text = text.dropLast() }
        return text
    }
}
