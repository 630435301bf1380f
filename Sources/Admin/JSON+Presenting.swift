internal import Domain
internal import Store

extension Instant {
    var json: JSONValue { .string(rfc3339) }
}

extension JSONValue {
    /// Bytes from outside as text; those that are not UTF-8 become U+FFFD.
    static func text(_ bytes: some Collection<UInt8>) -> JSONValue {
        .string(String(decoding: bytes, as: UTF8.self))
    }

    /// JSON merge patch, RFC 7396. Recurses as deep as the patch, which the parser bounds.
    func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var members = objectValue ?? []
        for change in changes {
            let index = members.firstIndex { $0.name == change.name }
            if change.value == .null {
                if let index { members.remove(at: index) }
            } else if let index {
                members[index].value = members[index].value.merged(with: change.value)
            } else {
                members.append(
                    JSONMember(
                        name: change.name,
                        value: JSONValue.object([]).merged(with: change.value)))
            }
        }
        return .object(members)
    }
}

extension APIResponse {
    /// A page of a list. `items` holds one more than the limit where there is a next page.
    static func page<Item>(
        _ items: some Collection<Item>, limit: Int, cursor: (Item) -> Int64,
        _ json: (Item) -> JSONValue
    ) -> APIResponse {
        let shown = Array(items.prefix(limit))
        return .page(
            shown.map(json), nextCursor: items.count > limit ? shown.last.map(cursor) : nil)
    }

    static func page(_ items: [JSONValue], nextCursor: Int64?) -> APIResponse {
        APIResponse([
            "items": .array(items),
            "next_cursor": nextCursor.map { .string(String($0)) } ?? .null,
        ])
    }
}
