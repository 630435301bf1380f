internal import Domain

/// A file of the MaxMind DB format, version 2: a tree of address prefixes, and records at its
/// leaves.
///
/// Any bytes will do: what is damaged finds nothing. Safe on any thread.
final class MaxMindFile: Sendable {
    let type: String
    let builtAt: Instant
    let nodeCount: Int
    private let file: MappedFile
    private let recordBits: Int
    private let isIPv6: Bool
    /// Where the tree of IPv4 addresses begins: the node behind 96 zero bits, or what stands there
    /// instead of one.
    private let ipv4Start: Int
    private let dataStart: Int
    private let dataEnd: Int

    var byteCount: Int { file.bytes.count }

    /// Reads the metadata and looks whether the tree is inside the file; `check` looks at all of
    /// it.
    init(_ file: MappedFile) throws(GeoError) {
        let metadata = try MaxMindMetadata(file.bytes)
        self.file = file
        type = metadata.type
        builtAt = metadata.builtAt
        nodeCount = metadata.nodeCount
        recordBits = metadata.recordBits
        isIPv6 = metadata.ipVersion == 6
        // At most 2^32 nodes of 8 bytes.
        let treeBytes = nodeCount * recordBits / 4
        dataStart = treeBytes + 16
        dataEnd = metadata.markerStart
        guard dataStart <= dataEnd else { throw .damaged("its tree is longer than the file") }
        let tree = MaxMindTree(
            bytes: UnsafeRawBufferPointer(rebasing: file.bytes[..<treeBytes]),
            nodeCount: nodeCount, recordBits: recordBits)
        ipv4Start = isIPv6 ? tree.walk(0, bits: 0, count: 96) : 0
    }

    var tree: MaxMindTree {
        MaxMindTree(
            bytes: UnsafeRawBufferPointer(rebasing: file.bytes[..<(dataStart - 16)]),
            nodeCount: nodeCount, recordBits: recordBits)
    }

    /// The records.
    var section: MaxMindSection {
        MaxMindSection(bytes: UnsafeRawBufferPointer(rebasing: file.bytes[dataStart..<dataEnd]))
    }

    /// Where the record of an address stands in `section`.
    func record(of address: IPAddress) -> Int? {
        let found: Int
        if let ipv4 = address.ipv4 {
            found = tree.walk(ipv4Start, bits: UInt128(ipv4) << 96, count: 32)
        } else {
            guard isIPv6 else { return nil }
            found = tree.walk(0, bits: address.bits, count: 128)
        }
        return position(found)
    }

    /// A leaf's position in the data; nil for an empty leaf, a node, and one that leads nowhere.
    func position(_ leaf: Int) -> Int? {
        let position = leaf - nodeCount - 16
        return position >= 0 && position < dataEnd - dataStart ? position : nil
    }
}

/// The nodes of a file, each with what to do about a 0 and about a 1.
struct MaxMindTree {
    /// Of all nodes, and nothing else.
    let bytes: UnsafeRawBufferPointer
    let nodeCount: Int
    let recordBits: Int

    /// Follows the highest `count` of `bits` from a node to a leaf, or to where the bits end.
    func walk(_ start: Int, bits: UInt128, count: Int) -> Int {
        var node = start
        var bits = bits
        for _ in 0..<count {
            guard node < nodeCount else { return node }
            node = record(node, bits >> 127 == 0 ? 0 : 1)
            bits <<= 1
        }
        return node
    }

    /// The left (0) or right (1) record of a node, which must be one.
    @inline(__always)
    func record(_ node: Int, _ side: Int) -> Int {
        switch recordBits {
        case 24:
            let start = node * 6 + side * 3
            return number(start, start + 3)
        case 28:
            let start = node * 7
            // The byte in the middle has four bits of each.
            let middle = Int(bytes[start + 3])
            return side == 0
                ? (middle >> 4) << 24 | number(start, start + 3)
                : (middle & 15) << 24 | number(start + 4, start + 7)
        default:
            let start = node * 8 + side * 4
            return number(start, start + 4)
        }
    }

    @inline(__always)
    private func number(_ start: Int, _ end: Int) -> Int {
        var value = 0
        for index in start..<end { value = value << 8 | Int(bytes[index]) }
        return value
    }
}

/// What a file says about itself.
private struct MaxMindMetadata {
    var type = ""
    var builtAt = Instant(micros: 0)
    var nodeCount = 0
    var recordBits = 0
    var ipVersion = 0
    /// Where the data ends.
    let markerStart: Int

    private static let marker = [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
    /// With its marker.
    private static let bytesMax = 128 << 10

    init(_ bytes: UnsafeRawBufferPointer) throws(GeoError) {
        guard let start = Self.find(bytes) else {
            throw GeoError("the file is no MaxMind DB file, or its end is missing")
        }
        markerStart = start
        let section = MaxMindSection(
            bytes: UnsafeRawBufferPointer(rebasing: bytes[(start + Self.marker.count)...]))
        guard let map = section.value(at: 0) else { throw .damaged("its metadata can't be read") }
        var budget = MaxMindBudget()
        var members = MaxMindMembers(section, map)
        var version: UInt64?
        while let (name, value) = members.next(&budget) {
            let number = section.integer(value)
            if name.isWord("database_type") {
                type = section.text(value) ?? ""
            } else if name.isWord("build_epoch") {
                // Some makers' clocks are in milliseconds, or wrong.
                builtAt = Instant(micros: Int64(clamping: min(number ?? 0, 1 << 40)) * 1_000_000)
            } else if name.isWord("node_count") {
                nodeCount = Int(clamping: min(number ?? 0, 1 << 32))
            } else if name.isWord("record_size") {
                recordBits = Int(clamping: number ?? 0)
            } else if name.isWord("ip_version") {
                ipVersion = Int(clamping: number ?? 0)
            } else if name.isWord("binary_format_major_version") {
                version = number
            }
        }
        guard !budget.isDamaged else { throw .damaged("its metadata can't be read") }
        guard version == 2 else {
            throw GeoError("the file's format is not version 2 of MaxMind DB")
        }
        guard [24, 28, 32].contains(recordBits), [4, 6].contains(ipVersion), nodeCount > 0 else {
            throw .damaged("its metadata can't be")
        }
    }

    /// The last marker's position.
    private static func find(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= marker.count else { return nil }
        let earliest = max(0, bytes.count - bytesMax)
        var start = bytes.count - marker.count
        while start >= earliest {
            if bytes[start] == marker[0], bytes[start..<start + marker.count].elementsEqual(marker)
            {
                return start
            }
            start -= 1
        }
        return nil
    }
}
