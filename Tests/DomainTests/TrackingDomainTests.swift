import Domain
import Testing

@Suite struct TrackingDomainTests {
    @Test(
        arguments: [
            ("go.example.com", "go.example.com"), ("GO.Example.COM.", "go.example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("localhost", "localhost"),
            ("203.0.113.9", "203.0.113.9"), ("[2001:DB8::1]", "[2001:db8::1]"),
            ("my_track-1.example", "my_track-1.example"), ("", nil), (".", nil), ("a..b", nil),
            ("a.example:8080", nil), ("https://a.example", nil), ("a.example/", nil),
            ("bücher.example", nil), ("a b", nil), ("[::1", nil), ("[203.0.113.9]", nil),
            (
                String(repeating: "a", count: 63) + ".example",
                String(repeating: "a", count: 63) + ".example"
            ),
            (String(repeating: "a", count: 64) + ".example", nil),
            (String(repeating: "a.", count: 127) + "b", nil),
            (String(repeating: "a.", count: 126) + "b", String(repeating: "a.", count: 126) + "b"),
        ] as [(String, String?)])
    func `a host has one spelling`(text: String, host: String?) {
        #expect(HostName(text)?.text == host)
    }

    @Test(
        arguments: [
            ("go.example", "go.example"), ("go.example:8080", "go.example"),
            ("Go.Example.:80", "Go.Example"), ("go.example.", "go.example"),
            ("[::1]:8080", "[::1]"), ("[::1]", "[::1]"), ("", ""), (".", ""), (":80", ""),
            ("[", "["),
        ])
    func `a Host field is a name and perhaps a port`(field: String, name: String) {
        Array(field.utf8).withUnsafeBytes { bytes in
            #expect(String(decoding: HostName.bare(bytes), as: UTF8.self) == name)
        }
    }

    @Test func `a domain reads back as it was written`() throws {
        let domain = try TrackingDomain(document: [
            "key": "go", "host": "GO.example.", "campaign": "summer",
            "fallback_url": "https://f.example/?x={click_id}",
        ])
        #expect(domain.host.text == "go.example" && domain.name == "GO.example.")
        #expect(try TrackingDomain(document: domain.document) == domain)
        #expect(TrackingDomain.defaultKey(["host": "Go.Example.com"]) == "go-example-com")
        #expect(TrackingDomain.defaultKey(["host": "a b"]) == nil)
        #expect(TrackingDomain.defaultKey([:]) == nil)
    }

    @Test(
        arguments: [
            (["host": .null], "host"), (["host": "http://a.example"], "host"),
            (["campaign": "A B"], "campaign"), (["fallback_url": "no url"], "fallback_url"),
            (["fallback_url": "https://f.example/{payout}"], "fallback_url"),
            (["hosts": ["a.example"]], "hosts"),
        ] as [(JSONValue, String)])
    func `a domain that means nothing is refused by its field`(change: JSONValue, field: String) {
        var members: [JSONMember] = [
            JSONMember(name: "key", value: "go"), JSONMember(name: "host", value: "go.example"),
        ]
        let changes = change.objectValue ?? []
        members.removeAll { member in changes.contains { $0.name == member.name } }
        do {
            _ = try TrackingDomain(document: .object(members + changes))
            Issue.record("it was taken")
        } catch {
            #expect(error.errors.map(\.field) == [field])
        }
    }
}
