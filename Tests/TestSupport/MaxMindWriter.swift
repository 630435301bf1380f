/// Writes files of the MaxMind DB format ("MaxMind DB File Format Specification" v2.0), so that no
/// test needs anybody's data.
public struct MaxMindWriter {
    public indirect enum Value: Equatable {
        case text(String)
        case double(Double)
        case bytes([UInt8])
        case uint16(UInt16)
        case uint32(UInt32)
        case int32(Int32)
        case uint64(UInt64)
        case uint128([UInt8])
        case bool(Bool)
        case float(Float)
        case array([Value])
        /// In this order.
        case map([(String, Value)])

        public static func == (left: Value, right: Value) -> Bool {
            var leftBytes: [UInt8] = []
            var rightBytes: [UInt8] = []
            left.encode(into: &leftBytes)
            right.encode(into: &rightBytes)
            return leftBytes == rightBytes
        }
    }

    public var type = "Test-City"
    public var recordBits = 28
    public var isIPv6 = true
    /// Seconds since 1970.
    public var builtAt: UInt64 = 1_790_000_000
    public var majorVersion: UInt16 = 2
    /// Texts that are repeated become pointers, as in the files there are.
    public var usesPointers = true
    /// Bytes of values that nothing leads to, so that pointers become longer.
    public var padding = 0

    /// Nodes; a record is a node, nothing, or an entry of `records`.
    private var nodes: [[Branch]] = [[.nothing, .nothing]]
    private var records: [Value] = []

    private enum Branch {
        case nothing
        case node(Int)
        case record(Int)
    }

    public init() {}

    public init(type: String) { self.type = type }

    /// Adds a prefix such as `203.0.113.0/24` or `2001:db8::/32`; the longer ones later.
    public mutating func add(_ prefix: String, _ value: Value) {
        let parts = prefix.split(separator: "/")
        guard parts.count == 2, let length = Int(parts[1]) else {
            preconditionFailure("no prefix: \(prefix)")
        }
        var bits = Self.bits(String(parts[0]))
        if !isIPv6 { bits = Array(bits.suffix(32)) }
        let isIPv4 = parts[0].contains(".")
        bits = Array(bits.prefix(length + (isIPv4 && isIPv6 ? 96 : 0)))
        records.append(value)
        insert(bits, .record(records.count - 1))
    }

    /// Makes `::ffff:0:0/96` lead where IPv4 addresses stand, as MaxMind's files do.
    public mutating func aliasIPv4() {
        var node = 0
        for _ in 0..<96 {
            guard case .node(let next) = nodes[node][0] else { return }
            node = next
        }
        insert([Int](repeating: 0, count: 80) + [Int](repeating: 1, count: 16), .node(node))
    }

    private mutating func insert(_ bits: [Int], _ branch: Branch) {
        var node = 0
        for bit in bits.dropLast() {
            if case .node(let next) = nodes[node][bit] {
                node = next
                continue
            }
            // What stood there stands in both halves.
            let above = nodes[node][bit]
            nodes.append([above, above])
            nodes[node][bit] = .node(nodes.count - 1)
            node = nodes.count - 1
        }
        if let last = bits.last {
            nodes[node][last] = branch
        } else {
            nodes[0] = [branch, branch]
        }
    }

    public func bytes() -> [UInt8] {
        var data = [UInt8](repeating: 0x40, count: padding)
        var known: [String: Int] = [:]
        let positions = records.map { record in
            let shared = usesPointers ? record.sharing(&known, in: &data) : record
            let position = data.count
            shared.encode(into: &data)
            return position
        }
        var tree: [UInt8] = []
        for node in nodes {
            let numbers = node.map { branch in
                switch branch {
                case .nothing: nodes.count
                case .node(let number): number
                case .record(let index): positions[index] + nodes.count + 16
                }
            }
            append(numbers[0], numbers[1], to: &tree)
        }
        var metadata: [UInt8] = []
        Value.map([
            ("binary_format_major_version", .uint16(majorVersion)),
            ("binary_format_minor_version", .uint16(0)), ("build_epoch", .uint64(builtAt)),
            ("database_type", .text(type)),
            ("description", .map([("en", .text("For tests"))])),
            ("ip_version", .uint16(isIPv6 ? 6 : 4)), ("languages", .array([.text("en")])),
            ("node_count", .uint32(UInt32(nodes.count))),
            ("record_size", .uint16(UInt16(recordBits))),
        ]).encode(into: &metadata)
        return tree + [UInt8](repeating: 0, count: 16) + data + Self.marker + metadata
    }

    public static let marker = [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)

    private func append(_ left: Int, _ right: Int, to tree: inout [UInt8]) {
        func bytes(_ number: Int, _ count: Int) -> [UInt8] {
            (0..<count).reversed().map { UInt8(number >> ($0 * 8) & 255) }
        }
        switch recordBits {
        case 24: tree += bytes(left, 3) + bytes(right, 3)
        case 28:
            let middle = UInt8((left >> 24) << 4 | right >> 24)
            tree += bytes(left & 0xFF_FFFF, 3) + [middle] + bytes(right & 0xFF_FFFF, 3)
        default: tree += bytes(left, 4) + bytes(right, 4)
        }
    }

    /// 128 bits, highest first; IPv4 behind 96 zeros.
    private static func bits(_ address: String) -> [Int] {
        if address.contains(".") {
            let numbers = address.split(separator: ".").compactMap { Int($0) }
            precondition(numbers.count == 4, "no address: \(address)")
            return [Int](repeating: 0, count: 96)
                + numbers.flatMap { number in (0..<8).reversed().map { number >> $0 & 1 } }
        }
        let halves = address.split(separator: "::", omittingEmptySubsequences: false)
        func groups(_ text: Substring) -> [Int] {
            text.split(separator: ":").compactMap { Int($0, radix: 16) }
        }
        let head = groups(halves[0])
        let tail = halves.count > 1 ? groups(halves[1]) : []
        let all = head + [Int](repeating: 0, count: 8 - head.count - tail.count) + tail
        return all.flatMap { group in (0..<16).reversed().map { group >> $0 & 1 } }
    }
}

extension MaxMindWriter.Value {
    /// With pointers in place of texts and maps that stand in `data`, where new ones are put.
    fileprivate func sharing(_ known: inout [String: Int], in data: inout [UInt8])
        -> MaxMindWriter.Value
    {
        switch self {
        case .map(let members):
            return .map(members.map { ($0.0, $0.1.shared(&known, in: &data)) })
        case .array(let items): return .array(items.map { $0.shared(&known, in: &data) })
        case .text, .double, .bytes, .uint16, .uint32, .int32, .uint64, .uint128, .bool, .float:
            return self
        }
    }

    private func shared(_ known: inout [String: Int], in data: inout [UInt8])
        -> MaxMindWriter.Value
    {
        let value = sharing(&known, in: &data)
        var encoded: [UInt8] = []
        value.encode(into: &encoded)
        guard encoded.count > 5 else { return value }
        let key = "\(encoded)"
        let position = known[key] ?? data.count
        if known[key] == nil {
            known[key] = position
            data += encoded
        }
        return .bytes(Self.pointerMark + withUnsafeBytes(of: position.bigEndian, Array.init))
    }

    /// Tells a pointer from bytes until it is written.
    private static let pointerMark = Array("a pointer to ".utf8)

    public func encode(into bytes: inout [UInt8]) {
        switch self {
        case .text(let text): Self.head(2, text.utf8.count, &bytes); bytes += Array(text.utf8)
        case .double(let value):
            Self.head(3, 8, &bytes)
            bytes += withUnsafeBytes(of: value.bitPattern.bigEndian, Array.init)
        case .bytes(let value) where value.starts(with: Self.pointerMark):
            let position = value.dropFirst(Self.pointerMark.count).reduce(0) { $0 << 8 | Int($1) }
            Self.pointer(position, &bytes)
        case .bytes(let value): Self.head(4, value.count, &bytes); bytes += value
        case .uint16(let value): Self.number(5, UInt64(value), &bytes)
        case .uint32(let value): Self.number(6, UInt64(value), &bytes)
        case .int32(let value):
            Self.head(8, 4, &bytes)
            bytes += withUnsafeBytes(of: value.bigEndian, Array.init)
        case .uint64(let value): Self.number(9, value, &bytes)
        case .uint128(let value): Self.head(10, value.count, &bytes); bytes += value
        case .bool(let value): Self.head(14, value ? 1 : 0, &bytes)
        case .float(let value):
            Self.head(15, 4, &bytes)
            bytes += withUnsafeBytes(of: value.bitPattern.bigEndian, Array.init)
        case .array(let items):
            Self.head(11, items.count, &bytes)
            for item in items { item.encode(into: &bytes) }
        case .map(let members):
            Self.head(7, members.count, &bytes)
            for (name, value) in members {
                Self.text(name).encode(into: &bytes)
                value.encode(into: &bytes)
            }
        }
    }

    private static func head(_ type: UInt8, _ size: Int, _ bytes: inout [UInt8]) {
        let (low, more): (UInt8, [UInt8])
        switch size {
        case 0..<29: (low, more) = (UInt8(size), [])
        case 29..<285: (low, more) = (29, [UInt8(size - 29)])
        case 285..<65_821:
            (low, more) = (30, [UInt8((size - 285) >> 8), UInt8((size - 285) & 255)])
        default:
            let rest = size - 65_821
            (low, more) = (31, [UInt8(rest >> 16), UInt8(rest >> 8 & 255), UInt8(rest & 255)])
        }
        bytes += type < 8 ? [type << 5 | low] : [low, type - 7]
        bytes += more
    }

    /// Without leading zeros.
    private static func number(_ type: UInt8, _ value: UInt64, _ bytes: inout [UInt8]) {
        let digits = withUnsafeBytes(of: value.bigEndian) { Array($0.drop { $0 == 0 }) }
        head(type, digits.count, &bytes)
        bytes += digits
    }

    private static func pointer(_ position: Int, _ bytes: inout [UInt8]) {
        switch position {
        case 0..<2_048: bytes += [0x20 | UInt8(position >> 8), UInt8(position & 255)]
        case 2_048..<526_336:
            let rest = position - 2_048
            bytes += [0x28 | UInt8(rest >> 16), UInt8(rest >> 8 & 255), UInt8(rest & 255)]
        default:
            let rest = position - 526_336
            bytes += [
                0x30 | UInt8(rest >> 24), UInt8(rest >> 16 & 255), UInt8(rest >> 8 & 255),
                UInt8(rest & 255),
            ]
        }
    }
}

extension MaxMindWriter {
    /// A city as GeoLite2 writes it.
    public static func city(
        _ country: String, region: String = "", city: String = "", more: [(String, Value)] = []
    ) -> Value {
        var members: [(String, Value)] = []
        if !city.isEmpty {
            members.append(
                (
                    "city",
                    .map([
                        ("geoname_id", .uint32(4_321_098)),
                        (
                            "names",
                            .map([("de", .text(city + "-de")), ("en", .text(city))])
                        ),
                    ])
                ))
        }
        members += [
            (
                "continent",
                .map([("code", .text("EU")), ("names", .map([("en", .text("Europe"))]))])
            ),
            (
                "country",
                .map([
                    ("geoname_id", .uint32(2_921_044)), ("is_in_european_union", .bool(true)),
                    ("iso_code", .text(country)), ("names", .map([("en", .text("A country"))])),
                ])
            ),
            (
                "location",
                .map([
                    ("accuracy_radius", .uint16(20)), ("latitude", .double(52.5)),
                    ("longitude", .double(13.4)), ("time_zone", .text("Europe/Berlin")),
                ])
            ),
        ]
        if !region.isEmpty {
            members.append(
                (
                    "subdivisions",
                    .array([
                        .map([
                            ("geoname_id", .uint32(2_950_157)), ("iso_code", .text(region)),
                            ("names", .map([("en", .text("Region \(region)"))])),
                        ])
                    ])
                ))
        }
        return .map(members + more)
    }

    /// A small file of cities: 203.0.113.0/24 is Berlin, 198.51.100.0/24 is Los Angeles,
    /// 2001:db8::/32 is Paris, 192.0.2.0/25 is somewhere in Japan.
    public static var cities: MaxMindWriter {
        var writer = MaxMindWriter(type: "GeoLite2-City")
        writer.add("203.0.113.0/24", city("DE", region: "BE", city: "Berlin"))
        writer.add("198.51.100.0/24", city("US", region: "CA", city: "Los Angeles"))
        writer.add("192.0.2.0/25", city("JP"))
        writer.add("2001:db8::/32", city("FR", region: "IDF", city: "Paris"))
        writer.aliasIPv4()
        return writer
    }

    /// Providers: 203.0.113.0/24 is AS64496 "Example Net", 198.51.0.0/16 AS64511 "Documentation
    /// Broadband, Inc".
    public static var systems: MaxMindWriter {
        var writer = MaxMindWriter(type: "GeoLite2-ASN")
        writer.recordBits = 24
        for (prefix, number, name) in [
            ("203.0.113.0/24", UInt32(64_496), "Example Net"),
            ("198.51.0.0/16", 64_511, "Documentation Broadband, Inc"),
        ] {
            writer.add(
                prefix,
                .map([
                    ("autonomous_system_number", .uint32(number)),
                    ("autonomous_system_organization", .text(name)),
                ]))
        }
        return writer
    }
}
