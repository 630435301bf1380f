import Domain
import TestSupport
import Testing

/// Which of the campaign URL's parameters end up in the address, and where.
@Suite struct PassedParametersTests {
    private static let source: JSONValue = [
        "key": "s", "external_id_param": "subid", "cost_param": "cost",
    ]

    private func passed(
        _ choice: JSONValue, _ query: String, to address: String, before: String = ""
    ) throws -> String {
        let campaign = try Campaign(document: [
            "key": "c", "source": "s", "pass_params": choice,
            "flow": ["paths": [["offers": [["offer": "o"]]]]],
        ])
        var bytes = Array((before + address).utf8)
        if let passing = ParameterPassing(
            campaign.passedParameters, from: try Source(document: Self.source))
        {
            passing.append(
                QueryParameters(parsing: query).pairs.map { (Array($0.name.utf8), $0.value) },
                toAddressFrom: before.utf8.count, in: &bytes)
        }
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(before))
        return String(decoding: bytes.dropFirst(before.utf8.count), as: UTF8.self)
    }

    @Test(
        arguments: [
            ([], "a=1", "http://o/", "http://o/"),
            (["a"], "a=1&b=2", "http://o/", "http://o/?a=1"),
            (["b", "a"], "a=1&b=2", "http://o/?s2=x", "http://o/?s2=x&b=2&a=1"),
            (["a"], "a=1", "http://o/?", "http://o/?a=1"),
            (["a"], "a=1", "http://o/?s2=x&", "http://o/?s2=x&a=1"),
            (["a"], "a=1", "http://o/?s2=x?", "http://o/?s2=x?&a=1"),
            (["a"], "a=1", "http://o/p#top?x", "http://o/p?a=1#top?x"),
            (["a"], "a=1", "http://o/?s2=x#a=2", "http://o/?s2=x&a=1#a=2"),
            (["a"], "a=1&a=2", "http://o/", "http://o/?a=1&a=2"),
            (["a"], "", "http://o/?s2=x", "http://o/?s2=x"),
            (["a"], "a=", "http://o/", "http://o/?a="),
            (["a b"], "a+b=c%26d=e%23", "http://o/", "http://o/?a%20b=c%26d%3De%23"),
            // Never one that is there.
            (["s2", "a"], "s2=evil&a=1", "http://o/?s2=x", "http://o/?s2=x&a=1"),
            (["S2"], "S2=evil", "http://o/?s2=x", "http://o/?s2=x"),
            (["s2"], "s2=evil", "http://o/?%732=x", "http://o/?%732=x"),
            (["s2"], "s2=1", "http://o/?s2", "http://o/?s2"),
            // Nor one that PHP takes for it.
            (
                "all", "s2[]=evil&+s2=evil&s2%00=evil&S2[a]=evil&a=1", "http://o/?s2=x",
                "http://o/?s2=x&a=1"
            ),
            (
                "all", "sub.id=evil&sub+id=evil&sub[id=evil&sub.i=1", "http://o/?sub_id=x",
                "http://o/?sub_id=x&sub.i=1"
            ),
            (["s2"], "s2=1", "http://o/s2=x", "http://o/s2=x?s2=1"),
            // All, but what only the source and we are to know.
            ("all", "subid=W&cost=1&a=1&b=2", "http://o/?s2=x", "http://o/?s2=x&a=1&b=2"),
            ("all", "subid=W&cost=1", "http://o/?s2=x", "http://o/?s2=x"),
            (["subid", "cost"], "subid=W&cost=1&a=1", "http://o/", "http://o/?subid=W&cost=1"),
            ("all", "a=%00%0d%0a%ff'\"<", "http://o/", "http://o/?a=%00%0D%0A%FF%27%22%3C"),
        ] as [(JSONValue, String, String, String)])
    func `parameters are appended`(
        choice: JSONValue, query: String, address: String, expected: String
    ) throws {
        #expect(try passed(choice, query, to: address) == expected)
        // Among the addresses of other visitors.
        #expect(
            try passed(choice, query, to: address, before: "http://p/?a=0&s2=1#x ") == expected)
    }

    @Test(arguments: 1...300) func `no bytes change what was there`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let names = ["s2", "a", "b", "%61", "A", "c d"]
        let query = (0..<Int.random(in: 0...6, using: &random)).map { _ -> String in
            let value = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            return "\(names.randomElement(using: &random) ?? "a")=\(percentEncoded(value))"
        }.joined(separator: "&")
        let choice: JSONValue =
            Bool.random(using: &random) ? "all" : ["b", "s2", "a", "c d", "A"]
        let whole = try passed(choice, query, to: "http://o/p?s2=x&z#f")
        #expect(whole.hasPrefix("http://o/p?s2=x&z") && whole.hasSuffix("#f"))
        let sent = QueryParameters(parsing: query).pairs.filter { $0.name != "s2" }
        let got = QueryParameters(
            parsing: String(whole.dropFirst("http://o/p?s2=x&z".utf8.count).dropLast(2))
        )
        .pairs
        #expect(got.count == sent.count)
        for name in Set(sent.map(\.name)) {
            #expect(
                got.filter { $0.name == name }.map(\.value)
                    == sent.filter { $0.name == name }.map(\.value))
        }
    }
}
