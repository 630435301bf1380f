internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// The clicks of one turn of a loop, and the redirects that wait for them to be on disk.
// Unchecked: filled by its loop, then handed over whole and changed by nobody; `answer` runs on
// that loop again.
final class Turn: @unchecked Sendable {
    var batch = ClickBatch()
    private var responders: [Responder] = []
    /// Room of caps that its clicks have taken.
    var taken: [TakenRoom] = []
    /// Visits that were counted.
    var counted: [VisitorKey] = []
    private let visitors: VisitorMemory
    /// The redirects' header lines, one after another.
    private var lines: [UInt8] = []
    /// The same of those redirects that are pages.
    private var bodies: [UInt8] = []
    private var ends: [End] = []
    private let signer: OnwardSigner

    /// Where one redirect's bytes end, and its status.
    private struct End {
        let status: Int
        let lines: Int
        let bodies: Int
    }

    /// Over https alone: elsewhere no browser takes notice. The next click tells more then.
    private static let acceptHints = Array("Accept-CH: \(AgentHeaders.wanted)\r\n".utf8)

    init(_ signer: OnwardSigner, _ visitors: VisitorMemory) {
        self.signer = signer
        self.visitors = visitors
    }

    /// An empty one, with room for as much as the last had: turns are alike.
    init(like last: Turn) {
        signer = last.signer
        visitors = last.visitors
        batch.rows.reserveCapacity(last.batch.rows.count)
        batch.arena.reserveCapacity(last.batch.arena.count)
        responders.reserveCapacity(last.responders.count)
        lines.reserveCapacity(last.lines.count)
        bodies.reserveCapacity(last.bodies.count)
        ends.reserveCapacity(last.ends.count)
    }

    /// Adds the redirect that waits for the batch's newest row.
    /// - Parameters:
    ///   - cookie: of the click, if there is to be one.
    ///   - visitor: who gets a cookie, if anybody does.
    ///   - depth: how many folders below the root the request's path lies.
    func append(
        _ responder: Responder, _ redirect: Redirect, depth: Int,
        cookie: (ClickID, ClickCookie.Kind)?, visitor: (VisitorNumber, isSecure: Bool)?,
        location: (inout [UInt8]) -> Void
    ) {
        responders.append(responder)
        redirect.append(
            depth: depth, signer, lines: &lines, body: &bodies, location: location)
        if let (clickID, kind) = cookie {
            lines.append(contentsOf: ClickCookie.linePrefix)
            clickID.append(to: &lines)
            lines.append(contentsOf: kind.lineSuffix)
            lines.append(contentsOf: Self.acceptHints)
        }
        if let (visitor, isSecure) = visitor {
            VisitorCookie.appendLine(visitor, isSecure: isSecure, to: &lines)
        }
        ends.append(End(status: redirect.status, lines: lines.count, bodies: bodies.count))
    }

    /// Adds another answer that waits for the batch's newest row.
    func append(_ responder: Responder, status: Int, headerLines: [UInt8], body: [UInt8]) {
        responders.append(responder)
        lines.append(contentsOf: headerLines)
        bodies.append(contentsOf: body)
        ends.append(End(status: status, lines: lines.count, bodies: bodies.count))
    }

    /// Sends the redirects, or asks the visitors to come again.
    func answer(_ outcome: ClickOutcome) {
        switch outcome {
        case .stored, .held: redirect()
        case .refused:
            for room in taken { room.giveBack() }
            for key in counted { visitors.takeBack(key) }
            for responder in responders { responder.askToComeAgain() }
        }
    }

    private func redirect() {
        lines.withUnsafeBytes { lines in
            bodies.withUnsafeBytes { bodies in
                var start = End(status: 0, lines: 0, bodies: 0)
                for index in responders.indices {
                    let end = ends[index]
                    responders[index].respond(
                        end.status,
                        headerLines: UnsafeRawBufferPointer(
                            rebasing: lines[start.lines..<end.lines]),
                        body: UnsafeRawBufferPointer(rebasing: bodies[start.bodies..<end.bodies]))
                    start = end
                }
            }
        }
    }
}

extension Responder {
    /// Nothing was recorded, and the user wants no visitor without a record.
    func askToComeAgain() {
        respond(
            503,
            headers: [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Cache-Control", "no-store"), ("Retry-After", "1"),
            ], body: Array("please try again in a moment\n".utf8))
    }
}
