import Domain
import TestSupport
import Testing

@testable import Clicks

/// What is remembered of visitors, and for how long.
@Suite struct VisitorMemoryTests {
    private static let hour = 3600 as Int64
    private static let scope = MemoryScope.campaign(CampaignID(7))

    private static func key(_ visitor: UInt64, _ scope: MemoryScope = scope, window: Int64 = 0)
        -> VisitorKey
    {
        VisitorKey(VisitorNumber(rawValue: visitor), scope, window: window)
    }

    private static func place(
        _ flow: MemoryScope = scope, at second: Int64 = 0, offer: Int64, lander: Int64? = nil
    ) -> VisitedPlace {
        VisitedPlace(
            flow: flow, second: second, rule: 1, path: 1, lander: lander.map { LanderID($0) },
            offer: OfferID(offer))
    }

    @Test func `a visitor is new once in a window`() {
        let memory = VisitorMemory()
        let visits = [0, 1, 86_399, 86_400, 86_401].map { second in
            memory.visit(Self.key(1), at: second, window: 24 * Self.hour).visits
        }
        #expect(visits == [1, 2, 3, 1, 2])
        #expect(memory.visit(Self.key(2), at: 5, window: 24 * Self.hour).visits == 1)
        #expect(memory.visit(Self.key(1, .everywhere), at: 5, window: Self.hour).visits == 1)
        #expect(memory.visit(Self.key(1, .flow(FlowID(7))), at: 5, window: Self.hour).visits == 1)
        #expect(memory.count == 4)
    }

    @Test func `a visit that was not recorded does not count`() {
        let memory = VisitorMemory()
        #expect(memory.peek(Self.key(1), at: 0, window: Self.hour).visits == 1)
        #expect(memory.count == 0)
        #expect(memory.visit(Self.key(1), at: 0, window: Self.hour).visits == 1)
        #expect(memory.peek(Self.key(1), at: 1, window: Self.hour).visits == 2)
        #expect(memory.peek(Self.key(1), at: Self.hour, window: Self.hour).visits == 1)
        memory.takeBack(Self.key(1))
        #expect(memory.visit(Self.key(1), at: 2, window: Self.hour).visits == 1)
        memory.takeBack(Self.key(2))
        #expect(memory.count == 1)
    }

    @Test func `where a visit was sent is told to the next, and what was seen`() {
        let memory = VisitorMemory()
        #expect(memory.visit(Self.key(1), at: 0, window: Self.hour).place(in: Self.scope) == nil)
        memory.note(Self.key(1), Self.place(offer: 3, lander: 9))
        #expect(
            memory.visit(Self.key(1), at: 1, window: Self.hour).place(in: Self.scope)?.offer
                == OfferID(3))
        memory.note(Self.key(1), Self.place(offer: 4))
        let record = memory.visit(Self.key(1), at: 2, window: Self.hour)
        #expect(record.place(in: Self.scope) == Self.place(offer: 4))
        #expect(record.seenOffers == [OfferID(3), OfferID(4)])
        #expect(record.seenLanders == [LanderID(9)])
        let later = memory.visit(Self.key(1), at: Self.hour, window: Self.hour)
        #expect(later.place(in: Self.scope) == nil && later.seenOffers.isEmpty)
        for offer in 1...100 as ClosedRange<Int64> {
            memory.note(Self.key(1), Self.place(offer: offer))
        }
        // By flow, so that one scope over all keeps them apart.
        memory.note(Self.key(1), Self.place(.flow(FlowID(7)), offer: 100))
        #expect(
            memory.peek(Self.key(1), at: Self.hour + 1, window: Self.hour)
                .place(in: .flow(FlowID(7)))?.flow == .flow(FlowID(7)))
        let full = memory.visit(Self.key(1), at: Self.hour + 1, window: Self.hour)
        #expect(full.seenOffers == (69...100).map { OfferID($0) })
    }

    @Test func `what was before a start is restored beside what comes`() {
        let memory = VisitorMemory()
        // Came again before the old visits were read.
        _ = memory.visit(Self.key(1), at: 1000, window: Self.hour)
        memory.note(Self.key(1), Self.place(at: 1000, offer: 5))
        memory.restore(Self.key(1), at: 400, window: Self.hour, Self.place(at: 400, offer: 3))
        memory.restore(Self.key(1), at: 500, window: Self.hour, nil)
        let record = memory.visit(Self.key(1), at: 1001, window: Self.hour)
        #expect(record.visits == 4 && record.beganAt == 400)
        #expect(Set(record.seenOffers) == [OfferID(3), OfferID(5)])
        #expect(record.place(in: Self.scope)?.offer == OfferID(5))
        // A window that is over stays so.
        _ = memory.visit(Self.key(2), at: 10_000, window: Self.hour)
        memory.restore(Self.key(2), at: 400, window: Self.hour, Self.place(offer: 3))
        #expect(memory.visit(Self.key(2), at: 10_001, window: Self.hour).visits == 2)
        // Restored in order, a window ends as it did then.
        memory.restore(Self.key(3), at: 0, window: Self.hour, Self.place(offer: 1))
        memory.restore(Self.key(3), at: Self.hour, window: Self.hour, Self.place(offer: 2))
        let restored = memory.visit(Self.key(3), at: Self.hour + 5, window: Self.hour)
        #expect(restored.visits == 2 && restored.seenOffers == [OfferID(2)])
    }

    @Test func `memory stays within its bound, and forgets the oldest first`() {
        let memory = VisitorMemory(recordsMax: 6400)
        for visitor in 1...100_000 as ClosedRange<UInt64> {
            _ = memory.visit(Self.key(visitor), at: Int64(visitor), window: 1_000_000)
            // One that keeps coming is never the oldest.
            let regular = memory.visit(Self.key(0), at: Int64(visitor), window: 1_000_000)
            #expect(regular.visits == Int(visitor))
        }
        #expect(memory.count <= 6400)
        #expect(memory.count > 3000)
        for visitor in 99_000...100_000 as ClosedRange<UInt64> {
            let record = memory.visit(Self.key(visitor), at: 100_001, window: 1_000_000)
            #expect(record.visits == 2, "\(visitor)")
        }
    }
}
