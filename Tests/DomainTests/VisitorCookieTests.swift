import Testing

@testable import Domain

/// The cookie that tells who comes again.
@Suite struct VisitorCookieTests {
    private static func visitor(in header: String) -> UInt64? {
        Array(header.utf8).withUnsafeBytes { VisitorCookie.visitor(in: $0)?.rawValue }
    }

    @Test func `what was set is read back`() throws {
        for number in [0, 1, 0xFEDC_BA98_7654_3210, .max] as [UInt64] {
            var line: [UInt8] = []
            VisitorCookie.appendLine(
                VisitorNumber(rawValue: number), isSecure: false, to: &line)
            let text = String(decoding: line, as: UTF8.self)
            let pair = try #require(text.split(separator: " ")[1].split(separator: ";").first)
            #expect(Self.visitor(in: String(pair)) == number)
            #expect(Self.visitor(in: "a=b; \(pair) ; c=d") == number)
            #expect(Self.visitor(in: "cr_visitors=1;\t\(pair)") == number)
        }
    }

    @Test func `its attributes keep it ours`() {
        var line: [UInt8] = []
        let visitor = VisitorNumber(rawValue: 0x0123_4567_89AB_CDEF)
        VisitorCookie.appendLine(visitor, isSecure: false, to: &line)
        let start = "Set-Cookie: cr_visitor=0123456789abcdef; Path=/; Max-Age=2592000; HttpOnly; "
        #expect(String(decoding: line, as: UTF8.self) == start + "SameSite=Lax\r\n")
        line = []
        VisitorCookie.appendLine(visitor, isSecure: true, to: &line)
        #expect(String(decoding: line, as: UTF8.self) == start + "Secure; SameSite=Lax\r\n")
    }

    @Test(arguments: [
        "", ";", "=", "cr_visitor", "cr_visitor=", "cr_visitor=0123456789abcde",
        "cr_visitor=0123456789abcdef0", "cr_visitor=0123456789ABCDEF",
        "cr_visitor=0123456789abcdeg",
        "xcr_visitor=0123456789abcdef", "cr_visitor =0123456789abcdef",
        "cr_visitor x=0123456789abcdef",
        "a=cr_visitor=0123456789abcdef",
        "cr_visitor=\"0123456789abcdef\"", "cr_visitor=０123456789abcdef",
    ])
    func `what is none of ours tells nobody`(header: String) {
        #expect(Self.visitor(in: header) == nil)
    }
}
