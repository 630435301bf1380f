internal import Domain

/// A call's parameters: of its query, then of its body.
///
/// Reading never fails: a body that can't be read leaves the query alone, and a note that says why.
struct PostbackParameters {
    let fields: PostbackFields
    /// As they came: query, then body.
    let pairs: [(name: String, value: [UInt8])]
    let notes: [String]

    init(_ call: Postback, of network: Network) {
        var parameters = QueryParameters()
        var notes: [String] = []
        var isTruncated = false
        call.target.withUnsafeBytes { target in
            guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return }
            parameters = QueryParameters(
                parsing: UnsafeRawBufferPointer(rebasing: target[(mark + 1)...]))
        }
        if !call.body.isEmpty, network.signature != nil, !call.isEntry {
            notes.append("the body is not signed and was not read")
        } else if !call.body.isEmpty {
            call.body.withUnsafeBytes { body in
                switch Format(call.contentType, body) {
                case .form: isTruncated = parameters.append(formFields: body)
                case .json: notes += parameters.append(jsonObject: body)
                case .other(let type):
                    notes.append(
                        "the body is \(type.prefix(utf8Count: 60)), which is not read: "
                            + "send a form or a JSON object")
                }
            }
        }
        if isTruncated || parameters.isTruncated {
            notes.append(
                "parameters beyond the first \(QueryParameters.pairsMax) were not read")
        }
        var fields =
            call.isEntry
            ? PostbackFields(entry: parameters.pairs)
            : PostbackFields(parameters.pairs, of: network)
        if !fields.hasClickID, let clickID = call.cookieClickID {
            parameters.append(
                name: PostbackParameter.cid.rawValue, value: Array(clickID.text.utf8))
            fields = PostbackFields(parameters.pairs, of: network)
            notes.append("the click ID is the visitor's cookie's")
        }
        pairs = parameters.pairs
        self.fields = fields
        self.notes = notes
    }

    private enum Format {
        case form, json
        case other(String)

        /// Networks that send a form or JSON do not all say so, hence the look at the body.
        init(_ contentType: [UInt8]?, _ body: UnsafeRawBufferPointer) {
            let type = String(decoding: contentType ?? [], as: UTF8.self).lowercased()
            let first = body.first { $0 > 32 }
            if type.contains("json") {
                self = .json
            } else if type.contains("urlencoded") {
                self = .form
            } else if type.isEmpty || type.hasPrefix("text/") {
                self = first == UInt8(ascii: "{") ? .json : .form
            } else {
                self = .other(type)
            }
        }
    }
}

extension Postback {
    func adding(_ header: Header) -> Postback {
        Postback(
            receivedAt: receivedAt, sender: sender, method: method, target: target,
            headers: headers + [header], body: body)
    }

    /// The click ID of the visitor's cookie, which only a pixel's call is kept with.
    var cookieClickID: ClickID? {
        headers.first { $0.name == "Cookie" }?.value.withUnsafeBytes { ClickCookie.clickID(in: $0) }
    }

    /// The first `Content-Type`.
    var contentType: [UInt8]? {
        headers.first { $0.name.lowercased() == "content-type" }?.value
    }
}

extension QueryParameters {
    /// - Returns: whether there were more than are read.
    fileprivate mutating func append(formFields body: UnsafeRawBufferPointer) -> Bool {
        let form = QueryParameters(parsing: body)
        for (name, value) in form.pairs { append(name: name, value: value) }
        return form.isTruncated
    }

    /// Members whose values are strings, numbers (as their exact text) or booleans; those of an
    /// object within by their path, `user.tid1`. Null says the same as an absent member, and so does
    /// what has no members (PHP's empty value).
    ///
    /// An object or an array of the document itself is its JSON text as well, which no amount or
    /// click ID can be: passing it over would count a payout that came in a shape of its own as zero.
    /// - Returns: why the body could not be read.
    fileprivate mutating func append(jsonObject body: UnsafeRawBufferPointer) -> [String] {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: body)
        } catch {
            return ["the body is not JSON (\(error.description)) and was not read"]
        }
        guard case .object(let members) = document else {
            return ["the body is \(document.kindText) where a JSON object was expected"]
        }
        append(members, path: "")
        return []
    }

    /// Longer paths are not followed: each name below one holds all of it.
    private static let pathBytesMax = 200

    /// Recurses as deep as the document, which the parser bounds.
    private mutating func append(_ members: [JSONMember], path: String) {
        for member in members where !isTruncated {
            let name = path + member.name
            if path.isEmpty, let count = member.value.memberCount, count > 0 {
                append(name: name, value: member.value.encodedBytes())
            }
            switch member.value {
            case .string(let text), .number(let text):
                append(name: name, value: Array(text.utf8))
            case .bool(let flag):
                append(name: name, value: Array((flag ? "true" : "false").utf8))
            case .object(let inner):
                if name.utf8.count < Self.pathBytesMax { append(inner, path: name + ".") }
            case .null, .array: break
            }
        }
    }
}

extension JSONValue {
    /// Of an object or an array.
    fileprivate var memberCount: Int? {
        switch self {
        case .object(let members): members.count
        case .array(let elements): elements.count
        case .null, .bool, .number, .string: nil
        }
    }
}
