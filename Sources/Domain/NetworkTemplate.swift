/// What is known of an affiliate network's own postbacks: the names it uses, its tokens, its words.
///
/// One entry of `affiliate-networks.json`. It is a starting point that the operator can edit, never
/// a guarantee: platforms change their tokens without notice.
public struct NetworkTemplate: Equatable, Sendable {
    /// How sure the entry is. `high`: the platform's own documentation, or two independent
    /// integrations. `medium`: a tracker's manual or a public template. `low`: part of it is not
    /// verified, and `notes` say which part.
    public enum Confidence: String, CaseIterable, Sendable { case high, medium, low }

    /// How the network reports.
    public enum Calls: Equatable, Sendable {
        /// It fills its tokens into the URL that it was given.
        case tokens
        /// It uses names of its own: of query parameters, of form fields, or paths of dots into a
        /// JSON document.
        case ownQuery, ownForm, ownJSON
        /// Nobody knows.
        case unknown
    }

    public let key: EntityKey
    public let name: String
    public let confidence: Confidence
    public let calls: Calls
    /// `GET` or `POST`.
    public let method: String
    /// The query parameter of the offer URL that takes our click ID.
    public let clickIDParameter: String?
    /// Where the click ID goes instead, or where to find out: "last path segment of the offer URL".
    public let clickIDPlace: String?
    /// By the meanings that the catalogue gives them; tokens verbatim, or the network's own names.
    public let tokens: [Token]
    /// The network's words, as it writes them.
    public let statusMap: [Status]
    /// Where the calls come from; empty: not published.
    public let senders: [String]
    public let notes: String?
    /// The pages that the entry rests on.
    public let evidence: [String]

    public struct Token: Equatable, Sendable {
        public let meaning: String
        public let text: String
    }

    public struct Status: Equatable, Sendable {
        public let word: String
        public let status: ConversionStatus
    }

    /// The text of the network's token with that meaning.
    public subscript(meaning: String) -> String? {
        tokens.first { $0.meaning == meaning }?.text
    }

    /// Our parameters with their names in the catalogue, in the order of a postback URL.
    static let meanings: [(parameter: PostbackParameter, meaning: String)] = [
        (.cid, "click_id"), (.payout, "payout"), (.payoutMinor, "payout_minor"),
        (.currency, "currency"), (.status, "status"), (.txid, "transaction_id"), (.event, "event"),
    ]
}

// MARK: Reading the catalogue

extension NetworkTemplate {
    /// - Throws: everything that is wrong with the entry.
    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        key = reader.requiredKey("key")
        name = reader.requiredString("name")
        if document["confidence"]?.isNull ?? true { reader.fail("confidence", "is required") }
        confidence = reader.choice("confidence", default: .medium)
        method = reader.requiredString("method")
        if method != "GET", method != "POST" { reader.fail("method", "must be GET or POST") }
        notes = reader.string("notes", max: 2000)
        evidence = reader.strings("evidence")
        if evidence.isEmpty { reader.fail("evidence", "is required") }
        if confidence == .low, notes == nil { reader.fail("notes", "is required: it is low") }

        let place = reader.requiredString("subid_param")
        let isPlace = place.hasPrefix("(") && place.hasSuffix(")")
        clickIDParameter = isPlace ? nil : place
        clickIDPlace = isPlace ? String(place.dropFirst().dropLast()) : nil
        let style = Style(reader.requiredString("token_style"))
        calls = style.calls
        tokens = Self.tokens(&reader, style)
        statusMap = Self.statusMap(&reader)
        senders = reader.strings("source_ips")
        for sender in senders where IPNetwork(sender) == nil {
            reader.fail("source_ips", "holds \"\(sender)\", which is no address or range")
        }
        reader.finish()
        try problems.throwIfAny()
    }

    /// How the network's tokens look: `[[[x]]]`.
    private struct Style {
        let calls: Calls
        private let open: String
        private let close: String

        init(_ text: String) {
            switch text {
            case "none": calls = .unknown
            case "(query, fixed names)": calls = .ownQuery
            case "(form body)": calls = .ownForm
            case "(JSON body)": calls = .ownJSON
            default: calls = .tokens
            }
            let parts = text.split(
                separator: "x", maxSplits: 1, omittingEmptySubsequences: false)
            open = calls == .tokens ? String(parts[0]) : ""
            close = calls == .tokens && parts.count == 2 ? String(parts[1]) : ""
        }

        /// Nil when a token is as it should be.
        func complaint(_ token: String) -> String? {
            // It is pasted into a URL as it is.
            guard token.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "&") }) else {
                return "can't stand in a URL"
            }
            switch calls {
            case .unknown: return "is a token of a network that has none"
            case .ownQuery, .ownForm, .ownJSON: return nil
            case .tokens:
                let isStyled =
                    !open.isEmpty && token.hasPrefix(open) && token.hasSuffix(close)
                    && token.utf8.count > open.utf8.count + close.utf8.count
                return isStyled ? nil : "is not written \(open)x\(close)"
            }
        }
    }

    private static func tokens(_ reader: inout DocumentReader, _ style: Style) -> [Token] {
        var tokens: [Token] = []
        for member in reader.members("tokens") where member.value != .null {
            let text = member.value.stringValue ?? ""
            if text.isEmpty {
                reader.fail("tokens.\(member.name)", "must be a text or null")
            } else if let complaint = style.complaint(text) {
                reader.fail("tokens.\(member.name)", complaint)
            } else {
                tokens.append(Token(meaning: member.name, text: text))
            }
        }
        return tokens
    }

    private static func statusMap(_ reader: inout DocumentReader) -> [Status] {
        reader.members("status_values").compactMap { member in
            guard let status = member.value.stringValue.flatMap(ConversionStatus.init(rawValue:))
            else {
                reader.fail("status_values.\(member.name)", "must be one of our statuses")
                return nil
            }
            return Status(word: member.name, status: status)
        }
    }
}
