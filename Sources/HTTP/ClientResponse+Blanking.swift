extension ClientResponse {
    /// The same with an asterisk for every byte of these texts, in the head and in the body; also
    /// where the end of the body has cut one in two.
    ///
    /// For what was sent along as a proof: some servers answer with the request.
    public func blanking(_ texts: [[UInt8]]) -> ClientResponse {
        var (head, body) = (headers.bytes, body)
        for text in texts {
            head.blank(text)
            body.blank(text)
        }
        return ClientResponse(
            status: status,
            headers: ClientHeaders(
                bytes: head, fields: headers.fields, reasonRange: headers.reasonRange),
            body: body, bodyBytesRead: bodyBytesRead, isTruncated: isTruncated,
            milliseconds: milliseconds, remoteAddress: remoteAddress,
            usedKeptConnection: usedKeptConnection)
    }
}

extension [UInt8] {
    /// Fewer bytes of a text than these at an end are no hint at it.
    private static var partMin: Int { 4 }

    fileprivate mutating func blank(_ text: [UInt8]) {
        guard let first = text.first else { return }
        var index = 0
        while index < count {
            let length = Swift.min(text.count, count - index)
            if self[index] == first, length == text.count || length >= Self.partMin,
                self[index..<(index + length)].elementsEqual(text[..<length])
            {
                for place in index..<(index + length) { self[place] = UInt8(ascii: "*") }
                index += length
            } else {
                index += 1
            }
        }
    }
}
