import TestSupport
import Testing

/// Several hosts of one tracker, through the real binary.
@Suite struct DomainTests {
    private static func start() throws -> Chain {
        try Chain.start { setup in
            setup.options.environment["CLICKRELAY_PUBLIC_URL"] = "https://main.example"
        }
    }

    private static func get(
        _ chain: Chain, _ target: String, at host: String, method: String = "GET"
    ) throws -> HTTPResponse {
        try HTTPConnection(port: chain.tracker.port).request(
            method, target, fields: ["Host": host])
    }

    @Test func `from the first domain on, other hosts get 404`() throws {
        let chain = try Self.start()
        let tracker = chain.tracker
        #expect(try Self.get(chain, "/c/summer", at: "any.example").status == 302)
        let file = try tracker.directory.write(
            #"{"host":"Go.Example.","campaign":"summer","fallback_url":"https://f.example/?a={click_id}"}"#,
            to: "domain.json")
        let applied = try tracker.command("domain", "apply", file)
        #expect(applied.line == "created go-example", "\(applied.error)")
        #expect(try tracker.command("domain", "apply", file).line == "unchanged go-example")
        #expect(
            try tracker.call("GET", "/domains/go-example")["url"].string == "https://go.example/")
        for host in ["go.example", "GO.EXAMPLE:8443", "go.example.", "go.example.:80"] {
            let answer = try Self.get(chain, "/c/summer?subid=1", at: host)
            #expect(answer.status == 302 && answer.locationParameter("s2") != nil, "\(host)")
        }
        for host in ["main.example", "127.0.0.1:8080", "localhost", "[::1]"] {
            #expect(try Self.get(chain, "/c/summer", at: host).status == 302, "\(host)")
            #expect(try Self.get(chain, "/", at: host).status == 404, "\(host)")
        }
        for host in ["any.example", "go.example.evil.example", "xgo.example", "192.0.2.1"] {
            #expect(try Self.get(chain, "/c/summer", at: host).status == 404, "\(host)")
            #expect(try Self.get(chain, "/", at: host).status == 404, "\(host)")
            // What must never be lost, and what only asks.
            #expect(try Self.get(chain, "/healthz", at: host).status == 200)
            #expect(try Self.get(chain, "/readyz", at: host).status == 200)
            #expect(try Self.get(chain, "/api/v1/domains", at: host).status == 401)
            let postback = "/postback/\(chain.network.key)?cid=x"
            #expect(try Self.get(chain, postback, at: host).status == 400)
        }
        #expect(try tracker.terminate() == 0)
        try tracker.restart()
        #expect(try Self.get(chain, "/c/summer", at: "any.example").status == 404)
        #expect(try Self.get(chain, "/", at: "go.example").status == 302)
        #expect(try tracker.command("domain", "archive", "go-example").exitCode == 0)
        #expect(try Self.get(chain, "/c/summer", at: "any.example").status == 302)
        #expect(try tracker.command("domain", "list").output.isEmpty)
    }

    @Test func `a domain by itself leads to its campaign, and whom nobody takes to its fallback`()
        throws
    {
        let chain = try Self.start()
        let tracker = chain.tracker
        try tracker.call("POST", "/domains", ["host": "go.example", "campaign": "summer"])
        try tracker.call(
            "POST", "/domains",
            [
                "key": "other", "host": "other.example",
                "fallback_url": "https://f.example/?a={click_id}",
            ])
        let click = try Chain.visit(Self.get(chain, "/?subid=W8&zone=3", at: "go.example"))
        let journey = try chain.journey(click.clickID)
        #expect(journey["campaign"].string == "summer" && journey["external_id"].string == "W8")
        let head = try Self.get(chain, "/", at: "go.example", method: "HEAD")
        #expect(head.status == 302 && head.locationParameter("s2") == "")
        #expect(try Self.get(chain, "/", at: "go.example", method: "POST").status == 405)
        #expect(try Self.get(chain, "/c/nobody", at: "go.example").status == 404)

        for target in ["/", "/c/nobody", "/c/"] {
            let answer = try Self.get(chain, target, at: "other.example")
            #expect(answer.status == 302 && answer.location == "https://f.example/?a=")
        }
        #expect(try Self.get(chain, "/c/summer", at: "other.example").status == 302)
        #expect(try Self.get(chain, "/favicon.ico", at: "other.example").status == 404)
        // As many clicks as were recorded: one here and one there.
        #expect(try tracker.call("GET", "/report")["totals"]["clicks"].int == 2)

        // A campaign can't be archived under a domain, nor one host be two domains.
        #expect(try tracker.api("DELETE", "/campaigns/summer").status == 409)
        let twice = try tracker.api("POST", "/domains", ["key": "x", "host": "GO.example"])
        #expect(twice.status == 422)
        #expect(try twice.json["errors"][0]["field"].string == "host")
        let nobody = try tracker.api(
            "POST", "/domains", ["host": "new.example", "campaign": "nobody"])
        #expect(try nobody.json["errors"][0]["field"].string == "campaign")
    }
}
