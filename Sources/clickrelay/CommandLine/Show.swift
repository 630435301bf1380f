internal import Domain

/// The API's JSON as text for people.
enum Show {
    /// A scalar as text; "-" for nothing.
    static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null?: "-"
        case .string(let text)?: text.isEmpty ? "-" : text
        case .number(let text)?: text
        case .bool(let flag)?: flag ? "yes" : "no"
        case .array(let items)?:
            items.isEmpty ? "-" : items.map { text($0) }.joined(separator: " + ")
        case .object?: money(value) ?? value?.encoded() ?? "-"
        }
    }

    /// `12.5 USD`; nil for what isn't an amount of money.
    static func money(_ value: JSONValue?) -> String? {
        guard let amount = value?["amount"], let currency = value?["currency"]?.stringValue,
            value?.objectValue?.count == 2
        else { return nil }
        return "\(text(amount)) \(currency)"
    }

    /// An ID, whether the API writes it as a string or as a number.
    static func id(_ value: JSONValue?) -> String? { value?.stringValue ?? value?.numberText }

    /// Seconds are enough for a list; `trace` and `show` have the fraction.
    static func time(_ value: JSONValue?) -> String {
        guard let text = value?.stringValue, let instant = Instant(rfc3339: text) else {
            return self.text(value)
        }
        return Instant(micros: instant.micros - instant.micros % 1_000_000).rfc3339
    }

    /// `1 click`, `2 clicks`.
    static func count(_ number: some BinaryInteger, _ one: String, _ many: String? = nil)
        -> String
    {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    /// A whole document, indented, values aligned within each object.
    static func outline(_ value: JSONValue) -> String {
        var text = ""
        append(value, indent: "", to: &text)
        return text
    }

    /// Recursive as deep as the JSON parser lets a document be.
    private static func append(_ value: JSONValue, indent: String, to text: inout String) {
        guard let members = value.objectValue else {
            for item in value.arrayValue ?? [value] { text += "\(indent)\(cell(item))\n" }
            return
        }
        let width = members.map(\.name.count).max() ?? 0
        for member in members {
            let name = Printable.text(member.name)
            if let line = inline(member.value) {
                let padding = String(repeating: " ", count: max(0, width - name.count))
                text += "\(indent)\(name)\(padding)  \(line)\n"
            } else if let items = member.value.arrayValue {
                text += "\(indent)\(name)\n"
                for item in items {
                    var block = ""
                    append(item, indent: indent + "    ", to: &block)
                    text += "\(indent)  - " + block.dropFirst(indent.count + 4)
                }
            } else {
                text += "\(indent)\(name)\n"
                append(member.value, indent: indent + "  ", to: &text)
            }
        }
    }

    /// Nil for what needs lines of its own.
    private static func inline(_ value: JSONValue) -> String? {
        switch value {
        case .null, .bool, .number, .string: return cell(value)
        case .array(let items):
            if items.contains(where: { $0.objectValue != nil || $0.arrayValue != nil }) {
                return nil
            }
            // Sentences get a line each.
            if items.count > 1, items.contains(where: { cell($0).utf8.count > 60 }) { return nil }
            return items.isEmpty ? "-" : items.map(cell).joined(separator: ", ")
        case .object(let members):
            if let money = money(value) { return Printable.text(money) }
            return members.isEmpty ? "-" : nil
        }
    }

    private static func cell(_ value: JSONValue) -> String { Printable.text(text(value)) }
}
