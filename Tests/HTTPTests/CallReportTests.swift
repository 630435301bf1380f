import HTTP
import Net
import TestSupport
import Testing

/// What a call tells of its way, to whoever asked.
@Suite struct CallReportTests {
    private func peer(_ pair: KeyPath<TestCertificates, TestCertificates.Pair>) throws
        -> ClientTestPeer
    {
        let pair = try TestCertificates.shared.get()[keyPath: pair]
        let context = try TLSContext.server(
            certificateFile: pair.certificateFile, keyFile: pair.keyFile)
        return try ClientTestPeer(tls: context) { connection in
            while try connection.readHead() != nil { try connection.answer("\(connection.number)") }
        }
    }

    private func harness() throws -> ClientHarness {
        let authority = try TestCertificates.shared.get().authorityFile
        return try ClientHarness(
            tls: .client(trust: .only(file: authority)),
            resolver: TableResolver([
                "localhost": .success([Address.loopback]),
                "two.test": .success([Address.public, Address.loopback]),
            ]))
    }

    @Test func `a call tells its addresses, its certificate and its times`() throws {
        let peer = try peer(\.good)
        let harness = try harness()
        for count in 1...2 {
            let report = CallReport()
            let request = try ClientHarness.request("GET", "https://localhost:\(peer.port)/")
            let answer = try harness.send(request, report: report)
            // Each on a connection of its own.
            #expect(answer.body == "\(count)")
            #expect(report.addresses == [.init(text: "127.0.0.1", refusal: nil)])
            #expect(report.connectedTo == "127.0.0.1:\(peer.port)")
            let tls = try #require(report.tls)
            #expect(tls.version == "TLSv1.3" && tls.cipher != nil && tls.problem == nil)
            #expect(tls.certificate?.names == ["DNS:localhost", "IP Address:127.0.0.1"])
            #expect(tls.certificate?.issuer == "CN=Clickrelay test authority ca")
            let parts = [
                report.resolveNanos, report.connectNanos, report.handshakeNanos,
                report.firstByteNanos,
            ]
            #expect(!parts.contains(nil))
            #expect(parts.compactMap(\.self).reduce(0, +) <= report.totalNanos ?? 0)
        }
    }

    @Test func `a refused certificate is told with the reason`() throws {
        let peer = try peer(\.wrongName)
        let report = CallReport()
        let request = try ClientHarness.request("GET", "https://localhost:\(peer.port)/")
        let answer = try harness().send(request, report: report)
        #expect(answer.error == .tls("hostname mismatch"))
        #expect(report.tls?.problem == "hostname mismatch" && report.tls?.version == nil)
        #expect(report.tls?.certificate?.names == ["DNS:elsewhere.test"])
        #expect(report.firstByteNanos == nil && report.totalNanos != nil)
    }

    @Test func `every address of a name is told, with why it may not be called`() throws {
        let report = CallReport()
        let request = try ClientHarness.request("GET", "http://two.test/")
        let answer = try harness().send(
            request, check: { bits, _ in bits == Address.loopback ? "no" : nil }, report: report)
        #expect(answer.error == .refusedAddress("no"))
        #expect(
            report.addresses == [
                .init(text: "192.0.2.1", refusal: nil), .init(text: "127.0.0.1", refusal: "no"),
            ])
        #expect(report.connectedTo == nil && report.connectNanos == nil)
    }

    @Test func `a call that never came to a connection tells how long it waited for one`() throws {
        let peer = try ClientTestPeer { connection in
            _ = try connection.readHead()
            try connection.waitForClose()
        }
        let harness = try ClientHarness { $0.connectionsMax = 1 }
        let url = "http://127.0.0.1:\(peer.port)/"
        let busy = harness.start(try ClientHarness.request("GET", url))
        try eventually("it has come") { peer.accepted == 1 }
        let report = CallReport()
        let start = monotonicNanos()
        let request = try ClientHarness.request("GET", url) { $0.timeoutMilliseconds = 20 }
        #expect(try harness.send(request, report: report).error == .timeout(.connection))
        #expect(try #require(report.totalNanos) <= monotonicNanos() - start)
        harness.cancel(busy)
    }

    @Test func `a request tells its header as it is sent`() throws {
        let request = try ClientRequest(
            "POST", URL("http://a.example:8080/x?y:z"), headers: [("X-A", "b: c")],
            body: Array("a: b\r\n".utf8))
        #expect(
            request.headers.map { "\($0.name)=\($0.value)" } == [
                "Host=a.example:8080", "X-A=b: c", "User-Agent=Clickrelay", "Accept=*/*",
                "Content-Length=6",
            ])
    }
}
