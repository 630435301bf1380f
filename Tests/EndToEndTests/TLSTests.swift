import TestSupport
import Testing

/// Outbound calls over TLS: a verified chain and host name, or none at all.
@Suite struct TLSTests {
    private func delivery(
        to receiver: TLSReceiver, trusting file: String?, state: String
    ) throws -> JSON {
        let chain = try Chain.start { setup in
            // OpenSSL's own way of naming the authorities that are trusted.
            if let file { setup.options.environment["SSL_CERT_FILE"] = file }
            var secure = setup.destination("tls", "/")
            secure["url"] = .string(receiver.url + "/conv?id={external_id}")
            setup.destinations = [secure]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        return try chain.delivery(of: visit.clickID, "is \(state)") {
            Chain.attempts(of: $0) == 1 && $0["state"].string == state
        }
    }

    @Test func `a receiver with a trusted certificate is called`() throws {
        let receiver = try TLSReceiver(name: "IP:127.0.0.1")
        let delivery = try delivery(
            to: receiver, trusting: receiver.certificateFile, state: "delivered")
        #expect(delivery["attempts"][0]["status"] == 200)
    }

    @Test func `a receiver nobody vouches for is not`() throws {
        let receiver = try TLSReceiver(name: "IP:127.0.0.1")
        let delivery = try delivery(to: receiver, trusting: nil, state: "waiting")
        #expect(delivery["attempts"][0]["status"].int ?? 0 == 0)
        #expect(delivery["attempts"][0]["error"].string?.isEmpty == false)
    }

    @Test func `a receiver under another name is not`() throws {
        let receiver = try TLSReceiver(name: "DNS:other.example")
        let delivery = try delivery(
            to: receiver, trusting: receiver.certificateFile, state: "waiting")
        #expect(delivery["attempts"][0]["status"].int ?? 0 == 0)
        #expect(delivery["attempts"][0]["error"].string?.isEmpty == false)
    }

    @Test func `a receiver that speaks no TLS is an attempt with an error`() throws {
        let plain = try FakeTrafficSource()
        let chain = try Chain.start { setup in
            var secure = setup.destination("tls", "/")
            secure["url"] = .string("https://127.0.0.1:\(plain.port)/conv")
            setup.destinations = [secure]
        }
        let visit = try chain.visit("subid=A")
        _ = try chain.network.call("cid=\(visit.clickID)&payout=1")
        let delivery = try chain.delivery(of: visit.clickID, within: 40, "was tried") {
            Chain.attempts(of: $0) == 1
        }
        #expect(delivery["attempts"][0]["error"].string?.isEmpty == false)
        #expect(plain.count == 0)
    }
}
