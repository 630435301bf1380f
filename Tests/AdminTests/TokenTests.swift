import Domain
import Store
import Testing

@Suite struct TokenTests {
    @Test func `a token is shown once, listed without its secret and revoked by name`() throws {
        let bench = try Bench()
        let made = try bench.call("POST", "/tokens", ["name": "laptop"])
        #expect(made.status == 201)
        let secret = try #require(made["token"]?.stringValue)
        #expect(bench.isValid(secret))
        #expect(!bench.isValid(secret + "x"))

        let list = try bench.call("GET", "/tokens")
        #expect(list.items.map { $0["name"] } == ["laptop"])
        #expect(list.items[0]["revoked_at"] == .null)
        #expect(!list.json.encoded().contains(secret))

        let revoked = try bench.call("DELETE", "/tokens/laptop")
        #expect(revoked.status == 200 && revoked.items.count == 1)
        #expect(!bench.isValid(secret))
        #expect(try bench.call("GET", "/tokens").items[0]["revoked_at"]?.stringValue != nil)
        #expect(try bench.call("DELETE", "/tokens/laptop").status == 404)
    }

    @Test func `tokens of one name are told apart by number`() throws {
        let bench = try Bench()
        let first = try bench.call("POST", "/tokens", ["name": "ci"])
        let second = try bench.call("POST", "/tokens", ["name": "ci"])
        let id = try #require(first["id"]?.int64Value)
        #expect(try bench.call("DELETE", "/tokens/\(id)").status == 200)
        #expect(!bench.isValid(try #require(first["token"]?.stringValue)))
        #expect(bench.isValid(try #require(second["token"]?.stringValue)))
    }

    @Test(
        arguments: [
            [:], ["name": ""], ["name": 7], ["name": "123"], ["name": "a\nb"], [],
            ["name": .string(String(repeating: "a", count: 101))], ["name": "a", "nmae": "b"],
        ] as [JSONValue])
    func `a token without a usable name is refused`(body: JSONValue) throws {
        let bench = try Bench()
        #expect(try bench.call("POST", "/tokens", body).status == 422)
        #expect(try bench.call("GET", "/tokens").items.isEmpty)
    }

    @Test func `a name of the greatest length is taken`() throws {
        let bench = try Bench()
        let name = String(repeating: "a", count: 100)
        #expect(try bench.call("POST", "/tokens", ["name": .string(name)]).status == 201)
    }
}

extension Bench {
    func isValid(_ token: String) -> Bool {
        ledger.hasToken(sha256: Bench.sha256(Array(token.utf8)))
    }
}
