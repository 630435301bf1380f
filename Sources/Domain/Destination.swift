/// One URL template of a source or campaign that is called for each conversion it asks for.
public struct Destination: Equatable, Sendable {
    public enum Method: String, CaseIterable, Sendable { case get = "GET", post = "POST" }

    public let key: EntityKey
    public let kind: Kind
    public let method: Method
    public let url: URLTemplate
    public let headers: [Header]
    public let body: BodyTemplate?
    /// The body as the user wrote it.
    public let bodyDocument: JSONValue?
    /// Empty: all.
    public let statuses: [ConversionStatus]
    /// Empty: all. As `EventName` writes them.
    public let events: [String]
    public let success: SuccessRule
    /// True: may call loopback and private addresses.
    public let allowsPrivate: Bool
    /// False: kept, shown, and not called.
    public let isEnabled: Bool
    /// Which payouts are told, in the conversion's currency.
    public let payouts: PayoutFilter
    /// What the payout tokens say.
    public let value: ValueRule
    /// Only a click's first conversion is told, with all its revisions.
    public let isFirstOnly: Bool
    /// From the conversion's commit to the first attempt.
    public let delaySeconds: Int
    /// What a webhook is signed with; empty for other kinds.
    public let webhookSecrets: [WebhookSecret]
    /// What its calls' access tokens are got with; nil: they need none.
    public let oauth: OAuthCredential?
    /// An account value that it can't be called without; only one that is not enabled lacks any.
    public let missingValue: String?
    /// Whether the call would say nothing without the traffic source's own click ID.
    public let needsExternalID: Bool

    public struct Header: Hashable, Sendable {
        public let name: String
        public let text: String
        public let value: Template
    }

    static let countMax = 20
    /// 30 days.
    static let delaySecondsMax: Int64 = 30 * 86_400

    static func list(_ reader: inout DocumentReader) -> [Destination] {
        var destinations: [Destination] = []
        for (index, item) in reader.array("destinations", max: countMax).enumerated() {
            let path = reader.field("destinations[\(index)]")
            var item = DocumentReader(item, path: path, problems: reader.problems)
            guard let destination = Destination(&item) else { continue }
            if destinations.contains(where: { $0.key == destination.key }) {
                item.fail("key", "is used by another destination too")
            }
            destinations.append(destination)
        }
        return destinations
    }

    /// Nil, with the reasons reported, when it can't be used.
    init?(_ reader: inout DocumentReader) {
        key = reader.requiredKey("key")
        kind = reader.choice("kind", default: .postback)
        method = reader.choice("method", default: kind == .webhook ? .post : .get)
        let urlText = reader.requiredString("url", max: URLTemplate.lengthMax)
        headers = Self.headers(&reader)
        statuses = reader.statuses("statuses")
        events = Self.events(&reader)
        success = SuccessRule(&reader)
        payouts = PayoutFilter(&reader)
        value = ValueRule(&reader)
        isFirstOnly = reader.bool("first_only", default: false)
        delaySeconds = Int(
            reader.integer("delay_seconds", in: 0...Self.delaySecondsMax, default: 0))
        allowsPrivate = reader.bool("allow_private", default: false)
        isEnabled = reader.bool("enabled", default: true)
        bodyDocument = reader.value("body")
        webhookSecrets = Self.webhookSecrets(&reader, kind)
        if var oauth = reader.reader(OAuthCredential.name) {
            self.oauth = OAuthCredential(
                &oauth, allowsPrivate: allowsPrivate, mayBeUnfinished: !isEnabled)
        } else {
            oauth = nil
        }
        reader.finish()

        let contentType = headers.first { $0.name.lowercased() == "content-type" }?.text
        // XML has elements that look like them.
        let isXML = contentType?.lowercased().contains("xml") ?? false
        let unfinished =
            headers.flatMap { AccountPlaceholder.names(in: $0.text) }
            + (isXML ? [] : AccountPlaceholder.names(in: bodyDocument ?? .null))
            + AccountPlaceholder.names(in: oauth?.document ?? .null)
        if isEnabled, let name = unfinished.first {
            reader.fail("enabled", "needs your account's value in place of <\(name)>")
        }
        missingValue = AccountPlaceholder.names(in: urlText).first ?? unfinished.first
        do {
            body = try bodyDocument.map { document throws(TemplateError) in
                try BodyTemplate(document, contentType: contentType)
            }
        } catch {
            reader.fail("body", error.message)
            body = nil
        }
        if method == .get, bodyDocument != nil {
            reader.fail("body", "can't be sent with GET; use POST")
        }
        if kind == .webhook {
            if bodyDocument != nil { reader.fail("body", "of a webhook has a form of its own") }
            if method == .get { reader.fail("method", "of a webhook is POST") }
        }
        if oauth != nil {
            if kind == .webhook {
                reader.fail(OAuthCredential.name, "can't go with a webhook, which is signed")
            }
            if headers.contains(where: { $0.name.lowercased() == "authorization" }) {
                reader.fail("headers.Authorization", "is set by Clickrelay where there is oauth")
            }
        }
        guard !urlText.isEmpty else { return nil }
        do {
            url = try URLTemplate(urlText, mayBeUnfinished: !isEnabled)
        } catch {
            reader.fail("url", error.message)
            return nil
        }
        needsExternalID = Self.tokens(url, headers, body).contains { $0.token == .externalID }
    }

    private static func tokens(_ url: URLTemplate, _ headers: [Header], _ body: BodyTemplate?)
        -> [TokenUse]
    {
        url.tokens + headers.flatMap(\.value.tokens) + (body?.tokens ?? [])
    }

    /// Its tokens that have no value, as `{name}`, each once.
    public func emptyTokens(_ values: some TokenValues) -> [String] {
        Self.tokens(url, headers, body).empty(values)
    }

    /// The campaign URL's parameters that it names itself, as `{var:NAME}`.
    public var parameterNames: [String] {
        Self.tokens(url, headers, body).compactMap { use in
            if case .parameter(let name) = use.token { name } else { nil }
        }
    }

    /// Headers that we write ourselves: a second one would make two readers disagree.
    private static let reservedHeaders: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "idempotency-key", "expect",
        "keep-alive", "proxy-connection", "upgrade", "te", "trailer", "webhook-id",
        "webhook-timestamp", "webhook-signature",
    ]

    private static func headers(_ reader: inout DocumentReader) -> [Header] {
        var headers: [Header] = []
        for member in reader.members("headers", max: 30) {
            let field = "headers.\(member.name)"
            guard HeaderName.isToken(member.name) else {
                reader.fail(field, "is not a header name")
                continue
            }
            guard !reservedHeaders.contains(member.name.lowercased()) else {
                reader.fail(field, "is set by Clickrelay itself")
                continue
            }
            if member.value.stringValue?.hasSuffix(SecretMask.text) == true {
                reader.fail(field, SecretMask.complaint)
                continue
            }
            guard case .string(let text) = member.value, text.utf8.count <= 4096,
                text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 })
            else {
                reader.fail(field, "must be a string of at most 4096 printable ASCII characters")
                continue
            }
            do {
                headers.append(
                    Header(
                        name: member.name, text: text,
                        value: try Template(text, braces: .mayBeText)))
            } catch {
                reader.fail(field, error.message)
            }
        }
        return headers
    }

    private static func events(_ reader: inout DocumentReader) -> [String] {
        var events: [String] = []
        for (index, text) in reader.strings("events").enumerated() {
            let event = EventName.normalized(text)
            // No conversion has an event without a name.
            if event.isEmpty { reader.fail("events[\(index)]", "must have a printable character") }
            events.append(event)
        }
        return events
    }

    /// Why a conversion is not to be told here, in a sentence; nil when it is.
    ///
    /// - Parameter isFirst: it's the first conversion of its click.
    public func refusal(
        status: ConversionStatus, event: String, payout: Money, isFirst: @autoclosure () -> Bool
    ) -> String? {
        if !isEnabled { return "it is disabled" }
        if !statuses.isEmpty, !statuses.contains(status) {
            return "it asks for status \(statuses.map(\.rawValue).joined(separator: ", "))"
        }
        if !events.isEmpty, !events.contains(event) {
            return "it asks for event \(events.joined(separator: ", "))"
        }
        if let reason = payouts.refusal(of: payout) { return reason }
        if isFirstOnly, !isFirst() { return "it asks for the first conversion of a click only" }
        return nil
    }

    public var document: JSONValue {
        .object((plainDocument.objectValue ?? []) + secretMembers)
    }

    private var plainDocument: JSONValue {
        [
            "key": .string(key.text),
            "kind": .string(kind.rawValue),
            "method": .string(method.rawValue),
            "url": .string(url.text),
            "headers": .object(
                headers.map { JSONMember(name: $0.name, value: .string($0.text)) }),
            "body": bodyDocument ?? .null,
            "statuses": .array(statuses.map { .string($0.rawValue) }),
            "events": .array(events.map { .string($0) }),
            "payout": payouts.document,
            "value": value.document,
            "first_only": .bool(isFirstOnly),
            "delay_seconds": .integer(delaySeconds),
            "success": success.document,
            "allow_private": .bool(allowsPrivate),
            "enabled": .bool(isEnabled),
            "oauth": oauth?.document ?? .null,
        ]
    }
}
