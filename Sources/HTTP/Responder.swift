/// One answer owed to one request.
///
/// Use it on its loop's thread only, except `loop`. Each request is answered once: a second
/// answer, and one to a connection that is gone, does nothing.
public struct Responder: Sendable {
    // Unmanaged because a copy travels to another thread and back for each request, and counting
    // references there would make the threads fight for one cache line. A server is never freed.
    let server: Unmanaged<Server>
    let slot: UInt32
    let generation: UInt32
    let sequence: UInt32

    /// The loop of the connection, to come back to it from another thread.
    public var loop: LoopHandle { server._withUnsafeGuaranteedRef { $0.handle } }

    /// Answers. The server adds the status line, Date, Content-Length and Connection; to HEAD it
    /// sends no body.
    ///
    /// - Parameter headerLines: zero or more complete "Name: value\r\n" lines, sent as they are:
    ///   whoever makes them keeps control characters out of the values.
    public func respond(
        _ status: Int, headerLines: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
    ) {
        server._withUnsafeGuaranteedRef {
            $0.respond(self, status, headerLines: headerLines, body: body)
        }
    }

    /// The same for answers that are not sent by the ten thousand. CR, LF and NUL in a name or
    /// value are dropped, so that no value can start another line.
    public func respond(_ status: Int, headers: [(String, String)], body: [UInt8]) {
        var lines: [UInt8] = []
        for (name, value) in headers {
            lines.append(contentsOf: name.utf8.filter(Self.isSafe))
            lines.append(Scan.colon)
            lines.append(Scan.space)
            lines.append(contentsOf: value.utf8.filter(Self.isSafe))
            lines.append(Scan.carriageReturn)
            lines.append(Scan.lineFeed)
        }
        lines.withUnsafeBytes { lines in
            body.withUnsafeBytes { respond(status, headerLines: lines, body: $0) }
        }
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        byte != Scan.carriageReturn && byte != Scan.lineFeed && byte != 0
    }
}
