import Testing

@testable import HTTP

/// Answers that repeat what they were asked with.
@Suite struct BlankingTests {
    private static func blanked(_ body: String, _ texts: String...) -> String {
        let head = Array("a b s3cret99".utf8)
        let response = ClientResponse(
            status: 200,
            headers: ClientHeaders(
                bytes: head, fields: [.init(name: 0..<1, value: 2..<head.count)],
                reasonRange: 0..<0),
            body: Array(body.utf8), bodyBytesRead: body.utf8.count, isTruncated: false,
            milliseconds: 1, remoteAddress: "192.0.2.1:80", usedKeptConnection: false
        ).blanking(texts.map { Array($0.utf8) })
        #expect(response.headers["a"] == (texts.contains("s3cret99") ? "b ********" : "b s3cret99"))
        return String(decoding: response.body, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("", ""), ("s3cret99", "********"), ("xs3cret99s3cret99y", "x****************y"),
            ("s3s3cret99", "s3********"), ("s3cret9", "*******"), ("a s3cr", "a ****"),
            ("a s3c", "a s3c"), ("s3cret98 s3cret", "s3cret98 ******"), ("plain", "plain"),
        ])
    func `a proof is blanked, also where the end cuts it`(body: String, shown: String) {
        #expect(Self.blanked(body, "s3cret99") == shown)
    }

    @Test func `several proofs are, and none leaves all as it is`() {
        #expect(Self.blanked("s3cret99,0therone", "0therone", "s3cret99") == "********,********")
        #expect(Self.blanked("s3cret99") == "s3cret99")
        #expect(Self.blanked("s3cret99", "") == "s3cret99")
    }
}
