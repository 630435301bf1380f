/// How a network signs its calls: HMAC-SHA256, in hexadecimal digits, over the query as it is sent
/// without the signature's own parameter.
public struct SignatureRule: Hashable, Sendable {
    public let secret: String
    /// That holds the signature.
    public let parameter: String
    /// That holds when the call was made, in seconds or milliseconds since 1970; nil: the network
    /// sends none, and a call that somebody has overheard may come again at any time.
    public let timestampParameter: String?
    /// How far that time may be from ours.
    public let windowSeconds: Int64

    static let secretName = "secret"
    private static let secretIsSetName = "secret_set"

    /// A secret that is not given is a problem.
    init(reading reader: DocumentReader) {
        var reader = reader
        secret = reader.requiredString(Self.secretName)
        parameter = reader.string("parameter", max: 64).nonEmpty ?? "sig"
        timestampParameter = reader.string("timestamp_parameter", max: 64).nonEmpty
        windowSeconds = reader.integer("window_seconds", in: 1...86_400, default: 300)
        if let timestampParameter, timestampParameter.lowercased() == parameter.lowercased() {
            reader.fail("timestamp_parameter", "must not be the signature's own parameter")
        }
        reader.ignore(Self.secretIsSetName)
        reader.finish()
    }

    /// With the secret: as it is kept.
    var document: JSONValue {
        .object([JSONMember(name: Self.secretName, value: .string(secret))] + members)
    }

    /// Without the secret: as it is shown.
    public var shownDocument: JSONValue {
        .object([JSONMember(name: Self.secretIsSetName, value: true)] + members)
    }

    private var members: [JSONMember] {
        [
            JSONMember(name: "parameter", value: .string(parameter)),
            JSONMember(name: "timestamp_parameter", value: .string(orNull: timestampParameter)),
            JSONMember(name: "window_seconds", value: .integer(windowSeconds)),
        ]
    }

    /// A network's document with this secret, where it has a signature and names no secret: what was
    /// shown without it can be sent back.
    public func restoringSecret(in network: JSONValue) -> JSONValue {
        guard case .object(var members) = network,
            let index = members.firstIndex(where: { $0.name == "signature" }),
            case .object(let rule) = members[index].value,
            members[index].value[Self.secretName] ?? .null == .null
        else { return network }
        members[index].value = .object(
            rule.filter { $0.name != Self.secretName }
                + [JSONMember(name: Self.secretName, value: .string(secret))])
        return .object(members)
    }
}
