import Testing

@testable import HTTP

/// RFC 9112, stricter than most servers: a deviation is refused and the connection closed, nothing
/// is repaired in silence, and none of it depends on how the bytes were split on their way.
@Suite struct ConformanceTests {
    static let refused = RequestLineCases.all + FieldCases.all + FramingCases.all

    @Test func `the table is as long as it should be`() {
        #expect(Self.refused.count >= 350)
        #expect(TakenCases.all.count >= 200)
        #expect(OutsideCases.all.count >= 250)
    }

    @Test(arguments: refused)
    func `what deviates is refused, however its bytes are split`(row: ConformanceCase) throws {
        try check(row)
    }

    @Test(arguments: TakenCases.all)
    func `what does not is taken, however its bytes are split`(row: ConformanceCase) throws {
        try check(row)
    }

    @Test(arguments: OutsideCases.all)
    func `others' cases are judged as they judge them, or more strictly`(row: ConformanceCase)
        throws
    {
        try check(row)
    }

    private func check(_ row: ConformanceCase) throws {
        let server = try ConformanceServer()
        let bytes = row.bytes
        let expected = ConformanceOutcome(expected: row)
        #expect(try server.run([bytes[...]]) == expected)
        for position in 1..<max(1, bytes.count) {
            let outcome = try server.run([bytes[..<position], bytes[position...]])
            #expect(outcome == expected, "split at byte \(position)")
            // One position is enough to see why.
            if outcome != expected { return }
        }
        let bytewise = try server.run(bytes.indices.map { bytes[$0...$0] })
        #expect(bytewise == expected, "byte by byte")
    }

    // MARK: Every byte in every place

    /// Where a byte stands between `before` and `after`, and which ones may.
    struct Place: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let before: String
        let after: String
        let isAllowed: @Sendable (UInt8) -> Bool

        init(
            _ name: String, _ before: String, _ after: String,
            _ isAllowed: @escaping @Sendable (UInt8) -> Bool
        ) {
            testDescription = name
            self.before = before
            self.after = after
            self.isAllowed = isAllowed
        }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        Array("!#$%&'*+-.^_`|~".utf8).contains(byte) || isAlphanumeric(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static func isText(_ byte: UInt8) -> Bool { byte == 9 || byte >= 32 && byte != 127 }

    private static let head = "POST / HTTP/1.1\r\nHost: a\r\n"

    static let places: [Place] = [
        Place("in the method", "A", "B / HTTP/1.1\r\nHost: a\r\n\r\n", isToken),
        Place("in the target", "GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n") { $0 > 32 && $0 != 127 },
        Place("before the target", "GET", "/ HTTP/1.1\r\nHost: a\r\n\r\n") { $0 == 32 },
        Place("before the version", "GET /", "HTTP/1.1\r\nHost: a\r\n\r\n") { $0 == 32 },
        // HTTP/1.0 is taken too, and ends the connection.
        Place("in the version", "GET / HTTP/1.", "\r\nHost: a\r\n\r\n") { (49...57).contains($0) },
        Place("behind the version", "GET / HTTP/1.1", "\r\nHost: a\r\n\r\n") { _ in false },
        Place("in a name", "\(head)X", "Y: 1\r\n\r\n") { $0 == 58 || isToken($0) },
        Place("before a colon", "\(head)X", ": 1\r\n\r\n") { $0 == 58 || isToken($0) },
        Place("behind a colon", "\(head)X:", "1\r\n\r\n", isText),
        Place("in a value", "\(head)X: a", "b\r\n\r\n", isText),
        Place("behind a value", "\(head)X: a", "\r\n\r\n", isText),
        Place("between CR and LF", "\(head)X: a\r", "\n\r\n") { _ in false },
        Place("before the end", "\(head)X: a\r\n", "\r\n\r\n") { _ in false },
        Place("in Host", "GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n") {
            isAlphanumeric($0) || Array("-._~".utf8).contains($0)
        },
        Place("in a port", "GET / HTTP/1.1\r\nHost: a:1", "2\r\n\r\n") { (48...57).contains($0) },
        Place("in a length", "\(head)Content-Length: 0", "0\r\n\r\n") { $0 == 48 },
        Place("in a coding", "\(head)Transfer-Encoding: chu", "nked\r\n\r\n0\r\n\r\n") { _ in false
        },
        Place("before a coding", "\(head)Transfer-Encoding:", "chunked\r\n\r\n0\r\n\r\n") {
            $0 == 9 || $0 == 32
        },
        Place("in a size", "\(ConformanceCase.chunkedHead)0", "0\r\n\r\n") {
            $0 == 48 || $0 == 59
        },
        Place("behind a size", "\(ConformanceCase.chunkedHead)1", "\r\nx\r\n0\r\n\r\n") { _ in false
        },
        Place("behind data", "\(ConformanceCase.chunkedHead)1\r\nx", "\r\n0\r\n\r\n") { _ in false
        },
        Place("in an extension", "\(ConformanceCase.chunkedHead)0;a", "b\r\n\r\n") {
            isToken($0) || $0 == 59 || $0 == 61
        },
        Place("in a quoted value", "\(ConformanceCase.chunkedHead)0;a=\"b", "c\"\r\n\r\n") {
            isText($0) && $0 != 34
        },
        Place("in a trailer's name", "\(ConformanceCase.chunkedHead)0\r\nX", "Y: 1\r\n\r\n") {
            $0 == 58 || isToken($0)
        },
        Place(
            "in a trailer's value", "\(ConformanceCase.chunkedHead)0\r\nX: a", "b\r\n\r\n", isText),
        Place("before the chunks' end", "\(ConformanceCase.chunkedHead)0\r\n", "\r\n\r\n") { _ in
            false
        },
    ]

    @Test(arguments: places)
    func `of all bytes only those that may stand there are taken`(place: Place) throws {
        let server = try ConformanceServer()
        let before = ConformanceCase.bytes(place.before)
        let after = ConformanceCase.bytes(place.after)
        for byte in UInt8.min...UInt8.max {
            let bytes = before + [byte] + after
            let whole = try server.run([bytes[...]])
            let isTaken = whole.statuses == [200] && !whole.isEnded
            #expect(isTaken == place.isAllowed(byte), "byte \(byte): \(whole)")
            for position in [before.count, before.count + 1] {
                let split = try server.run([bytes[..<position], bytes[position...]])
                #expect(split == whole, "byte \(byte), split at \(position)")
            }
        }
    }
}
