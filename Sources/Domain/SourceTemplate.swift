/// What is known of a traffic source: its own macros, and the call that tells it of a conversion.
///
/// One entry of `traffic-sources.json`. It is a starting point that the operator can edit, never a
/// guarantee: platforms change their tokens and addresses without notice.
public struct SourceTemplate: Equatable, Sendable {
    public typealias Confidence = NetworkTemplate.Confidence

    public let key: EntityKey
    public let name: String
    public let confidence: Confidence
    /// The campaign URL's parameter for the source's own click ID, with the macro that fills it;
    /// without a macro the platform appends the parameter itself.
    public let clickID: Macro?
    public let cost: Macro?
    /// Of which currency and for what the cost is: "US dollars per click".
    public let costUnit: String?
    public let parameters: [Macro]
    /// Nil: no address is known.
    public let call: Call?
    public let hashing: String?
    public let notes: String?
    /// The pages that the entry rests on.
    public let evidence: [String]

    /// A parameter of the campaign URL with the source's own text for its value, verbatim.
    public struct Macro: Equatable, Sendable {
        public let parameter: String
        public let text: String?
        public let meaning: String?
    }

    /// A destination with `<UPPER_CASE>` where the account's values belong.
    public struct Call: Equatable, Sendable {
        public let method: String
        public let url: String
        public let headers: [JSONMember]
        public let body: JSONValue
        /// The members of a destination that the catalogue sets beside these (`success`, `oauth`).
        public let extras: [JSONMember]
        public let needs: [Need]
    }

    /// A value of the operator's own account with the source.
    public struct Need: Equatable, Sendable {
        public let name: String
        /// Empty where the name says it all.
        public let meaning: String
    }

    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        key = reader.requiredKey("key")
        name = reader.requiredString("name")
        _ = reader.requiredString("kind")
        if document["confidence"]?.isNull ?? true { reader.fail("confidence", "is required") }
        confidence = reader.choice("confidence", default: .medium)
        notes = reader.string("notes", max: 2000)
        evidence = reader.strings("evidence")
        if evidence.isEmpty { reader.fail("evidence", "is required") }
        if confidence == .low, notes == nil { reader.fail("notes", "is required: it is low") }

        clickID = Self.macro(reader.reader("click_id"))
        (cost, costUnit) = Self.cost(reader.reader("cost"))
        var parameters: [Macro] = []
        for (index, item) in reader.array("params", max: Token.variableMax).enumerated() {
            let parameter = DocumentReader(item, path: "params[\(index)]", problems: problems)
            if let macro = Self.macro(parameter) { parameters.append(macro) }
        }
        self.parameters = parameters
        (call, hashing) = Self.call(reader.reader("postback"))
        reader.finish()
        try problems.throwIfAny()
    }

    private static func macro(_ reader: DocumentReader?) -> Macro? {
        guard var reader else { return nil }
        let macro = Macro(
            parameter: reader.requiredString("param", max: 64),
            text: pasted(&reader), meaning: reader.string("meaning"))
        reader.finish()
        return macro
    }

    private static func cost(_ reader: DocumentReader?) -> (Macro?, String?) {
        guard var reader else { return (nil, nil) }
        let macro = Macro(
            parameter: reader.requiredString("param", max: 64),
            text: pasted(&reader), meaning: reader.string("model"))
        let unit = reader.requiredString("unit")
        reader.finish()
        return (macro, unit)
    }

    /// The macro's text; it is pasted into a URL as it is.
    private static func pasted(_ reader: inout DocumentReader) -> String? {
        let text = reader.string("token")
        if let text, !text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "&") }) {
            reader.fail("token", "can't stand in a URL")
        }
        return text
    }

    private static func call(_ reader: DocumentReader?) -> (Call?, String?) {
        guard var reader else { return (nil, nil) }
        let url = reader.requiredString("url", max: URLTemplate.lengthMax)
        let method = reader.requiredString("method")
        let headers = reader.members("headers")
        let body = reader.value("body") ?? .null
        let hashing = reader.string("hashing", max: 2000)
        var needs: [Need] = []
        for member in reader.members("needs") {
            guard let meaning = member.value.stringValue else {
                reader.fail("needs.\(member.name)", "must be a text")
                continue
            }
            needs.append(Need(name: member.name, meaning: meaning))
        }
        let extras = ["success", "oauth"].compactMap { name in
            reader.value(name).map { JSONMember(name: name, value: $0) }
        }
        let used = Set(
            AccountPlaceholder.names(in: url)
                + AccountPlaceholder.names(in: .object(headers))
                + AccountPlaceholder.names(in: body)
                + AccountPlaceholder.names(in: .object(extras)))
        for name in used where !needs.contains(where: { $0.name == name }) {
            reader.fail("needs", "does not explain <\(name)>")
        }
        for need in needs where !used.contains(need.name) {
            reader.fail("needs.\(need.name)", "is used nowhere")
        }
        reader.finish()
        return (
            Call(
                method: method, url: url, headers: headers, body: body, extras: extras,
                needs: needs),
            hashing
        )
    }
}
