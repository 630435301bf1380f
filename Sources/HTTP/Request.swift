/// One complete request: views into the server's buffers, valid only during `handle`.
///
/// Copy the bytes you keep. Nothing is decoded; names and values are as they were sent.
public struct Request {
    let base: UnsafeRawPointer
    let fields: UnsafePointer<HeaderField>

    public let method: Method
    public let methodBytes: UnsafeRawBufferPointer
    /// Path and query, or `*`. An absolute URL is reduced to its path and query.
    public let target: UnsafeRawBufferPointer
    /// Not decoded; starts with `/`, unless the target is `*`.
    public let path: UnsafeRawBufferPointer
    /// Without the `?`; empty if there is none.
    public let query: UnsafeRawBufferPointer
    /// Name or address and optional port, checked; empty if an HTTP/1.0 client sent none.
    public let host: UnsafeRawBufferPointer
    /// Complete, with any chunk framing removed.
    public let body: UnsafeRawBufferPointer
    public let headerCount: Int
    /// The other end of the connection, IPv4 as ::ffff:a.b.c.d; nil on a unix socket.
    public let peerAddress: UInt128?
    /// Wall clock of the loop's turn, in microseconds since 1970.
    public let receivedAtMicros: Int64

    init(
        _ head: HeadParser, base: UnsafeRawPointer, body: UnsafeRawBufferPointer,
        peerAddress: UInt128?, receivedAtMicros: Int64
    ) {
        self.base = base
        fields = UnsafePointer(head.fields)
        method = head.method
        methodBytes = head.methodBytes
        target = head.target
        path = head.path
        query = head.query
        host = head.host
        headerCount = head.fieldCount
        self.body = body
        self.peerAddress = peerAddress
        self.receivedAtMicros = receivedAtMicros
    }

    /// The first field named `name`, which is given in lower case; blanks around it are removed.
    public func header(_ name: StaticString) -> UnsafeRawBufferPointer? {
        for index in 0..<headerCount
        where Scan.equalsIgnoringCase(headerName(at: index), name) {
            return headerValue(at: index)
        }
        return nil
    }

    /// The first field of that name, in any case; blanks around it are removed.
    public func header(named name: String) -> UnsafeRawBufferPointer? {
        var name = name
        return name.withUTF8 { name in
            let name = UnsafeRawBufferPointer(name)
            for index in 0..<headerCount
            where Scan.equalsIgnoringCase(headerName(at: index), name) {
                return headerValue(at: index)
            }
            return nil
        }
    }

    /// As sent, in any case. `index` is below `headerCount`.
    public func headerName(at index: Int) -> UnsafeRawBufferPointer {
        precondition(index >= 0 && index < headerCount, "header \(index) of \(headerCount)")
        let field = fields[index]
        return UnsafeRawBufferPointer(
            start: base + Int(field.nameStart), count: Int(field.nameCount))
    }

    /// Whether that field has this name, which is given in lower case. For whoever looks for many of
    /// them in one go.
    public func isHeader(at index: Int, _ name: StaticString) -> Bool {
        Scan.equalsIgnoringCase(headerName(at: index), name)
    }

    /// May hold tabs and non-ASCII bytes, but no other control character.
    public func headerValue(at index: Int) -> UnsafeRawBufferPointer {
        precondition(index >= 0 && index < headerCount, "header \(index) of \(headerCount)")
        let field = fields[index]
        return UnsafeRawBufferPointer(
            start: base + Int(field.valueStart), count: Int(field.valueCount))
    }
}
