import Domain
import Foundation
import TestSupport
import Testing

@testable import Visitors

@Suite struct MaxMindFileTests {
    private let files: TemporaryDirectory

    init() throws { files = try TemporaryDirectory() }

    private func open(_ bytes: [UInt8]) throws(GeoError) -> MaxMindFile {
        let copy = try PrivateCopy(bytes, in: files.path)
        defer { copy.discard() }
        return try MaxMindFile(MappedFile(copy))
    }

    private func place(_ file: MaxMindFile, _ address: String) throws -> Place {
        let ip = try #require(IPAddress(address))
        var facts = PlaceFacts()
        if let position = file.record(of: ip) {
            let isWhole = facts.add(file.section, at: position)
            #expect(isWhole)
        }
        return facts.result
    }

    // MARK: Looking up

    @Test(arguments: [24, 28, 32], [true, false])
    func `addresses are found in trees of every width`(bits: Int, usesPointers: Bool) throws {
        var writer = MaxMindWriter.cities
        writer.recordBits = bits
        writer.usesPointers = usesPointers
        let file = try open(writer.bytes())
        try file.check()
        #expect(file.type == "GeoLite2-City")
        #expect(file.builtAt.micros == 1_790_000_000_000_000)
        for (address, code, region, city) in [
            ("203.0.113.0", "DE", "BE", "Berlin"), ("203.0.113.255", "DE", "BE", "Berlin"),
            ("203.0.112.255", "", "", ""), ("203.0.114.0", "", "", ""),
            ("198.51.100.77", "US", "CA", "Los Angeles"), ("192.0.2.127", "JP", "", ""),
            ("192.0.2.128", "", "", ""), ("::ffff:203.0.113.9", "DE", "BE", "Berlin"),
            ("2001:db8::1", "FR", "IDF", "Paris"), ("2001:db9::", "", "", ""), ("::", "", "", ""),
            ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "FR", "IDF", "Paris"),
        ] {
            let place = try place(file, address)
            #expect(place.country == code && place.region == region, "\(address)")
            #expect(place.city == city, "\(address)")
        }
    }

    @Test func `a file of IPv4 knows no other addresses`() throws {
        var writer = MaxMindWriter(type: "Four")
        writer.isIPv6 = false
        writer.add("0.0.0.0/1", MaxMindWriter.city("DE"))
        writer.add("10.0.0.0/8", MaxMindWriter.city("US"))
        let file = try open(writer.bytes())
        try file.check()
        #expect(try place(file, "1.2.3.4").country == "DE")
        #expect(try place(file, "10.255.0.1").country == "US")
        #expect(try place(file, "128.0.0.1").country == "")
        #expect(try place(file, "2001:db8::1") == .unknown)
    }

    @Test func `a record for every IPv4 address may stand above all of them`() throws {
        var writer = MaxMindWriter(type: "Wide")
        writer.add("::/2", MaxMindWriter.city("DE"))
        let file = try open(writer.bytes())
        #expect(try place(file, "203.0.113.9").country == "DE")
        #expect(try place(file, "8000::1").country == "")
    }

    @Test(arguments: [0, 2_100, 530_000])
    func `pointers of every length lead to their texts`(padding: Int) throws {
        var writer = MaxMindWriter.cities
        writer.recordBits = 32
        writer.padding = padding
        let file = try open(writer.bytes())
        #expect(try place(file, "198.51.100.1").city == "Los Angeles")
    }

    @Test func `a pointer of four bytes counts from the beginning`() {
        let bytes: [UInt8] = [0x38, 0, 0, 0, 5, 0x42, 0x55, 0x53]
        bytes.withUnsafeBytes { bytes in
            let section = MaxMindSection(bytes: bytes)
            #expect(section.value(at: 0).flatMap { section.text($0) } == "US")
        }
    }

    @Test(arguments: [1, 28, 29, 284, 285, 65_820, 65_821, 70_000])
    func `values of every length are passed over`(length: Int) throws {
        var writer = MaxMindWriter(type: "Long")
        writer.usesPointers = false
        writer.add(
            "203.0.113.0/24",
            .map([
                ("aaa", .text(String(repeating: "x", count: length))),
                ("bbb", .bytes([UInt8](repeating: 0, count: length))),
                (
                    "ccc",
                    .array([.bool(true), .float(1), .uint128([UInt8](repeating: 9, count: 16))])
                ),
                ("ddd", .map([("e", .int32(-1)), ("f", .array([])), ("g", .map([]))])),
                ("country", .map([("iso_code", .text("DE"))])),
            ]))
        let file = try open(writer.bytes())
        try file.check()
        #expect(try place(file, "203.0.113.1").country == "DE")
    }

    @Test func `members are known in every maker's words`() throws {
        let cases: [(MaxMindWriter.Value, (inout Place) -> Void)] = [
            (
                .map([("country", .text("DE")), ("asn", .text("AS64496")), ("as_name", .text("N"))]
                ),
                { ($0.country, $0.asn, $0.isp) = ("DE", 64_496, "N") }
            ),
            (.map([("country_code", .text("US"))]), { $0.country = "US" }),
            (.map([("country_code", .text("us"))]), { _ in }),
            (.map([("country_code", .text("USA"))]), { _ in }),
            (
                .map([("city", .text("Paris")), ("region", .text("IDF"))]),
                { ($0.city, $0.region) = ("Paris", "IDF") }
            ),
            (.map([("isp", .text("I")), ("organization", .text("O"))]), { $0.isp = "I" }),
            (
                .map([("organization", .text("O")), ("autonomous_system_organization", .text("S"))]
                ),
                { $0.isp = "O" }
            ),
            (.map([("connection_type", .text("Cellular"))]), { $0.connectionType = "Cellular" }),
            (
                .map([
                    (
                        "traits",
                        .map([
                            ("isp", .text("I")), ("connection_type", .text("Cable/DSL")),
                            ("autonomous_system_number", .uint32(4_294_967_295)),
                        ])
                    )
                ]), { ($0.isp, $0.connectionType, $0.asn) = ("I", "Cable/DSL", .max) }
            ),
            (
                .map([
                    (
                        "subdivisions",
                        .array([.map([("names", .map([("en", .text("California"))]))])])
                    )
                ]),
                { $0.region = "California" }
            ),
            (
                .map([("city", .map([("names", .map([("fr", .text("Lyon"))]))]))]),
                { $0.city = "Lyon" }
            ),
            (
                .map([("country", .uint32(7)), ("city", .array([])), ("asn", .bool(true))]),
                { _ in }
            ),
            (.text("DE"), { _ in }),
        ]
        for (value, expectation) in cases {
            var writer = MaxMindWriter(type: "Some")
            writer.add("203.0.113.0/24", value)
            var expected = Place()
            expectation(&expected)
            #expect(try place(try open(writer.bytes()), "203.0.113.7") == expected, "\(value)")
        }
    }

    // MARK: Files that are none

    private func message(_ bytes: [UInt8]) -> String? {
        do throws(GeoError) {
            try open(bytes).check()
            return nil
        } catch {
            return error.message
        }
    }

    @Test func `a file cut off anywhere is refused`() throws {
        let whole = MaxMindWriter.cities.bytes()
        #expect(message(whole) == nil)
        for count in 0..<whole.count {
            #expect(message(Array(whole[..<count])) != nil, "\(count)")
        }
    }

    @Test func `what a file lacks is said`() throws {
        #expect(message([]) == "the file is empty")
        #expect(
            message(Array("<html>not found</html>".utf8))
                == "the file is no MaxMind DB file, or its end is missing")
        var writer = MaxMindWriter.cities
        writer.majorVersion = 3
        #expect(message(writer.bytes()) == "the file's format is not version 2 of MaxMind DB")
        var empty = MaxMindWriter(type: "Empty")
        #expect(message(empty.bytes()) == "the file has no records")
        empty.add("203.0.113.0/24", .map([("continent", .text("EU"))]))
        #expect(message(empty.bytes())?.hasPrefix("nothing in the file is of use") == true)
        // The beginning is missing: nothing stands where the tree says.
        #expect(message(Array(MaxMindWriter.cities.bytes().dropFirst(40))) != nil)
    }

    @Test(arguments: 1...30) func `a damaged file makes nothing trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var writer = MaxMindWriter.cities
        writer.recordBits = [24, 28, 32][Int(seed % 3)]
        let whole = writer.bytes()
        for _ in 0..<60 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            // Nil: it is refused.
            guard let file = try? open(bytes) else { continue }
            _ = message(bytes)
            for _ in 0..<20 {
                let bits = UInt128.random(in: .min ... .max, using: &random)
                for ip in [
                    IPAddress(bits: bits), IPAddress(ipv4: UInt32(truncatingIfNeeded: bits)),
                ] {
                    var facts = PlaceFacts()
                    if let position = file.record(of: ip) {
                        _ = facts.add(file.section, at: position)
                    }
                }
            }
        }
    }

    @Test func `records that lie in one another end`() throws {
        // Every byte begins an array of arrays, so that reading from each of them is dear.
        var writer = MaxMindWriter(type: "Nested")
        writer.recordBits = 32
        let nested = MaxMindWriter.Value.bytes([UInt8](repeating: 0, count: 4))
        for number in 0..<64 {
            writer.add("10.0.\(number).0/24", .array([nested, .map([("asn", .uint32(7))])]))
        }
        var bytes = writer.bytes()
        let tree = bytes.count / 2
        for index in tree..<bytes.count - 300 { bytes[index] = index % 2 == 0 ? 0x02 : 0x04 }
        let start = ContinuousClock.now
        _ = message(bytes)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func `a pointer to a pointer is damage, and so is one to itself`() throws {
        var writer = MaxMindWriter(type: "Loop")
        writer.usesPointers = false
        writer.add("203.0.113.0/24", .map([("country", .text("DE"))]))
        let whole = writer.bytes()
        let text = Array("country".utf8)
        let index = try #require((0..<whole.count).first { whole[$0...].starts(with: text) })
        var bytes = whole
        // In place of "DE": where this very pointer stands, in the data.
        let data = index - 2
        bytes[index + text.count] = 0x20
        bytes[index + text.count + 1] = UInt8(index + text.count - data)
        #expect(message(bytes) != nil)
    }

    @Test func `a walk through a record has an end`() throws {
        var writer = MaxMindWriter(type: "Endless")
        writer.usesPointers = false
        let value = MaxMindWriter.Value.array(
            [MaxMindWriter.Value](repeating: .array([.bool(true)]), count: 5_000))
        writer.add(
            "203.0.113.0/24",
            .map([("aaa", value), ("country", .map([("iso_code", .text("DE"))]))]))
        #expect(message(writer.bytes()) != nil)
        let file = try open(writer.bytes())
        let ip = try #require(IPAddress("203.0.113.1"))
        var facts = PlaceFacts()
        let isWhole = facts.add(file.section, at: try #require(file.record(of: ip)))
        #expect(!isWhole)
    }
}
