import Foundation
import TestSupport
import Testing

@Suite struct DemoTests {
    @Test func `the demo walks one visitor through the chain, stays up and stops cleanly`() throws {
        let directory = try TemporaryDirectory()
        let demo = try BackgroundCommand([
            "demo", "--data-dir", directory.file("demo"), "--listen", "127.0.0.1:0",
        ])
        func said() -> String { demo.outputText + demo.errorText }
        try eventually(within: 30, "the demo's walk; it said: \(said())") {
            let text = said()
            return text.contains("/c/") && text.contains("302") && text.contains("/postback/")
                && text.contains("accepted")
        }
        try eventually(within: 10, "links to try with curl") { said().contains("curl") }
        // A campaign URL it printed works.
        let pattern = try Regex(#"http://127\.0\.0\.1:(\d+)(/c/[^\s'"]+)"#)
        let match = try #require(try pattern.firstMatch(in: said()))
        let port = try #require(match.output[1].substring.flatMap { UInt16($0) })
        let target = try #require(match.output[2].substring.map(String.init))
        #expect(try HTTPConnection(port: port).request("GET", target).status == 302)
        #expect(!demo.hasExited)
        demo.signal(SIGINT)
        #expect(try demo.awaitExit() == 0, "\(said())")
    }
}
