@testable import HTTP

/// What became of an answer's bytes; equal for equal answers however they came.
struct ReadAnswer: Equatable, CustomStringConvertible {
    var problem: String?
    var isWhole = false
    var status = 0
    var reason = ""
    var headers: [String] = []
    var body = ""
    var bytesRead = 0
    var isTruncated = false
    var mayKeep = false

    var description: String {
        problem ?? "\(status) \(reason) \(headers) \(body) keep \(mayKeep) cut \(isTruncated)"
    }

    /// - Parameter end: whether the connection's end, behind the pieces, is deliberate; nil: it has
    ///   none.
    init(
        _ pieces: [[UInt8]], isHead: Bool = false, readMax: Int = 65536, keptMax: Int = 65536,
        end: Bool? = true
    ) {
        var parser = ClientResponseParser(
            isHead: isHead, bodyReadMax: readMax, bodyKeptMax: keptMax)
        var rest = pieces[...]
        while !isWhole, problem == nil, let piece = rest.popFirst() {
            switch piece.withUnsafeBytes({ parser.consume($0) }) {
            case .needsMore: break
            case .complete: isWhole = true
            case .malformed(let problem): self.problem = problem
            }
        }
        if !isWhole, problem == nil, let end {
            isWhole = parser.end(isDeliberate: end) == .complete
        }
        guard isWhole else { return }
        let response = parser.response(
            milliseconds: 0, remoteAddress: "", usedKeptConnection: false)
        status = response.status
        reason = response.reason
        headers = response.headers.map { "\($0.name)=\($0.value)" }
        body = String(decoding: response.body, as: UTF8.self)
        bytesRead = response.bodyBytesRead
        isTruncated = response.isTruncated
        // As a connection does: bytes that come later than the answer end it.
        mayKeep = parser.mayKeepConnection && rest.isEmpty
    }
}
