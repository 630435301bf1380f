/// Those values of a source's account that let others act as its owner: whatever is shown has their
/// names in their place.
public struct AccountSecrets: Sendable {
    private struct Secret {
        let placeholder: [UInt8]
        /// The value as it may stand in a text: itself, in a URL, in JSON.
        let forms: [[UInt8]]
    }

    private let secrets: [Secret]

    /// A shorter one is taken for a secret only where it stands alone: it could be a part of anything.
    static let bytesMin = 8
    private static let words: Set<Substring> = ["TOKEN", "KEY", "SECRET", "PASSWORD", "HASH"]

    /// By its name: `ACCESS_TOKEN`, not `PIXEL_ID`.
    public static func isSecret(_ name: String) -> Bool {
        name.split(separator: "_").contains(where: words.contains)
    }

    public init(_ account: [Source.AccountValue]) {
        secrets =
            account.filter { Self.isSecret($0.name) }
            // One that begins with another one goes first.
            .sorted { $0.value.utf8.count > $1.value.utf8.count }
            .map { value in
                let texts: Set<String> = [
                    value.value, PercentEncoding.encode(value.value),
                    String(JSONValue.string(value.value).encoded().dropFirst().dropLast()),
                ]
                return Secret(
                    placeholder: Array("<\(value.name)>".utf8), forms: texts.map { Array($0.utf8) })
            }
    }

    public func masked(_ text: String) -> String {
        secrets.isEmpty ? text : String(decoding: masked(Array(text.utf8)), as: UTF8.self)
    }

    public func masked(_ bytes: [UInt8]) -> [UInt8] {
        secrets.reduce(bytes) { bytes, secret in
            secret.forms.reduce(bytes) { Self.replacing($1, in: $0, by: secret.placeholder) }
        }
    }

    public func masked(_ document: JSONValue) -> JSONValue {
        switch document {
        case .null, .bool, .number: document
        case .string(let text): .string(masked(text))
        case .array(let items): .array(items.map { masked($0) })
        case .object(let members):
            .object(members.map { JSONMember(name: $0.name, value: masked($0.value)) })
        }
    }

    private static func replacing(_ form: [UInt8], in bytes: [UInt8], by placeholder: [UInt8])
        -> [UInt8]
    {
        guard let first = form.first, bytes.count >= form.count else { return bytes }
        var masked: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let end = index + form.count
            let isThere =
                bytes[index] == first && end <= bytes.count
                && bytes[index..<end].elementsEqual(form)
                && (form.count >= bytesMin
                    || !isWord(index > 0 ? bytes[index - 1] : 0)
                        && !isWord(end < bytes.count ? bytes[end] : 0))
            if isThere {
                masked += placeholder
                index = end
            } else {
                masked.append(bytes[index])
                index += 1
            }
        }
        return masked
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
