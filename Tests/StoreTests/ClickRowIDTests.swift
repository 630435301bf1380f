import Domain
import Foundation
import Store
import TestSupport
import Testing

@Suite struct ClickRowIDTests {
    private static let noon = StoreBench.noon

    @Test func `an ID has the time of its click and its node`() {
        let ids = ClickRowIDs(node: 200, newestStored: [], now: Self.noon)
        let first = ids.next(micros: Self.noon.micros + 1_999)
        #expect(first.instant == Instant(micros: Self.noon.micros + 1_000))
        #expect(first.node == 200 && first.sequence == 0)
        #expect(first.day == Self.noon.day)
        let second = ids.next(micros: Self.noon.micros + 1_999)
        #expect(second.sequence == 1 && second.milliseconds == first.milliseconds)
    }

    @Test func `more than a millisecond can number go on into the next one`() {
        let ids = ClickRowIDs(node: 0, newestStored: [], now: Self.noon)
        var last = ids.next(micros: Self.noon.micros)
        for _ in 0..<ClickRowID.sequenceMax {
            let next = ids.next(micros: Self.noon.micros)
            #expect(next > last)
            last = next
        }
        #expect(last.sequence == ClickRowID.sequenceMax)
        let over = ids.next(micros: Self.noon.micros)
        #expect(over.sequence == 0 && over.milliseconds == last.milliseconds + 1)
    }

    @Test func `a clock that jumps back repeats no ID`() {
        let ids = ClickRowIDs(node: 0, newestStored: [], now: Self.noon)
        let before = ids.next(micros: Self.noon.micros)
        var seen: Set<ClickRowID> = [before]
        var last = before
        for step in 0..<1000 {
            let next = ids.next(micros: Self.noon.micros - Int64(step) * 3_600_000_000)
            #expect(seen.insert(next).inserted && next > last)
            last = next
        }
        // Once the clock has caught up it is followed again.
        let after = ids.next(micros: Self.noon.micros + 60_000_000)
        #expect(after.instant == Self.noon.advanced(by: .seconds(60)))
    }

    @Test func `times before 2026 and beyond the bits do not trap`() {
        let ids = ClickRowIDs(node: 0, newestStored: [], now: Self.noon)
        let early = ids.next(micros: 0)
        #expect(early.rawValue >= 0)
        #expect(ids.next(micros: -1) > early)
        _ = ids.next(micros: .max)
        _ = ids.next(micros: .min)
    }

    @Test func `a restart goes on behind the newest stored ID`() {
        let stored = ClickRowID(
            milliseconds: Self.noon.milliseconds - ClickRowID.epochMilliseconds + 5000, node: 0,
            sequence: 7)
        // The clock is five seconds behind what was stored.
        let ids = ClickRowIDs(node: 0, newestStored: [stored], now: Self.noon)
        let next = ids.next(micros: Self.noon.micros)
        // A millisecond is left for lander clicks, which nobody looks for.
        #expect(next.milliseconds == stored.milliseconds + 1 && next.sequence == 8)
    }

    @Test func `a clock that was ahead for days leaves those days' IDs alone`() {
        // It stood on the 22nd and on the 23rd once; now it is the 20th.
        let today = Self.noon.day
        func id(_ day: Day, _ seconds: Int64, _ sequence: Int) -> ClickRowID {
            ClickRowID(
                milliseconds: day.start.milliseconds + seconds * 1000
                    - ClickRowID.epochMilliseconds,
                node: 0, sequence: sequence)
        }
        let stored = [
            id(today, 40_000, 3), id(today.advanced(by: 2), 10, 5),
            id(today.advanced(by: 3), 20, 6),
        ]
        let ids = ClickRowIDs(node: 0, newestStored: stored, now: Self.noon)
        // The present goes on in the present.
        let now = ids.next(micros: Self.noon.micros)
        #expect(now.day == today && now.instant == Self.noon)
        let tomorrow = today.advanced(by: 1).start
        #expect(ids.next(micros: tomorrow.micros).instant == tomorrow)
        // Where the clock once stood, IDs begin behind what is stored.
        let third = today.advanced(by: 2).start
        let first = ids.next(micros: third.micros)
        #expect(first > stored[1] && first.day == third.day)
        #expect(ids.next(micros: third.micros) > first)
        let later = ids.next(micros: third.micros + 60_000_000)
        #expect(later.instant == third.advanced(by: .seconds(60)))
        #expect(ids.next(micros: today.advanced(by: 3).start.micros) > stored[2])
    }

    @Test func `threads never get the same ID`() throws {
        let ids = ClickRowIDs(node: 1, newestStored: [], now: Self.noon)
        let all = Locked<[ClickRowID]>([])
        try concurrently(4) { thread in
            var random = SeededRandom(UInt64(thread))
            var mine: [ClickRowID] = []
            for _ in 0..<20_000 {
                let jitter = Int64.random(in: -5000...5000, using: &random)
                let next = ids.next(micros: Self.noon.micros + jitter)
                #expect(mine.last.map { $0 < next } ?? true)
                mine.append(next)
            }
            let done = mine
            all.with { $0 += done }
        }
        #expect(Set(all.current).count == 80_000)
    }
}
