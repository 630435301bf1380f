/// A page that sends its visitor on, read as a browser reads it: tags, attributes, entities.
public struct RefreshPage {
    public struct Tag: Sendable {
        public let name: String
        public let attributes: [String: String]
    }

    public let tags: [Tag]
    /// What stands between the tags, script included.
    public let texts: [String]

    /// - Throws: `TestFailure` where a browser would have to guess.
    public init(_ response: HTTPResponse) throws {
        var tags: [Tag] = []
        var texts: [String] = []
        var rest = response.text[...]
        while let open = rest.firstIndex(of: "<") {
            if open > rest.startIndex { texts.append(String(rest[..<open])) }
            rest = rest[rest.index(after: open)...]
            tags.append(try RefreshPage.tag(&rest))
        }
        guard rest.allSatisfy(\.isWhitespace) else {
            throw TestFailure("text behind the last tag: \(rest)")
        }
        self.tags = tags
        self.texts = texts
    }

    private static func tag(_ rest: inout Substring) throws -> Tag {
        let name = rest.prefix { $0 != ">" && $0 != " " }
        rest = rest[name.endIndex...]
        var attributes: [String: String] = [:]
        while rest.first == " " {
            rest = rest.dropFirst()
            let attribute = rest.prefix { $0.isLetter || $0 == "-" }
            rest = rest[attribute.endIndex...]
            guard rest.hasPrefix("=\"") else {
                attributes[String(attribute)] = ""
                continue
            }
            rest = rest.dropFirst(2)
            guard let end = rest.firstIndex(of: "\"") else {
                throw TestFailure("an attribute that does not end: \(rest)")
            }
            attributes[String(attribute)] = try unescaped(rest[..<end])
            rest = rest[rest.index(after: end)...]
        }
        guard rest.first == ">" else { throw TestFailure("not the end of a tag: \(rest)") }
        rest = rest.dropFirst()
        return Tag(name: String(name), attributes: attributes)
    }

    private static func unescaped(_ text: Substring) throws -> String {
        var result = ""
        var rest = text
        while let character = rest.first {
            guard character == "&" else {
                guard character != "<", character != ">" else {
                    throw TestFailure("\(character) within an attribute")
                }
                result.append(character)
                rest = rest.dropFirst()
                continue
            }
            let entities = [
                "&amp;": "&", "&quot;": "\"", "&#39;": "'", "&lt;": "<", "&gt;": ">",
            ]
            guard let entity = entities.first(where: { rest.hasPrefix($0.key) }) else {
                throw TestFailure("an & that begins no entity: \(rest)")
            }
            result += entity.value
            rest = rest.dropFirst(entity.key.count)
        }
        return result
    }

    /// The attribute of the tag that has `attribute` with this value.
    public func value(_ name: String, where attribute: String, is value: String) -> String? {
        tags.first { $0.attributes[attribute] == value }?.attributes[name]
    }

    /// Where the page refreshes to.
    public var address: String? {
        let prefix = "0;url="
        let content = value("content", where: "http-equiv", is: "refresh")
        return content.flatMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    }

    /// Where the page's script goes.
    public var scriptAddress: String? {
        tags.lazy.compactMap { $0.attributes["data-to"] }.first
    }

    public var referrerPolicy: String? { value("content", where: "name", is: "referrer") }
}
