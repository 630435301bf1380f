import Domain
import Postbacks
import Store
import TestSupport
import Testing

/// Calls of bytes that no network would send.
@Suite struct CallBytesTests {
    private static let types: [String?] = [
        nil, "application/json", "application/x-www-form-urlencoded", "text/plain", "image/png", "",
        "multipart/form-data; boundary=x",
    ]

    private func bytes(_ letters: [UInt8], _ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in letters.randomElement(using: &random) ?? 0 }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>, [false, true])
    func `a call of any bytes has a verdict and a sentence, and is kept as it came`(
        seed: UInt64, isSigned: Bool
    ) throws {
        var random = SeededRandom(seed)
        var setup = PostbackBench.Setup()
        if isSigned {
            setup.network = ["signature": ["secret": "s3cret", "timestamp_parameter": "t"]]
        }
        let bench = try PostbackBench(setup)
        let cid = try bench.click()
        let letters =
            Array("&=%+;{}[]\":,.#<>-0123456789acdipotuxy?/".utf8) + [0, 10, 13, 127, 255]
        let names =
            PostbackParameter.allCases.flatMap { [$0.rawValue] + $0.aliases } + ["sig", "t"]
        var sent: [Postback] = []
        for round in 0..<60 {
            var target = Array("/postback/\(PostbackBench.postbackKey)?".utf8)
            if round % 3 > 0 { target += Array("cid=\(cid.text)".utf8) }
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                target += Array("&\(names.randomElement(using: &random) ?? "")=".utf8)
                target += bytes(letters, Int.random(in: 0...40, using: &random), &random)
            }
            var headers: [Postback.Header] = []
            if let type = Self.types.randomElement(using: &random) ?? nil {
                headers.append(.init(name: "Content-Type", value: Array(type.utf8)))
            }
            let length = [0, 1, 30, 3000].randomElement(using: &random) ?? 0
            let call = Postback(
                receivedAt: PostbackBench.start, sender: nil,
                method: ["GET", "POST", "\u{0}", ""].randomElement(using: &random) ?? "",
                target: target, headers: headers, body: bytes(letters, length, &random))
            sent.append(call)
            let answer = bench.send(call)
            #expect(answer.httpStatus < 500 && !answer.message.isEmpty, "\(answer)")
            #expect(answer.postbackID?.rawValue == Int64(sent.count))
        }
        let kept = try bench.postbacks()
        #expect(kept.map(\.call) == sent)
        #expect(kept.allSatisfy { !$0.message.isEmpty })
    }
}
