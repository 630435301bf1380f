import Domain
import TestSupport
import Testing

@Suite struct ClickIDTests {
    @Test(arguments: 1...50) func `a click ID reads back from its text in either case`(seed: UInt64)
    {
        var random = SeededRandom(seed)
        let clickID = ClickID(block: UInt128.random(in: .min ... .max, using: &random))
        #expect(clickID.text.utf8.count == ClickID.textLength)
        #expect(ClickID(clickID.text) == clickID)
        #expect(ClickID(clickID.text.uppercased()) == clickID)
        #expect(ClickID(bytes: Array(clickID.text.utf8)) == clickID)
    }

    @Test(arguments: 0..<128) func `each bit of a block stands in its digit`(bit: Int) {
        let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
        var expected = [Character](repeating: "0", count: 26)
        expected[25 - bit / 5] = digits[1 << (bit % 5)]
        #expect(ClickID(block: UInt128(1) << UInt128(bit)).text == String(expected))
    }

    @Test func `letters that look like digits are read as those`() {
        let zeros = String(repeating: "0", count: 26)
        let ones = "1" + String(repeating: "1", count: 25)
        #expect(ClickID(String(repeating: "o", count: 26)) == ClickID(zeros))
        #expect(ClickID("O" + zeros.dropFirst()) == ClickID(zeros))
        #expect(ClickID("iLlI" + ones.dropFirst(4)) == ClickID(ones))
    }

    @Test(arguments: [
        "", "0", String(repeating: "0", count: 25), String(repeating: "0", count: 27),
        "u" + String(repeating: "0", count: 25), " " + String(repeating: "0", count: 25),
        "+" + String(repeating: "0", count: 25), "-" + String(repeating: "0", count: 25),
        "8" + String(repeating: "0", count: 25), "z" + String(repeating: "z", count: 25),
        String(repeating: "é", count: 13), "0000000000000000000000000\u{0}",
    ]) func `nothing else is a click ID`(text: String) {
        #expect(ClickID(text) == nil)
    }

    @Test func `the largest block still reads`() {
        #expect(ClickID("7" + String(repeating: "z", count: 25))?.block == .max)
    }

    @Test(arguments: 1...50) func `an identity survives its block`(seed: UInt64) {
        var random = SeededRandom(seed)
        let rowID = ClickRowID(
            milliseconds: .random(in: 0...ClickRowID.millisecondsMax, using: &random),
            node: .random(in: .min ... .max, using: &random),
            sequence: .random(in: 0...ClickRowID.sequenceMax, using: &random))
        let campaign = CampaignID(.random(in: 0...ClickIdentity.campaignIDMax, using: &random))
        let identity = ClickIdentity(rowID: rowID, campaignID: campaign)
        #expect(ClickIdentity(plainBlock: identity.plainBlock) == identity)
        // Each of the 40 proof bits and the spare one must be zero.
        for bit in [0, 1, 20, 39, 127] {
            #expect(ClickIdentity(plainBlock: identity.plainBlock | 1 << UInt128(bit)) == nil)
        }
    }

    @Test func `a row ID's parts come back, and its day names the file`() {
        let rowID = ClickRowID(milliseconds: 86_400_000 * 3 + 5, node: 7, sequence: 9)
        #expect(rowID.milliseconds == 86_400_000 * 3 + 5)
        #expect(rowID.node == 7)
        #expect(rowID.sequence == 9)
        #expect(rowID.day.text == "2026-01-04")
        #expect(
            rowID.instant.rfc3339 == "2026-01-04T00:00:00.005Z"
                || rowID.instant.rfc3339 == "2026-01-04T00:00:00.005000Z")
        #expect(ClickRowID(rawValue: -1) == nil)
    }
}
