import Domain
import Testing

@Suite struct WeightedChoiceTests {
    @Test func `a million numbers fall by weight, within five standard deviations`() throws {
        let weights = [1, 0, 99, 400, 500]
        let choice = try #require(WeightedChoice(weights: weights))
        let draws = 1_000_000
        var counts = [Int](repeating: 0, count: weights.count)
        for number in 0..<draws {
            counts[choice.index(for: WeightedChoice.mix(UInt64(number), salt: 1))] += 1
        }
        for (weight, count) in zip(weights, counts) {
            let share = Double(weight) / 1000
            let deviation = (Double(draws) * share * (1 - share)).squareRoot()
            #expect(abs(Double(count) - Double(draws) * share) <= 5 * deviation)
        }
        #expect(counts[1] == 0)
    }

    @Test func `the ends of the range choose the ends of the list`() throws {
        let choice = try #require(WeightedChoice(weights: [1, 1]))
        #expect(choice.index(for: 0) == 0)
        #expect(choice.index(for: 1 << 63 - 1) == 0)
        #expect(choice.index(for: 1 << 63) == 1)
        #expect(choice.index(for: .max) == 1)
    }

    @Test func `a leading weight of zero is never chosen`() throws {
        let choice = try #require(WeightedChoice(weights: [0, 5]))
        #expect(choice.index(for: 0) == 1)
        #expect(choice.index(for: .max) == 1)
    }

    @Test func `nothing to choose from is no choice`() {
        #expect(WeightedChoice(weights: []) == nil)
        #expect(WeightedChoice(weights: [0, 0]) == nil)
    }

    @Test func `two salts choose independently`() throws {
        let choice = try #require(WeightedChoice(weights: [1, 1]))
        let draws = 100_000
        let same = (0..<draws).count { number in
            choice.index(for: WeightedChoice.mix(UInt64(number), salt: 1))
                == choice.index(for: WeightedChoice.mix(UInt64(number), salt: 2))
        }
        #expect(abs(same - draws / 2) < 1000)
    }
}
