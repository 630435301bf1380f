import Crypto
import Domain
import Testing

@Suite struct ClickIDKeysTests {
    private let identity = ClickIdentity(
        rowID: ClickRowID(milliseconds: 123_456_789, node: 3, sequence: 42),
        campaignID: CampaignID(77))

    @Test func `what was sealed opens, and only under its key`() throws {
        let keys = try ClickIDKeys([SecureRandom.bytes(16)])
        let clickID = keys.seal(identity)
        #expect(keys.open(clickID) == identity)
        #expect(try ClickIDKeys([SecureRandom.bytes(16)]).open(clickID) == nil)
    }

    @Test func `after a rotation the newest key issues and the old one still verifies`() throws {
        let old = SecureRandom.bytes(16)
        let new = SecureRandom.bytes(16)
        let before = try ClickIDKeys([old])
        let after = try ClickIDKeys([old, new])
        #expect(after.open(before.seal(identity)) == identity)
        #expect(after.newestKey == new)
        #expect(before.open(after.seal(identity)) == nil)
        #expect(after.seal(identity) != before.seal(identity))
    }

    @Test func `every ID with one digit changed is foreign`() throws {
        let keys = try ClickIDKeys([SecureRandom.bytes(16)])
        let text = Array(keys.seal(identity).text)
        for position in text.indices {
            for digit in "0123456789abcdefghjkmnpqrstvwxyz" where digit != text[position] {
                var changed = text
                changed[position] = digit
                // The first digit has only eight values.
                guard let clickID = ClickID(String(changed)) else { continue }
                #expect(keys.open(clickID) == nil)
            }
        }
    }
}
