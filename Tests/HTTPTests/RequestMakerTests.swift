import Testing

@testable import HTTP

@Suite struct RequestMakerTests {
    private func made(_ target: String, _ fields: [(String, String)] = []) -> String? {
        RequestMaker().withRequest(
            target: Array(target.utf8),
            fields: fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }, peerAddress: 7,
            receivedAtMicros: 9
        ) { request in
            let all = (0..<request.headerCount).map { index in
                String(decoding: request.headerName(at: index), as: UTF8.self) + "="
                    + String(decoding: request.headerValue(at: index), as: UTF8.self)
            }
            #expect(request.peerAddress == 7 && request.receivedAtMicros == 9)
            #expect(request.method == .get && request.body.isEmpty)
            return String(decoding: request.target, as: UTF8.self) + " "
                + all.joined(separator: ";")
        }
    }

    @Test func `a request is what it is made of`() {
        #expect(
            made("/c/a?x=1", [("User-Agent", "U"), ("B", "c d")])
                == "/c/a?x=1 Host=x;User-Agent=U;B=c d")
        #expect(made("/") == "/ Host=x")
    }

    @Test func `nothing gets in that could not be sent`() {
        #expect(made("/c/a b") == nil)
        #expect(made("/ HTTP/1.1\r\nHost: y\r\nX: ") == nil)
        #expect(made("/\r\n\r\n") == nil)
        #expect(made("") == nil)
        #expect(made("c/a") == nil)
        #expect(made("/", [("A", "b\r\nC: d")]) == nil)
        #expect(made("/", [("A", "b\r\n\r\n")]) == nil)
        #expect(made("/", [("A\r\nB", "c")]) == nil)
        #expect(made("/", [("", "c")]) == nil)
        #expect(made("/", [("Host", "y")]) == nil)
        #expect(made("/" + String(repeating: "x", count: 17_000)) == nil)
    }
}
