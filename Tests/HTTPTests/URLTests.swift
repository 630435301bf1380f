import HTTP
import Testing

@Suite struct URLTests {
    @Test(arguments: [
        ("http://offer.example", "offer.example", 80, "/"),
        ("https://offer.example/land?s2=ab#top", "offer.example", 443, "/land?s2=ab"),
        ("HTTPS://Offer.EXAMPLE:8443?x=1", "offer.example", 8443, "/?x=1"),
        ("http://127.0.0.1:8080/a//b/../c", "127.0.0.1", 8080, "/a//b/../c"),
        ("http://[2001:DB8::1]:81/", "2001:db8::1", 81, "/"),
        ("http://[::1]", "::1", 80, "/"),
        ("http://a_b.example/%zz?{x}|'@:", "a_b.example", 80, "/%zz?{x}|'@:"),
        ("http://a.example/@b:c", "a.example", 80, "/@b:c"),
        ("http://a.example#f", "a.example", 80, "/"),
        ("http://a.example:65535/", "a.example", 65535, "/"),
    ])
    func `a URL is taken apart`(text: String, host: String, port: Int, target: String) throws {
        let url = try URL(text)
        #expect(url.host == host)
        #expect(Int(url.port) == port)
        #expect(url.target == target)
        #expect(try URL(url.text) == url)
    }

    @Test(arguments: [
        ("http://a.example:80/x", "a.example"), ("https://a.example:80/", "a.example:80"),
        ("http://[::1]:8080/", "[::1]:8080"), ("https://[::1]/", "[::1]"),
    ])
    func `the authority names a port only when it must`(text: String, authority: String) throws {
        #expect(try URL(text).authority == authority)
    }

    @Test(arguments: [
        ("http://a.example", "http://a.example/land?s2=ab", "/land?s2=ab"),
        ("https://a.example:8443", "https://a.example:8443//x", "//x"),
        ("http://[::1]:81", "http://[::1]:81/", "/"),
        ("HTTP://A.example", "HTTP://A.example/", "/"),
        // These take the whole parser.
        ("http://a.example", "http://a.example", nil),
        ("http://a.example", "http://a.example?x", nil),
        ("http://a.example", "http://a.example.evil/", nil),
        ("http://a.example", "http://a.example:80/", nil),
        ("http://a.example", "http://a.example/p#f", nil),
        ("http://a.example", "http://A.example/", nil),
        ("http://K.example", "http://\u{212a}.example/", nil),
        // These are refused by it.
        ("http://a.example", "http://a.example/a b", nil),
        ("http://a.example", "http://a.example/\r\nX: y", nil),
        ("http://a.example", "http://a.example/\u{e9}", nil),
    ])
    func `a target is found behind a known origin`(origin: String, text: String, target: String?) {
        let found = URL.target(of: text, at: origin)
        #expect(found.map(String.init) == target)
        // What it finds the parser finds too.
        if let found { #expect((try? URL(text).target) == String(found)) }
    }

    @Test func `a text that is too long for a URL has no target`() {
        let origin = "http://a.example"
        let long =
            origin + "/" + String(repeating: "a", count: URL.bytesMax - origin.utf8.count - 1)
        #expect(URL.target(of: long, at: origin) != nil)
        #expect(URL.target(of: long + "a", at: origin) == nil)
    }

    @Test func `a fragment is kept but never sent`() throws {
        #expect(try URL("http://a.example/p#a#b?c").fragment == "a#b?c")
        #expect(try URL("http://a.example/p#").fragment == "")
        #expect(try URL("http://a.example/p").fragment == nil)
    }

    @Test(arguments: [
        ("", URLError.notHTTP), ("/path", .notHTTP), ("ftp://a.example/", .notHTTP),
        ("http:/a.example", .notHTTP), ("javascript:alert(1)", .notHTTP), ("//a.example", .notHTTP),
        ("http:\\\\a.example", .forbiddenCharacter(0x5c)),
        (" http://a.example", .forbiddenCharacter(0x20)),
        ("http://a.example/a b", .forbiddenCharacter(0x20)),
        ("http://a.example/\r\nX: y", .forbiddenCharacter(0x0d)),
        ("http://a.example/\0", .forbiddenCharacter(0)),
        ("http://a.example/\u{7f}", .forbiddenCharacter(0x7f)),
        ("http://münchen.example/", .forbiddenCharacter(0xc3)),
        ("http://a.example\\@b.example/", .forbiddenCharacter(0x5c)),
        ("http://user@a.example/", .userInfo), ("http://user:secret@a.example/", .userInfo),
        ("http://@a.example/", .userInfo), ("http://a.example@b.example/", .userInfo),
        ("http://", .badHost), ("http:///path", .badHost), ("http://?x", .badHost),
        ("http://.example/", .badHost), ("http://a..example/", .badHost),
        ("http://a.example./", .badHost), ("http://-a.example/", .badHost),
        ("http://a-.example/", .badHost), ("http://a%2eexample/", .badHost),
        ("http://a,b/", .badHost), ("http://[::1/", .badHost), ("http://[::g]/", .badHost),
        ("http://[127.0.0.1]/", .badHost), ("http://[fe80::1%25eth0]/", .badHost),
        ("http://[::1]x/", .badHost), ("http://::1/", .badHost), ("http://[]/", .badHost),
        ("http://a.example:/", .badPort), ("http://a.example:0/", .badPort),
        ("http://a.example:65536/", .badPort), ("http://a.example:+80/", .badPort),
        ("http://a.example:80:80/", .badPort), ("http://a.example:8a/", .badPort),
        ("http://[::1]:/", .badPort),
    ])
    func `what could be read in two ways is refused`(text: String, error: URLError) {
        #expect(throws: error) { try URL(text) }
        #expect(!error.text.isEmpty)
    }

    @Test func `a label may have 63 letters, a name 253, a URL 16 KiB`() throws {
        let label = String(repeating: "a", count: 63)
        #expect(throws: Never.self) { try URL("http://\(label)/") }
        #expect(throws: URLError.badHost) { try URL("http://\(label)a/") }
        let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(name.utf8.count == 253)
        #expect(throws: Never.self) { try URL("http://\(name)/") }
        #expect(throws: URLError.badHost) { try URL("http://\(name)b/") }
        let path = String(repeating: "p", count: URL.bytesMax - "http://a/".utf8.count)
        #expect(throws: Never.self) { try URL("http://a/\(path)") }
        #expect(throws: URLError.tooLong) { try URL("http://a/\(path)p") }
    }
}
