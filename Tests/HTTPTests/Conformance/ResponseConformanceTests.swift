import Testing

@testable import HTTP

/// Stricter where an answer's end is in doubt, laxer where it isn't: an answer that is refused is a
/// postback sent again, so that a fault costs the connection and not the answer.
@Suite struct ResponseConformanceTests {
    @Test func `the table is as long as it should be`() {
        #expect(OutsideResponseCases.all.count >= 65)
    }

    /// What was made of the bytes, in a row's words.
    private struct Outcome: Equatable {
        var answer = ""
        var headers: [String]?
        var end: ResponseCase.End

        init(expected row: ResponseCase) {
            answer = row.answer
            headers = row.headers
            end = row.end
        }

        init(_ pieces: [[UInt8]], for row: ResponseCase) {
            let alone = ReadAnswer(pieces, isHead: row.isHead, end: nil)
            let closed = ReadAnswer(pieces, isHead: row.isHead, end: true)
            if alone.isWhole {
                end = alone.mayKeep ? .kept : .spent
            } else if closed.isWhole {
                end = .atClose
            } else if let problem = alone.problem {
                end = .refused(problem)
                // How much of it is quoted depends on how much had come.
                if case .refused(let start) = row.end, problem.hasPrefix(start) { end = row.end }
            } else {
                end = .broken
            }
            guard closed.isWhole else { return }
            answer = "\(closed.status) \(closed.reason)"
            if !closed.body.isEmpty { answer += " → \(closed.body)" }
            if row.headers != nil { headers = closed.headers }
        }
    }

    @Test(arguments: OutsideResponseCases.all)
    func `others' answers are read as their rows say, however their bytes are split`(
        row: ResponseCase
    ) {
        let expected = Outcome(expected: row)
        let bytes = row.bytes
        #expect(Outcome([bytes], for: row) == expected)
        for position in 1..<max(1, bytes.count) {
            let pieces = [Array(bytes[..<position]), Array(bytes[position...])]
            let outcome = Outcome(pieces, for: row)
            #expect(outcome == expected, "split at byte \(position)")
            // One position is enough to see why.
            if outcome != expected { return }
        }
        #expect(Outcome(bytes.map { [$0] }, for: row) == expected, "byte by byte")
    }
}
