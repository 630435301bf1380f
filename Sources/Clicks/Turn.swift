internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// The clicks of one turn of a loop, and the redirects that wait for them to be on disk.
// Unchecked: filled by its loop, then handed over whole and changed by nobody; `answer` runs on
// that loop again.
final class Turn: @unchecked Sendable {
    // Both unchecked, as each click changes them: what is called meanwhile has a request, no turn.
    @exclusivity(unchecked) var batch = ClickBatch()
    @exclusivity(unchecked) private var answers = Answers()
    /// Room of caps that its clicks have taken.
    var taken: [TakenRoom] = []
    /// Visits that were counted.
    var counted: [VisitorKey] = []
    private let visitors: VisitorMemory
    /// What was made ready for it.
    private let room: TurnRoom
    private let signer: OnwardSigner

    /// Over https alone: elsewhere no browser takes notice. The next click tells more then.
    private static let acceptHints = Array("Accept-CH: \(AgentHeaders.wanted)\r\n".utf8)

    init(_ signer: OnwardSigner, _ visitors: VisitorMemory) {
        self.signer = signer
        self.visitors = visitors
        room = TurnRoom()
    }

    /// An empty one, with room for about as much as the last ones took.
    init(like last: Turn) {
        signer = last.signer
        visitors = last.visitors
        room = last.room.next(
            TurnRoom(
                rows: last.batch.rows.count, arena: last.batch.arena.count,
                answers: last.answers.count, lines: last.answers.lineBytes))
        batch.rows.reserveCapacity(room.rows)
        batch.arena.reserveCapacity(room.arena)
        answers.reserve(room)
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
        answers.append(responder, status: redirect.status) { lines, body in
            redirect.append(
                depth: depth, signer, lines: &lines, body: &body, location: location)
            if let (clickID, kind) = cookie {
                lines.append(contentsOf: ClickCookie.linePrefix)
                clickID.append(to: &lines)
                lines.append(contentsOf: kind.lineSuffix)
                lines.append(contentsOf: Self.acceptHints)
            }
            if let (visitor, isSecure) = visitor {
                VisitorCookie.appendLine(visitor, isSecure: isSecure, to: &lines)
            }
        }
    }

    /// Adds another answer that waits for the batch's newest row.
    func append(_ responder: Responder, status: Int, headerLines: [UInt8], body: [UInt8]) {
        answers.append(responder, status: status) { lines, bytes in
            lines.append(contentsOf: headerLines)
            bytes.append(contentsOf: body)
        }
    }

    /// Sends the redirects, or asks the visitors to come again.
    func answer(_ outcome: ClickOutcome) {
        switch outcome {
        case .stored, .held: answers.send()
        case .refused:
            for room in taken { room.giveBack() }
            for key in counted { visitors.takeBack(key) }
            answers.forEach { $0.askToComeAgain() }
        }
    }
}

/// How much turns take: arrays that grow under a turn are copied some times on their way.
private struct TurnRoom {
    var rows = 0
    var arena = 0
    var answers = 0
    var lines = 0

    /// After a turn that took `used`: large ones are expected again for some turns.
    func next(_ used: TurnRoom) -> TurnRoom {
        TurnRoom(
            rows: max(used.rows, rows - rows / 8), arena: max(used.arena, arena - arena / 8),
            answers: max(used.answers, answers - answers / 8),
            lines: max(used.lines, lines - lines / 8))
    }
}

/// The answers that wait, and their bytes, one after another.
private struct Answers {
    /// Header lines.
    private var lines: [UInt8] = []
    /// Of those that have one: redirects that are pages.
    private var bodies: [UInt8] = []
    private var waiting: [Waiting] = []

    /// One answer, and where its bytes end.
    private struct Waiting {
        let responder: Responder
        let status: Int
        let linesEnd: Int
        let bodiesEnd: Int
    }

    var count: Int { waiting.count }
    var lineBytes: Int { lines.count }

    mutating func reserve(_ room: TurnRoom) {
        lines.reserveCapacity(room.lines)
        waiting.reserveCapacity(room.answers)
    }

    mutating func append(
        _ responder: Responder, status: Int,
        _ write: (_ lines: inout [UInt8], _ body: inout [UInt8]) -> Void
    ) {
        write(&lines, &bodies)
        waiting.append(
            Waiting(
                responder: responder, status: status, linesEnd: lines.count,
                bodiesEnd: bodies.count))
    }

    func forEach(_ body: (Responder) -> Void) {
        for one in waiting { body(one.responder) }
    }

    func send() {
        lines.withUnsafeBytes { lines in
            bodies.withUnsafeBytes { bodies in
                var (line, body) = (0, 0)
                for one in waiting {
                    one.responder.respond(
                        one.status,
                        headerLines: UnsafeRawBufferPointer(rebasing: lines[line..<one.linesEnd]),
                        body: UnsafeRawBufferPointer(rebasing: bodies[body..<one.bodiesEnd]))
                    (line, body) = (one.linesEnd, one.bodiesEnd)
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
