internal import Domain
internal import HTTP
internal import Store

/// The clicks of one turn of a loop, and the redirects that wait for them to be on disk.
// Unchecked: filled by its loop, then handed over whole and changed by nobody; `answer` runs on
// that loop again.
final class Turn: @unchecked Sendable {
    var batch = ClickBatch()
    private var responders: [Responder] = []
    /// The redirects' header lines, one after another.
    private var lines: [UInt8] = []
    private var ends: [Int] = []

    static let locationPrefix = Array("Location: ".utf8)
    static let locationSuffix = Array(
        "\r\nCache-Control: no-store\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n".utf8)

    init() {}

    /// An empty one, with room for as much as the last had: turns are alike.
    init(like last: Turn) {
        batch.rows.reserveCapacity(last.batch.rows.count)
        batch.arena.reserveCapacity(last.batch.arena.count)
        responders.reserveCapacity(last.responders.count)
        lines.reserveCapacity(last.lines.count)
        ends.reserveCapacity(last.ends.count)
    }

    /// Adds the redirect of the batch's newest row.
    /// - Parameter cookie: the click ID for the visitor's cookie, if there is to be one.
    func append(_ responder: Responder, cookie: ClickID?, location: (inout [UInt8]) -> Void) {
        responders.append(responder)
        lines.append(contentsOf: Self.locationPrefix)
        location(&lines)
        lines.append(contentsOf: Self.locationSuffix)
        if let cookie {
            lines.append(contentsOf: ClickCookie.linePrefix)
            cookie.append(to: &lines)
            lines.append(contentsOf: ClickCookie.lineSuffix)
        }
        ends.append(lines.count)
    }

    /// Sends the redirects, or asks the visitors to come again.
    func answer(_ outcome: ClickOutcome) {
        switch outcome {
        case .stored, .held: redirect()
        case .refused:
            for responder in responders {
                responder.respond(
                    503,
                    headers: [
                        ("Content-Type", "text/plain; charset=utf-8"),
                        ("Cache-Control", "no-store"), ("Retry-After", "1"),
                    ], body: Array("please try again in a moment\n".utf8))
            }
        }
    }

    private func redirect() {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        lines.withUnsafeBytes { lines in
            var start = 0
            for index in responders.indices {
                let end = ends[index]
                responders[index].respond(
                    302, headerLines: UnsafeRawBufferPointer(rebasing: lines[start..<end]),
                    body: nothing)
                start = end
            }
        }
    }
}
