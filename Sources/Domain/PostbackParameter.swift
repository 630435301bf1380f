/// What a network's postback can tell us, by canonical name (`product.md`, "Incoming postback
/// parameters").
public enum PostbackParameter: String, CaseIterable, Sendable {
    case cid, payout
    case payoutMinor = "payout_minor"
    case currency, txid, event, status
    case param1, param2, param3, param4, param5, param6, param7, param8, param9, param10
    case reply = "return"
    case disablePostback = "disable_postback"
    case test

    /// Other names in use for it, the likeliest first.
    ///
    /// `transaction_id` is an order almost everywhere, so it is no alias of the click ID.
    var aliases: [String] {
        switch self {
        case .cid: ["clickid", "click_id", "subid", "sub_id", "cnv_id", "hit"]
        case .payout: ["revenue", "rev", "sum", "amount", "sale_amount"]
        case .currency: ["cur", "cnv_currency"]
        case .txid: ["tid", "tx", "transaction_id", "txn_id", "order_id", "action_id"]
        case .event: ["et", "event_type", "type", "goal", "goal_id", "goal_value"]
        case .status: ["cnv_status", "conv_status"]
        case .payoutMinor, .param1, .param2, .param3, .param4, .param5, .param6, .param7, .param8,
            .param9, .param10, .reply, .disablePostback, .test:
            []
        }
    }

    static let extras: [PostbackParameter] = [
        .param1, .param2, .param3, .param4, .param5, .param6, .param7, .param8, .param9, .param10,
    ]
}

/// The parameters of one call, query before body, values decoded. Names are compared without case.
public struct PostbackFields: Sendable {
    private let pairs: [(name: String, value: String)]

    public init(_ pairs: [(name: String, value: [UInt8])]) {
        self.pairs = pairs.map { name, value in
            (name.lowercased(), String(decoding: value, as: UTF8.self))
        }
    }

    /// The first non-empty value under the network's own names, the canonical one and its aliases,
    /// in that order; surrounding white space is not part of it.
    func value(_ parameter: PostbackParameter, of network: Network) -> String? {
        let own = network.parameters[parameter.rawValue]?.map { $0.lowercased() } ?? []
        for name in own + [parameter.rawValue] + parameter.aliases {
            for pair in pairs where pair.name == name {
                let value = pair.value.trimmed
                if !value.isEmpty { return value }
            }
        }
        return nil
    }
}

extension String {
    /// Without white space and control characters at either end.
    var trimmed: String {
        let isEdge: (Unicode.Scalar) -> Bool = {
            $0.properties.isWhitespace || $0.value < 32 || $0.value == 127
        }
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

    /// `{payout}`, `[CLICKID]`, `#s2#`, `%x%`, `REPLACE` and their kin.
    public static func matches(_ value: String) -> Bool {
        let text = value.trimmed
        if text.uppercased() == "REPLACE" { return true }
        return brackets.contains { open, close in
            guard text.utf8.count > open.utf8.count + close.utf8.count, text.hasPrefix(open),
                text.hasSuffix(close)
            else { return false }
            let name = text.dropFirst(open.count).dropLast(close.count)
            return name.utf8.allSatisfy(isNameByte)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        EntityKey.allows(byte | (byte >= 65 && byte <= 90 ? 32 : 0))
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }
}
