/// A visit that is told of instead of sent through a campaign URL: by the page that the visitor is
/// on (`/t.js`), or by the server that serves it.
public struct DirectClick: Equatable, Sendable {
    public let campaign: EntityKey
    /// The page that the visitor is on; nil: what the campaign's flow chooses.
    public let lander: EntityKey?
    /// As it would stand in the campaign URL.
    public let query: [UInt8]
    /// The visitor's; nil: whoever calls is the visitor.
    public let ip: IPAddress?
    /// Header fields of the visitor's browser. Without an `ip` they replace the caller's own.
    public let fields: [Field]

    public struct Field: Equatable, Sendable {
        public let name: String
        public let value: String
    }

    /// Anybody may call, and it is read on an event loop; a visit's fields need much less.
    public static let bodyBytesMax = 65_536

    private static let fieldsMax = 50
    private static let fieldBytesMax = 4096
    private static let queryBytesMax = 15_000

    /// Of a query or a form: `campaign` and `lander` are read, all else is the visit's own.
    public init(query: UnsafeRawBufferPointer) throws(ValidationError) {
        var campaign: EntityKey?
        var lander: EntityKey?
        var rest: [UInt8] = []
        let problems = DocumentProblems()
        for pair in query.split(separator: UInt8(ascii: "&")) {
            var scanner = QueryScanner(UnsafeRawBufferPointer(rebasing: pair))
            guard let (name, value) = scanner.next() else { continue }
            let isCampaign = campaign == nil && name.elementsEqual("campaign".utf8)
            guard isCampaign || lander == nil && name.elementsEqual("lander".utf8) else {
                if !rest.isEmpty { rest.append(UInt8(ascii: "&")) }
                rest.append(contentsOf: pair)
                continue
            }
            let text = String(
                decoding: PercentEncoding.decode(value, plusIsSpace: true), as: UTF8.self)
            let key = EntityKey(text)
            if key == nil { problems.add(isCampaign ? "campaign" : "lander", EntityKey.rule) }
            if isCampaign { campaign = key ?? .placeholder } else { lander = key ?? .placeholder }
        }
        if campaign == nil { problems.add("campaign", "is required: the campaign's key") }
        try problems.throwIfAny()
        self.campaign = campaign ?? .placeholder
        self.lander = lander
        self.query = rest
        ip = nil
        fields = []
    }

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        campaign = reader.requiredKey("campaign")
        lander = reader.key("lander")
        query = Self.query(&reader)
        let ip = reader.string("ip")
        self.ip = ip.flatMap { IPAddress($0) }
        if ip != nil, self.ip == nil { reader.fail("ip", "must be an IPv4 or IPv6 address") }
        fields = Self.fields(&reader)
        reader.finish()
        try problems.throwIfAny()
    }

    /// `query` as it stands in an address, then `params` by name.
    static func query(_ reader: inout DocumentReader) -> [UInt8] {
        let text = reader.string("query", max: queryBytesMax) ?? ""
        var query: [UInt8] = []
        // What an address can't hold is encoded, so that a target can be made of it.
        PercentEncoding.appendRaw(text.utf8.drop { $0 == UInt8(ascii: "?") }, to: &query)
        for member in reader.members("params") {
            let value: String
            switch member.value {
            case .string(let text): value = text
            case .number(let number): value = number
            case .null: continue
            case .bool, .array, .object:
                reader.fail("params.\(member.name)", "must be a string or a number")
                continue
            }
            if !query.isEmpty { query.append(UInt8(ascii: "&")) }
            PercentEncoding.append(member.name.utf8, to: &query)
            query.append(UInt8(ascii: "="))
            PercentEncoding.append(value.utf8, to: &query)
        }
        if query.count > queryBytesMax {
            reader.fail("params", "and query must be at most \(queryBytesMax) bytes together")
            return []
        }
        return query
    }

    static func fields(_ reader: inout DocumentReader) -> [Field] {
        var fields: [Field] = []
        for (member, name) in [
            ("user_agent", "User-Agent"), ("referrer", "Referer"), ("language", "Accept-Language"),
        ] {
            if let value = reader.string(member, max: fieldBytesMax) {
                fields.append(Field(name: name, value: value))
            }
        }
        for member in reader.members("headers", max: fieldsMax) {
            guard case .string(let value) = member.value, value.utf8.count <= fieldBytesMax,
                value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                reader.fail(
                    "headers.\(member.name)",
                    "must be a string of at most \(fieldBytesMax) bytes, without control characters"
                )
                continue
            }
            guard HeaderName.isToken(member.name) else {
                reader.fail("headers.\(member.name)", "is no name that a header can have")
                continue
            }
            let isKnown = fields.contains { $0.name.lowercased() == member.name.lowercased() }
            if !isKnown { fields.append(Field(name: member.name, value: value)) }
        }
        return fields
    }
}
