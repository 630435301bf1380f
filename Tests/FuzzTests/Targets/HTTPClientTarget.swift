@testable import HTTP

extension FuzzTarget {
    /// An answer's bytes, at once and in pieces.
    static let client = FuzzTarget(name: "http-client") { input in
        var input = FuzzInput(input)
        let flags = input.byte()
        var splits = FuzzSplits(flags)
        let bytes = input.remaining()
        var whole = parse([bytes[...]], flags)
        var split = parse(splits.pieces(bytes), flags)
        // Bytes behind the answer are seen only when they come with it; and how much of a garbled
        // beginning is quoted depends on how much had come.
        if !whole.mayKeep || !split.mayKeep { (whole.mayKeep, split.mayKeep) = (false, false) }
        if whole.problem != nil, split.problem != nil { (whole.problem, split.problem) = ("", "") }
        try require(whole == split, "\(whole) at once, \(split) in pieces")
    }

    private struct Answer: Equatable {
        var problem: String?
        var isWhole = false
        var status = 0
        var reason = ""
        var headers: [String] = []
        var body: [UInt8] = []
        var bytesRead = 0
        var isTruncated = false
        var mayKeep = false
    }

    private static func parse(_ pieces: [ArraySlice<UInt8>], _ flags: UInt8) -> Answer {
        let bodyMax = [0, 5, 100, 65536][Int(flags >> 1 & 3)]
        var parser = ClientResponseParser(
            isHead: flags & 1 != 0, bodyReadMax: bodyMax, bodyKeptMax: bodyMax / 2)
        var answer = Answer()
        pieces: for piece in pieces {
            switch piece.withUnsafeBytes({ parser.consume($0) }) {
            case .needsMore: continue
            case .complete: answer.isWhole = true
            case .malformed(let problem): answer.problem = problem
            }
            break pieces
        }
        if !answer.isWhole, answer.problem == nil {
            answer.isWhole = parser.end(isDeliberate: flags & 8 != 0) == .complete
        }
        guard answer.isWhole else { return answer }
        let response = parser.response(
            milliseconds: 0, remoteAddress: "", usedKeptConnection: false)
        answer.status = response.status
        answer.reason = response.reason
        answer.headers = response.headers.map { "\($0.name)=\($0.value)" }
        answer.body = response.body
        answer.bytesRead = response.bodyBytesRead
        answer.isTruncated = response.isTruncated
        answer.mayKeep = parser.mayKeepConnection
        return answer
    }
}
