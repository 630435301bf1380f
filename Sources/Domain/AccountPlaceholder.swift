/// `<UPPER_CASE>` in a template: a value of the operator's own account. `<NAME:number>` as a whole
/// string of a JSON body becomes a number.
enum AccountPlaceholder {
    /// How a value is written into what surrounds it.
    enum Place { case url, text }

    static func names(in text: String) -> [String] {
        pieces(of: text).compactMap { $0.name }
    }

    /// Member names are the platform's own and hold none.
    static func names(in document: JSONValue) -> [String] {
        switch document {
        case .null, .bool, .number: []
        case .string(let text): names(in: text)
        case .array(let items): items.flatMap(names(in:))
        case .object(let members): members.flatMap { names(in: $0.value) }
        }
    }

    /// A placeholder without a value stays.
    static func fill(_ text: String, _ values: [String: String], in place: Place) -> String {
        var filled = ""
        for piece in pieces(of: text) {
            guard let value = piece.name.flatMap({ values[$0] }) else {
                filled += piece.text
                continue
            }
            switch place {
            case .text: filled += value
            case .url:
                var bytes: [UInt8] = []
                PercentEncoding.append(Array(value.utf8), to: &bytes)
                filled += String(decoding: bytes, as: UTF8.self)
            }
        }
        return filled
    }

    static func fill(_ document: JSONValue, _ values: [String: String]) -> JSONValue {
        switch document {
        case .null, .bool, .number: return document
        case .string(let text):
            let filled = fill(text, values, in: .text)
            let pieces = pieces(of: text)
            let isNumber = pieces.count == 1 && pieces[0].isNumber && filled != text
            return isNumber && Int64(filled) != nil ? .number(filled) : .string(filled)
        case .array(let items): return .array(items.map { fill($0, values) })
        case .object(let members):
            return .object(
                members.map { JSONMember(name: $0.name, value: fill($0.value, values)) })
        }
    }

    private struct Piece {
        let text: Substring
        var name: String?
        var isNumber = false
    }

    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        var start = rest.startIndex
        while let open = rest[start...].firstIndex(of: "<") {
            let after = rest.index(after: open)
            guard let close = rest[after...].firstIndex(of: ">") else { break }
            let inside = rest[after..<close]
            let isNumber = inside.hasSuffix(":number")
            let name = isNumber ? inside.dropLast(7) : inside
            guard isName(name) else {
                start = after
                continue
            }
            if open > rest.startIndex { pieces.append(Piece(text: rest[..<open])) }
            pieces.append(Piece(text: rest[open...close], name: String(name), isNumber: isNumber))
            rest = rest[rest.index(after: close)...]
            start = rest.startIndex
        }
        if !rest.isEmpty { pieces.append(Piece(text: rest)) }
        return pieces
    }

    private static func isName(_ text: Substring) -> Bool {
        text.utf8.first.map { 65...90 ~= $0 } ?? false
            && text.utf8.allSatisfy { 65...90 ~= $0 || 48...57 ~= $0 || $0 == UInt8(ascii: "_") }
    }
}
