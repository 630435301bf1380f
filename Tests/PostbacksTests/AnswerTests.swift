import Domain
import Postbacks
import Testing

@Suite struct AnswerTests {
    private func body(_ answer: PostbackAnswer) -> String {
        var bytes: [UInt8] = []
        answer.appendBody(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `an answer is the contract's JSON`() throws {
        let answer = PostbackAnswer(
            verdict: .updated, message: "a \"quoted\" <b> \u{2028} sentence",
            postbackID: PostbackID(9), conversionID: ConversionID(3), revision: 2)
        let text = body(answer)
        let json = try JSONValue(parsing: text)
        #expect(
            json == [
                "verdict": "updated", "message": "a \"quoted\" <b> \u{2028} sentence",
                "postback": 9,
                "conversion": "cv3", "revision": 2,
            ])
        #expect(!text.contains("<") && !text.contains("\u{2028}"))
        let bare = try JSONValue(parsing: body(.storageUnavailable))
        #expect(bare["postback"] == .null && bare["conversion"] == .null)
        #expect(bare["revision"] == .null && bare["verdict"] == "storage_unavailable")
    }

    @Test func `a reply replaces the body and nothing else`() {
        let answer = PostbackAnswer(verdict: .clickIDMissing, message: "m", reply: "<OK>")
        #expect(body(answer) == "<OK>" && answer.httpStatus == 400)
    }

    @Test func `always_200 covers 4xx and not a failing disk`() {
        for verdict in PostbackVerdict.allCases {
            let plain = PostbackAnswer(verdict: verdict, message: "")
            let always = PostbackAnswer(verdict: verdict, message: "", isAlwaysOK: true)
            #expect(plain.httpStatus == verdict.httpStatus)
            #expect(always.httpStatus == (verdict == .storageUnavailable ? 503 : 200))
        }
    }
}
