import Domain
import TestSupport
import Testing

@Suite struct CostSharesTests {
    @Test(
        arguments: [
            (CostShares(total: 10, count: 3), [3, 4, 3]),
            (CostShares(total: 0, count: 3), [0, 0, 0]),
            (CostShares(total: 2, count: 4), [0, 1, 1, 0]),
            (CostShares(each: 7), [7, 7]), (CostShares(perThousand: 1500), [2, 1, 1, 2]),
            (CostShares(total: 9, count: 0), [0]),
        ])
    func `an amount is dealt out in shares`(shares: CostShares, each: [Int128]) {
        #expect(each.indices.map { shares.sum(of: Int64($0)..<Int64($0 + 1)) } == each)
    }

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func `the shares of any runs add up to the amount, and are alike`(seed: UInt64) {
        var random = SeededRandom(seed)
        let count = Int64.random(in: 1...(seed % 2 == 0 ? 1000 : 1 << 50), using: &random)
        let total =
            Int64.random(in: 0...(.max), using: &random) >> Int.random(in: 0...62, using: &random)
        let shares = CostShares(total: total, count: count)
        var cuts = (0..<20).map { _ in Int64.random(in: 0...count, using: &random) } + [0, count]
        cuts.sort()
        let sums = zip(cuts, cuts.dropFirst()).map { shares.sum(of: $0..<$1) }
        #expect(sums.reduce(0, +) == Int128(total))
        let fair = Int128(total) / Int128(count)
        for cut in cuts where cut < count {
            let one = shares.sum(of: cut..<(cut + 1))
            #expect(fair <= one && one <= fair + 1, "\(cut) of \(count)")
        }
    }
}
