import Testing

@testable import Crypto

@Suite struct SecureRandomTests {
    @Test(arguments: [0, 1, 16, 1_000])
    func `as many bytes come as were asked for`(count: Int) {
        #expect(SecureRandom.bytes(count).count == count)
    }

    @Test func `a token is its prefix and 32 digits`() {
        let token = SecureRandom.token(prefix: "cr_")
        #expect(token.hasPrefix("cr_"))
        #expect(token.utf8.count == 35)
        let allowed = Set("0123456789abcdefghjkmnpqrstvwxyz")
        #expect(token.dropFirst(3).allSatisfy { allowed.contains($0) })
    }

    /// Each digit has equal chances: 32,000 digits, about 1,000 of each, far from 700 or 1,300.
    @Test func `tokens use every digit alike and don't repeat`() {
        let tokens = (0..<1_000).map { _ in SecureRandom.token() }
        #expect(Set(tokens).count == 1_000)
        var counts: [Character: Int] = [:]
        for token in tokens { for digit in token { counts[digit, default: 0] += 1 } }
        #expect(counts.count == 32)
        #expect(counts.values.allSatisfy { (700...1_300).contains($0) })
    }
}
