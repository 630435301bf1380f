import Domain
import Testing

@Suite struct ClickCookieTests {
    private static let text = "4r9f5rv4arxcfqq40xbkzchn4q"

    @Test(
        arguments: [
            ("cr_click=\(text)", true), ("a=1; cr_click=\(text)", true),
            ("cr_click=\(text.uppercased()); b=2", true), (" cr_click = \(text) ", true),
            ("", false), ("cr_click", false), ("cr_click=", false), ("cr_click=x", false),
            ("xcr_click=\(text)", false), ("cr_clicks=\(text)", false),
            ("cr_click=x; cr_click=\(text)", false), (";;;=;=", false),
        ] as [(String, Bool)])
    func `the click ID is read from among other cookies`(header: String, isThere: Bool) {
        let expected = isThere ? ClickID(Self.text) : nil
        #expect(Array(header.utf8).withUnsafeBytes { ClickCookie.clickID(in: $0) } == expected)
    }

    @Test func `it goes along to other people's pages, and scripts can't read it`() {
        #expect(
            String(decoding: ClickCookie.Kind.crossSite.lineSuffix, as: UTF8.self)
                == "; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=None\r\n")
    }
}
