import Domain
import Testing

/// What is the same for every call: paths, methods, bodies, queries, and the shape of errors.
@Suite struct CallTests {
    @Test(arguments: [
        "", "{", "{\"key\":}", "{\"a\":1}{", "{\"key\":\"a\",\"key\":\"b\"}", "\u{feff}",
    ])
    func `a body that is no JSON is a 400 that says where`(text: String) throws {
        let bench = try Bench()
        let answer = try bench.call("POST", "/sources", text: text)
        #expect(answer.status == 400 && answer["status"] == 400)
        #expect(answer.header("content-type") == "application/problem+json")
        #expect(answer["detail"]?.stringValue?.isEmpty == false)
    }

    @Test(arguments: ["[]", "7", "null", "\"x\""])
    func `a body that is no object is a 422`(text: String) throws {
        let bench = try Bench()
        for (method, path) in [
            ("POST", "/sources"), ("PUT", "/sources/a"), ("PATCH", "/sources/a"),
            ("POST", "/tokens"),
        ] {
            let answer = try bench.call(method, path, text: text)
            #expect(answer.status == 422, "\(method) \(path)")
        }
    }

    @Test func `a body nested too deep is refused`() throws {
        let bench = try Bench()
        let deep = String(repeating: "[", count: 100_000)
        #expect(try bench.call("POST", "/sources", text: deep).status == 400)
        let allowed =
            String(repeating: "{\"a\":", count: 60) + "1" + String(repeating: "}", count: 60)
        #expect(try bench.call("PATCH", "/sources/a", text: allowed).status == 404)
    }

    @Test(arguments: ["/nosuch", "/sources/a/b", "/sources/", "/", "/Sources", "/sources//a"])
    func `an unknown path is a 404`(path: String) throws {
        let bench = try Bench()
        let answer = try bench.call("GET", path)
        #expect(answer.status == 404 && answer["status"] == 404)
    }

    @Test func `a method that a path does not take is a 405 that names those it does`() throws {
        let bench = try Bench()
        let answer = try bench.call("DELETE", "/sources")
        #expect(answer.status == 405)
        #expect(answer.header("allow") == "GET, POST, HEAD, OPTIONS")
        let odd = try bench.call("BREW", "/sources/a")
        #expect(odd.status == 405)
        #expect(odd.header("allow") == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS")
    }

    @Test func `OPTIONS names the methods, HEAD answers as GET does`() throws {
        let bench = try Bench()
        let options = try bench.call("OPTIONS", "/sources")
        #expect(options.status == 204 && options.json == .null)
        #expect(options.header("allow") == "GET, POST, HEAD, OPTIONS")
        #expect(try bench.call("OPTIONS", "/nosuch").status == 404)
        #expect(try bench.call("HEAD", "/sources").status == 200)
        #expect(try bench.call("HEAD", "/sources/nosuch").status == 404)
    }

    @Test(arguments: ["0", "-1", "1001", "abc", "99999999999999999999", "1.5", "%FF"])
    func `a limit outside 1 to 1000 is refused`(limit: String) throws {
        let bench = try Bench()
        for path in ["/sources", "/tokens"] {
            let answer = try bench.call("GET", "\(path)?limit=\(limit)")
            #expect(answer.status == 422 && answer.fields == ["limit"], "\(path)")
        }
    }

    @Test(arguments: ["limit=1", "limit=1000", "limit=", "archived=0", "archived=1", "cursor=1"])
    func `limits at the bounds and empty parameters are taken`(query: String) throws {
        let bench = try Bench()
        #expect(try bench.call("GET", "/sources?\(query)").status == 200)
    }

    @Test(arguments: [
        ("cursor=nonsense", "cursor"), ("cursor=-1", "cursor"), ("archived=maybe", "archived"),
        ("limit=1&limit=2", "limit"),
    ])
    func `a parameter with an unusable value is named`(query: String, field: String) throws {
        let bench = try Bench()
        let answer = try bench.call("GET", "/sources?\(query)")
        #expect(answer.status == 422 && answer.fields == [field])
    }

    @Test func `an unknown parameter is refused with the nearest name`() throws {
        let bench = try Bench()
        let answer = try bench.call("GET", "/sources?limt=5")
        #expect(answer.status == 422 && answer.fields == ["limt"])
        #expect(answer["detail"]?.stringValue?.contains("did you mean \"limit\"?") == true)
        let create = try bench.call("POST", "/sources?dry_run=1", ["key": "a"])
        #expect(create.status == 422 && create.fields == ["dry_run"])
        #expect(try bench.call("GET", "/sources/a").status == 404, "and nothing was made")
    }
}
