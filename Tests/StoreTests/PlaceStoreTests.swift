import Domain
import Store
import TestSupport
import Testing

/// Where visitors were, as day files keep it.
@Suite struct PlaceStoreTests {
    @Test func `clicks from one place share its text`() throws {
        let bench = try ClickBench()
        var place = Place()
        place.country = "US"
        place.city = "Los Angeles"
        place.asn = 64_511
        var batch = ClickBatch()
        var ids: [ClickRowID] = []
        for number in 0..<3 {
            ids.append(ClickBench.click(number, into: &batch))
            guard number < 2 else { continue }
            batch.rows[number].place = place.packed.withUnsafeBytes { batch.keep($0) }
        }
        #expect(try bench.save(batch) == .stored)
        #expect(try ids.map { try bench.click($0)?.place } == [place, place, nil])
        let day = StoreBench.noon.day
        #expect(try bench.count(day, "SELECT count(DISTINCT place) FROM click") == 1)
        func sums(by parts: Audience.Parts) throws -> [AudienceClicks] {
            var sums: [AudienceClicks] = []
            try ClickReader(bench.data).audienceTotals(
                by: parts, on: day, from: day.start, to: day.advanced(by: 1).start
            ) {
                sums.append($0)
                return true
            }
            return sums
        }
        let totals = try sums(by: .place)
        #expect(Set(totals.map(\.audience.place)) == [place, nil])
        #expect(totals.first { $0.audience.place == place }?.total.clicks == 2)
        let undivided = try sums(by: [])
        #expect(undivided.map(\.total.clicks) == [3] && undivided[0].audience.place == nil)
    }
}
