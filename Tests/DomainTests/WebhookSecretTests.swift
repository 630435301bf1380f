import Testing

@testable import Domain

@Suite struct WebhookSecretTests {
    /// RFC 4648 section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `base 64 is the standard's`(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test func `every byte survives base 64`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9v=", "Zm-v", "Zm 9", "====", "Z", "Zg==Zg=="])
    func `what base 64 would not write is not read`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `a secret has its prefix and 24 to 64 bytes`() {
        func read(_ count: Int) -> WebhookSecret? {
            WebhookSecret(WebhookSecret.text(of: [UInt8](repeating: 1, count: count)))
        }
        #expect(read(24)?.bytes.count == 24 && read(64)?.bytes.count == 64)
        #expect(read(23) == nil && read(65) == nil)
        #expect(WebhookSecret(Base64.encode([UInt8](repeating: 1, count: 32))) == nil)
    }
}
