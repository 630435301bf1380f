/// What a network's postback can tell us, by canonical name.
public enum PostbackParameter: String, CaseIterable, Sendable {
    case cid, payout
    case payoutMinor = "payout_minor"
    case currency, txid, event, status
    case param1, param2, param3, param4, param5, param6, param7, param8, param9, param10
    case approvedStatus = "approved_status"
    case pendingStatus = "pending_status"
    case rejectedStatus = "rejected_status"
    case trashStatus = "trash_status"
    case chargebackStatus = "chargeback_status"
    case reply = "return"
    case disablePostback = "disable_postback"
    case test

    /// Other names in use for it, the likeliest first.
    ///
    /// `transaction_id` is an order almost everywhere, so it is no alias of the click ID.
    public var aliases: [String] {
        switch self {
        case .cid: ["clickid", "click_id", "subid", "sub_id", "cnv_id", "hit"]
        case .payout: ["revenue", "rev", "sum", "amount", "sale_amount"]
        case .currency: ["cur", "cnv_currency"]
        case .txid: ["tid", "tx", "transaction_id", "txn_id", "order_id", "action_id"]
        case .event: ["et", "event_type", "type", "goal", "goal_id", "goal_value"]
        case .status: ["cnv_status", "conv_status"]
        case .payoutMinor, .param1, .param2, .param3, .param4, .param5, .param6, .param7, .param8,
            .param9, .param10, .approvedStatus, .pendingStatus, .rejectedStatus, .trashStatus,
            .chargebackStatus, .reply, .disablePostback, .test:
            []
        }
    }

    /// The call's own status map: which of the network's words mean a status.
    static let statusWords: [(parameter: PostbackParameter, status: ConversionStatus)] = [
        (.approvedStatus, .approved), (.pendingStatus, .pending), (.rejectedStatus, .rejected),
        (.trashStatus, .trash), (.chargebackStatus, .chargeback),
    ]

    static let extras: [PostbackParameter] = [
        .param1, .param2, .param3, .param4, .param5, .param6, .param7, .param8, .param9, .param10,
    ]
}

/// Which parameter each name in a network's calls means: its own names, which win over the table,
/// then the canonical one and its aliases.
struct PostbackDialect: Hashable, Sendable {
    struct Meaning: Hashable, Sendable {
        let parameter: PostbackParameter
        /// The lower one wins where a call has several names of one parameter.
        let rank: Int
    }

    /// By name in lower case.
    private var meanings: [String: [Meaning]] = [:]

    /// - Parameter own: our parameter name to the network's names for it.
    init(own: [String: [String]]) {
        for parameter in PostbackParameter.allCases {
            for (rank, name) in (own[parameter.rawValue] ?? []).enumerated() {
                add(name.lowercased(), Meaning(parameter: parameter, rank: rank))
            }
        }
        // A network that sends the click ID as `transaction_id` sends no order by that name.
        let claimed = Set(meanings.keys)
        for parameter in PostbackParameter.allCases {
            let names = [parameter.rawValue] + parameter.aliases
            for (rank, name) in names.enumerated() where !claimed.contains(name) {
                add(name, Meaning(parameter: parameter, rank: Self.ownMax + rank))
            }
        }
    }

    /// The table alone.
    static let standard = PostbackDialect(own: [:])

    /// More names than a network may have of its own for one parameter.
    private static let ownMax = 1000

    private mutating func add(_ name: String, _ meaning: Meaning) {
        meanings[name, default: []].append(meaning)
    }

    subscript(name: String) -> [Meaning] { meanings[name.lowercased()] ?? [] }
}

/// The parameters of one call that mean something to us. Names are compared without case.
public struct PostbackFields: Sendable {
    private var values: [PostbackParameter: (rank: Int, text: String)] = [:]
    /// Entered by hand, not sent by a network: amounts are decimal then.
    let isEntry: Bool

    /// - Parameter pairs: query before body, values decoded.
    public init(_ pairs: [(name: String, value: [UInt8])], of network: Network) {
        self.init(pairs, network.dialect, isEntry: false)
    }

    /// Of a row that somebody entered: in our names, not in a network's.
    public init(entry pairs: [(name: String, value: [UInt8])]) {
        self.init(pairs, .standard, isEntry: true)
    }

    private init(
        _ pairs: [(name: String, value: [UInt8])], _ dialect: PostbackDialect, isEntry: Bool
    ) {
        self.isEntry = isEntry
        for pair in pairs {
            for meaning in dialect[pair.name] {
                if let known = values[meaning.parameter], known.rank <= meaning.rank { continue }
                let text = String(decoding: pair.value, as: UTF8.self)
                guard !text.trimmed.isEmpty else { continue }
                values[meaning.parameter] = (meaning.rank, text)
            }
        }
    }

    /// The first non-empty value, as it came: the network's IDs and extras are its own.
    func exactValue(_ parameter: PostbackParameter) -> String? { values[parameter]?.text }

    /// Whether the call names a click, in whatever form.
    public var hasClickID: Bool { value(.cid) != nil }

    /// The first non-empty value without the white space around it.
    func value(_ parameter: PostbackParameter) -> String? { values[parameter]?.text.trimmed }
}

extension String {
    /// Without white space at either end. Other control characters stay: a value that holds one is
    /// wrong, not absent.
    var trimmed: String {
        // Most values have nothing to trim, and are ASCII.
        if let first = utf8.first, let last = utf8.last, (33...126).contains(first),
            (33...126).contains(last)
        {
            return self
        }
        let isEdge: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        guard let first = unicodeScalars.firstIndex(where: { !isEdge($0) }),
            let last = unicodeScalars.lastIndex(where: { !isEdge($0) })
        else { return "" }
        return String(unicodeScalars[first...last])
    }
}

/// Recognises a network's placeholder that was sent instead of its value.
public enum UnreplacedMacro {
    private static let brackets: [(open: String, close: String)] = [
        ("{{", "}}"), ("${", "}"), ("{", "}"), ("[[[", "]]]"), ("[=", "=]"), ("[", "]"),
        ("##", "##"), ("#", "#"), ("%", "%"), ("<", ">"), ("!!!", "!!!"), ("__", "__"),
    ]

    /// What a macro can begin with: most values need no closer look.
    private static let starts = Array("{$[#%<!_Rr".utf8)

    /// `{payout}`, `[CLICKID]`, `#s2#`, `%x%`, `REPLACE` and their kin.
    ///
    /// Between the brackets there must be a name with a letter: a number, a list of numbers and a
    /// GUID in braces are values.
    public static func matches(_ value: String) -> Bool {
        let text = value.trimmed
        guard let first = text.utf8.first, starts.contains(first) else { return false }
        if text.uppercased() == "REPLACE" { return true }
        return brackets.contains { open, close in
            guard text.utf8.count > open.utf8.count + close.utf8.count, text.hasPrefix(open),
                text.hasSuffix(close)
            else { return false }
            let name = text.dropFirst(open.count).dropLast(close.count)
            return name.utf8.allSatisfy(isNameByte) && name.utf8.contains(where: isLetter)
                && !isGUID(name)
        }
    }

    /// Parentheses because of macros that name a function, such as CJ's `{url(sid)}`.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        EntityKey.allows(isLetter(byte) ? byte | 32 : byte)
            || [UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "("), UInt8(ascii: ")")]
                .contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 32) }

    /// `3F2504E0-4F89-41D3-9A0C-0305E82C3301`, which some systems write in braces.
    private static func isGUID(_ name: Substring) -> Bool {
        guard name.utf8.count == 36 else { return false }
        return name.utf8.enumerated().allSatisfy { position, byte in
            [8, 13, 18, 23].contains(position)
                ? byte == UInt8(ascii: "-")
                : (48...57).contains(byte) || (97...102).contains(byte | 32)
        }
    }
}
