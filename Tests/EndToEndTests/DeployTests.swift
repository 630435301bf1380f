import Foundation
import Testing

/// The samples in `deploy`, as far as they can be wrong unnoticed.
@Suite struct DeployTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("deploy")

    @Test func `the proxy keeps the administration away from visitors, and nothing else`() throws {
        let text = try String(
            contentsOf: Self.folder.appendingPathComponent("Caddyfile"), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.contains("@api path") })
        let patterns = line.split(separator: " ").dropFirst(2)
        func isKept(_ path: String) -> Bool {
            patterns.contains { path.hasPrefix($0.hasSuffix("*") ? $0.dropLast() : $0) }
        }
        #expect(isKept("/api/v1/campaigns"))
        for path in ["/api/click", "/c/summer", "/o/1", "/t.js", "/postback/k", "/pixel/k.gif"] {
            #expect(!isKept(path), "\(path)")
        }
    }
}
