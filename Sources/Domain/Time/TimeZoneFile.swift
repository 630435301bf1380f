extension TimeZoneRules {
    /// Longer files than this are no time zones: the largest one there is has some 4,000 bytes.
    public static let fileBytesMax = 64 << 10

    /// Reads a compiled time zone file (TZif, RFC 8536) of version 2 or later.
    ///
    /// Files that count leap seconds are refused, for POSIX time doesn't.
    public init(name: String, file bytes: [UInt8]) throws(TimeZoneError) {
        guard bytes.count <= Self.fileBytesMax else { throw .damaged("it is too long") }
        var reader = TimeZoneFileReader(bytes)
        let old = try reader.header()
        guard old.version >= UInt8(ascii: "2") else {
            throw TimeZoneError("is a time zone whose file has an old format: update tzdata")
        }
        // Times in 32 bits, for older programs.
        try reader.skip(old.counts.bytes(perTime: 4))
        let header = try reader.header()
        let counts = header.counts
        guard counts.leaps == 0 else {
            throw TimeZoneError("is a time zone whose file counts leap seconds")
        }
        guard (1...256).contains(counts.types) else { throw .damaged("it has no offset") }
        var changes: [Int64] = []
        for _ in 0..<counts.times {
            let time = try reader.integer(bytes: 8)
            guard time > changes.last ?? .min || changes.isEmpty else {
                throw .damaged("its times are not in order")
            }
            changes.append(time)
        }
        let numbers = try reader.take(counts.times)
        var typeOffsets: [Int32] = []
        for _ in 0..<counts.types {
            let offset = try reader.integer(bytes: 4)
            guard abs(offset) <= 26 * 3_600 else { throw .damaged("it has an offset of days") }
            typeOffsets.append(Int32(offset))
            // Is it summer time, and where its abbreviation stands.
            try reader.skip(2)
        }
        var offsets = [typeOffsets[0]]
        for number in numbers {
            guard Int(number) < typeOffsets.count else { throw .damaged("it lacks an offset") }
            offsets.append(typeOffsets[Int(number)])
        }
        try reader.skip(counts.characters + counts.standards + counts.universals)
        self.init(
            name: name, changes: changes, offsets: offsets,
            rule: try YearlyTimeZone(footer: try reader.footer()))
    }
}

/// Reads the parts of a time zone file from its beginning; every read is checked.
private struct TimeZoneFileReader {
    private let bytes: [UInt8]
    private var position = 0

    /// RFC 8536 section 3.1, in the order of the data they count.
    struct Counts {
        var universals, standards, leaps, times, types, characters: Int

        func bytes(perTime width: Int) -> Int {
            times * (width + 1) + types * 6 + characters + leaps * (width + 4) + standards
                + universals
        }
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func take(_ count: Int) throws(TimeZoneError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else {
            throw .damaged("it ends too early")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) throws(TimeZoneError) { _ = try take(count) }

    /// A signed integer in network byte order.
    mutating func integer(bytes count: Int) throws(TimeZoneError) -> Int64 {
        let value = try take(count).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let unused = UInt64(64 - 8 * count)
        return Int64(bitPattern: value << unused) >> Int64(unused)
    }

    mutating func header() throws(TimeZoneError) -> (version: UInt8, counts: Counts) {
        guard try take(4).elementsEqual("TZif".utf8) else {
            throw .damaged("it does not begin with TZif")
        }
        guard let version = try take(16).first else { throw .damaged("it ends too early") }
        let counts = Counts(
            universals: try count(), standards: try count(), leaps: try count(),
            times: try count(), types: try count(), characters: try count())
        return (version, counts)
    }

    /// No part can have more items than the file has bytes, so that their sum can't overflow.
    private mutating func count() throws(TimeZoneError) -> Int {
        let value = try integer(bytes: 4)
        guard value >= 0, value <= bytes.count else { throw .damaged("it ends too early") }
        return Int(value)
    }

    /// What follows the data, between two line feeds.
    mutating func footer() throws(TimeZoneError) -> ArraySlice<UInt8> {
        guard try take(1).first == 0x0A, let end = bytes[position...].firstIndex(of: 0x0A) else {
            throw .damaged("it has no last line")
        }
        return try take(end - position)
    }
}
