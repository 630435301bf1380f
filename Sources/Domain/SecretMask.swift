/// How a secret that we keep is shown: as one character that none of them contains.
public enum SecretMask {
    public static let text = "…"

    /// For a document that holds the mask where there's nothing to restore.
    static let complaint = "is shown masked and can't be known from here: write the value itself"

    /// The text with every occurrence of the secret masked.
    public static func masking(_ secret: String, in text: String) -> String {
        guard !secret.isEmpty else { return text }
        var masked: [UInt8] = []
        let (bytes, needle) = (Array(text.utf8), Array(secret.utf8))
        var index = 0
        while index < bytes.count {
            if bytes[index] == needle[0], bytes[index...].starts(with: needle) {
                masked.append(contentsOf: Self.text.utf8)
                index += needle.count
            } else {
                masked.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: masked, as: UTF8.self)
    }
}
