import Domain
import Testing

@Suite struct ConversionEntryTests {
    private static let now = Instant(rfc3339: "2026-11-20T12:00:00Z") ?? Instant(micros: 0)

    private func entry(_ pairs: [(String, String)]) throws -> ConversionEntry {
        try ConversionEntry(pairs.map { ($0.0, Array($0.1.utf8)) }, now: Self.now)
    }

    @Test func `a time is RFC 3339 or a day, and not to come`() throws {
        #expect(try entry([("cid", "x")]).at == nil)
        #expect(try entry([("at", " ")]).at == nil)
        #expect(
            try entry([("AT", "2026-11-19T10:00:00+02:00")]).at?.rfc3339 == "2026-11-19T08:00:00Z")
        #expect(try entry([("converted_at", "2026-11-19")]).at?.rfc3339 == "2026-11-19T00:00:00Z")
        #expect(try entry([("at", "2026-11-21T12:00:00Z")]).at != nil)
        for text in ["2026-11-21T12:00:01Z", "yesterday", "1795000000", "19.11.2026"] {
            let refusal = #expect(throws: PostbackRefusal.self) { try entry([("at", text)]) }
            #expect(refusal?.verdict == .timeMalformed)
        }
    }

    @Test func `names that mean nothing are told`() throws {
        let entry = try entry([
            ("CID", "x"), ("tid", "1"), ("payuot", "2"), ("network", "n"), ("at", ""),
        ])
        #expect(entry.unknownNames == ["payuot"])
    }
}
