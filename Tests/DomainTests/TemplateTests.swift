import Domain
import TestSupport
import Testing

/// A test's own token values; SHA-256 is spelled out as `sha(…)`.
private struct Values: TokenValues {
    var texts: [Token: String] = [:]

    func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
        guard let text = texts[token] else { return false }
        bytes.append(contentsOf: text.utf8)
        return true
    }

    func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: Array("sha(".utf8) + value + Array(")".utf8))
    }
}

/// The same bytes for every token.
private struct ByteValues: TokenValues {
    let value: [UInt8]

    func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: value)
        return true
    }

    func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: value)
    }
}

@Suite struct TemplateTests {
    private let values = Values(texts: [
        .externalID: "w8 d&4", .payout: "12.5", .status: "approved", .clickID: "abc",
        .event: "sale", .parameter("zone"): "7", .variable(2): "", .transactionID: "T/1",
    ])

    private func filled(_ text: String) throws -> String {
        var bytes: [UInt8] = []
        try URLTemplate(text).fill(values, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func dropping(_ text: String) throws -> String {
        var bytes: [UInt8] = []
        try URLTemplate(text).fillDroppingEmpty(values, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func message(_ text: String) -> String? {
        do {
            _ = try URLTemplate(text)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        (
            "https://s.example/c?id={external_id}&v={payout}",
            "https://s.example/c?id=w8%20d%264&v=12.5"
        ),
        ("https://s.example/c?id={externalid:raw}", "https://s.example/c?id=w8%20d&4"),
        ("https://s.example/{event}/x?a=b#f={clickid}", "https://s.example/sale/x?a=b#f=abc"),
        ("http://s.example:8080?s={status:approved=1 pending=2}", "http://s.example:8080?s=1"),
        (
            "https://s.example/?z={var:zone}&h={sha256:click_id}",
            "https://s.example/?z=7&h=sha%28abc%29"
        ),
        ("https://s.example/?h={sha256:var:zone}", "https://s.example/?h=sha%287%29"),
        ("https://s.example/?a={var1}&b={var2}&c=1", "https://s.example/?a=&b=&c=1"),
        ("https://s.example/?t={txid}&u={transaction_id:raw}", "https://s.example/?t=T%2F1&u=T/1"),
    ])
    func `tokens are replaced and percent-encoded`(text: String, expected: String) throws {
        #expect(try filled(text) == expected)
    }

    @Test(arguments: [
        (
            "https://s.example/c?id={external_id}&a={var1}&v={payout}",
            "https://s.example/c?id=w8%20d%264&v=12.5"
        ),
        ("https://s.example/c?a={var1}&v={payout}", "https://s.example/c?v=12.5"),
        ("https://s.example/c?a={var2}", "https://s.example/c"),
        ("https://s.example/c?pid=&a={country}&x", "https://s.example/c?pid=&x"),
        ("https://s.example/c?s={status:pending=2}&v=1", "https://s.example/c?v=1"),
        ("https://s.example/c?ab={payout}{var1}&v=1", "https://s.example/c?v=1"),
        ("https://s.example/{var1}c#{var1}", "https://s.example/c#"),
        // A token ends with the first brace that closes, whatever is inside it.
        ("https://s.example/c?a={var:x{y}&b=1#top", "https://s.example/c?b=1#top"),
        ("https://s.example/c?a=1&&b=2&", "https://s.example/c?a=1&b=2"),
    ])
    func `a parameter whose token has no value is dropped`(text: String, expected: String) throws {
        #expect(try dropping(text) == expected)
    }

    @Test(arguments: [
        ("https://s.example/?a={clik_id}", "{click_id}"), ("https://s.example/?a={}", "{"),
        ("https://s.example/?a={payout", "{"), ("ftp://s.example/", "https://"),
        ("/relative", "https://"), ("https://{external_id}.example/", "host"),
        ("https://user:pw@s.example/", "user name"), ("https://s.example/a b", "percent-encoded"),
        ("https://s.example/?q=é", "percent-encoded"), ("https://s.example:0/", "port"),
        ("https://s.example:65536/", "port"), ("https:///x", "host"), ("https://a..b/", "host"),
        ("https://-a.example/", "host"), ("https://s.example./", "host"),
        ("https://s.example/?goal=<GOAL_ID>&v={payout}", "<GOAL_ID>"),
        ("https://s.example/?a={status:paid=1}", "paid"),
        ("https://s.example/?a={status:approved}", "pairs"),
        ("https://s.example/?a={payout:upper}", "raw"),
        ("https://s.example/?a={click_id:number}", "number"),
        ("https://s.example/?a={var21}", "unknown token"),
        ("https://s.example/?a={var0}", "unknown token"),
        ("https://s.example/?a={param11}", "unknown token"),
        ("https://s.example/?a={var:}", "parameter"), ("https://[::1/", "host"),
        ("https://[1.2.3.4]/", "host"), ("", "https://"),
    ])
    func `a template that can't be used says what to mend`(text: String, word: String) throws {
        let found = message(text)
        let message = try #require(found)
        #expect(message.contains(word), "\(message)")
    }

    @Test(arguments: [
        "https://s.example", "https://S.EXAMPLE/X?y=Z", "http://127.0.0.1:1/",
        "https://[::1]:65535/",
        "https://a_b.example/?x=|", "https://s.example/?a={var1}&b={var20}&c={param10}",
        "https://s.example/?x={var:any name & more}",
    ])
    func `addresses that people use are taken`(text: String) throws {
        #expect(message(text) == nil)
    }

    @Test func `the length has a limit on both sides`() {
        let start = "https://s.example/"
        let fits = start + String(repeating: "a", count: URLTemplate.lengthMax - start.utf8.count)
        #expect(message(fits) == nil)
        #expect(message(fits + "a") != nil)
    }

    @Test func `the origin is what deliveries queue by`() throws {
        #expect(try URLTemplate("HTTPS://S.Example:443/x").origin == "https://s.example:443")
        #expect(try URLTemplate("http://[::1]:8/?a").origin == "http://[::1]:8")
    }

    @Test(arguments: [
        ("https://o.example/x", "https://o.example/x?s2=abc"),
        ("https://o.example/x?", "https://o.example/x?s2=abc"),
        ("https://o.example/x?a=1", "https://o.example/x?a=1&s2=abc"),
        ("https://o.example/x?a=1&", "https://o.example/x?a=1&s2=abc"),
        ("https://o.example/x#top", "https://o.example/x?s2=abc#top"),
        ("https://o.example/x?a=#t?b", "https://o.example/x?a=&s2=abc#t?b"),
    ])
    func `the click ID is appended to the query`(text: String, expected: String) throws {
        var bytes: [UInt8] = []
        try URLTemplate(text).appending(parameter: "s2={click_id}").fill(values, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test func `every spelling of the contract is a token`() throws {
        let contract = """
            click_id clickid subid cid external_id externalid campaign_id campaign offer_id lander_id \
            source_id network_id var1 var20 var:name cost country region city isp language device os \
            os_version browser browser_version ip user_agent referrer timestamp timestamp_ms \
            timestamp_us timestamp_iso8601 click_timestamp click_timestamp_ms random payout \
            payout_minor currency status event transaction_id txid conversion_id revision param1 \
            param10 sha256:click_id sha256:var:name
            """
        for name in contract.split(separator: " ") {
            let template = try URLTemplate("https://s.example/?a={\(name)}")
            #expect(template.tokens.count == 1, "\(name)")
        }
    }

    @Test func `hostile values stay inside their parameter`() throws {
        var hostile = Values()
        hostile.texts[.externalID] = "a&b=c#d?e/f\r\nSet-Cookie: x\u{0}\u{e9}%"
        var bytes: [UInt8] = []
        try URLTemplate("https://s.example/?id={external_id}").fill(hostile, into: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "https://s.example/?id=a%26b%3Dc%23d%3Fe%2Ff%0D%0ASet-Cookie%3A%20x%00%C3%A9%25")
        bytes = []
        try URLTemplate("https://s.example/?id={external_id:raw}").fill(hostile, into: &bytes)
        #expect(bytes.allSatisfy { $0 > 32 && $0 < 127 })
    }
}

@Suite struct BodyTemplateTests {
    private func destination(_ body: JSONValue, _ headers: JSONValue = .object([])) throws
        -> Destination
    {
        let source = try Source(
            document: [
                "key": "s",
                "destinations": [
                    [
                        "key": "d", "method": "POST", "url": "https://s.example/", "body": body,
                        "headers": headers,
                    ]
                ],
            ])
        return try #require(source.destinations.first)
    }

    private func filled(_ body: JSONValue, _ headers: JSONValue = .object([])) throws -> String {
        var bytes: [UInt8] = []
        try destination(body, headers).body?.fill(values, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private let values = Values(texts: [
        .payout: "12.5", .event: "sale", .clickID: "a\"b\\c", .variable(1): "1e",
        .variable(2): "-7",
        .variable(3): " 7", .variable(4): "\t7", .variable(5): "7",
    ])

    @Test func `a JSON body takes numbers where they are marked`() throws {
        #expect(
            try filled(
                ["v": "{payout:number}", "t": "{payout}", "n": 3, "b": true, "z": nil])
                == #"{"v":12.5,"t":"12.5","n":3,"b":true,"z":null}"#)
    }

    @Test func `an amount takes the decimals that are asked for, anything else none`() throws {
        #expect(try filled(["v": "{currency}{payout:2}"]) == #"{"v":"12.50"}"#)
        #expect(try filled("v={payout:0}&e={event}") == "v=12&e=sale")
        for spelling in ["payout:10", "payout:-1", "event:2", "click_id:2", "payout_minor:2"] {
            #expect(throws: ValidationError.self) { try destination(.string("v={\(spelling)}")) }
        }
    }

    @Test func `what is marked as a number and is none stays a string`() throws {
        let body: JSONValue = [
            "{var1:number}", "{var2:number}", "{var3:number}", "{var4:number}", "{var5:number}",
        ]
        #expect(try filled(body) == #"["1e",-7," 7","\t7",7]"#)
    }

    @Test func `a member that is exactly a token without a value is dropped`() throws {
        #expect(
            try filled(
                ["a": "{country}", "b": "x{country}", "c": ["{country}", "{event}"]])
                == #"{"b":"x","c":["sale"]}"#)
    }

    @Test func `values can't break out of JSON or of a form`() throws {
        #expect(try filled(["a": "{click_id}"]) == #"{"a":"a\"b\\c"}"#)
        #expect(
            try filled("{\"a\": \"{click_id}\"}", ["Content-Type": "application/json"] as JSONValue)
                == #"{"a": "a\"b\\c"}"#)
        #expect(try filled("a={click_id}&v={payout}") == "a=a%22b%5Cc&v=12.5")
        #expect(
            try filled("a={click_id}", ["content-type": "text/plain"]) == "a=a\"b\\c")
    }

    @Test(arguments: [
        (
            "application/xml", "<a b='{event}'>{var1}</a>",
            "<a b='&lt;/a&gt;'>&amp;&quot;&apos;x</a>"
        ),
        ("text/xml; charset=utf-8", "<a>{var2}</a>", "<a>é\n1,2</a>"),
        ("application/soap+xml", "<ORDER>{country}</ORDER>", "<ORDER></ORDER>"),
        ("text/csv", "{event},{var2}\n", "%3C%2Fa%3E,%C3%A9%0A1%2C2\n"),
    ])
    func `values can't break out of XML or of a table`(type: String, body: String, sent: String)
        throws
    {
        let values = Values(texts: [
            .event: "</a>", .variable(1): "&\"'\u{0}\u{1b}x", .variable(2): "é\n1,2",
        ])
        var bytes: [UInt8] = []
        try destination(.string(body), ["Content-Type": .string(type)]).body?
            .fill(values, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == sent)
    }

    @Test(arguments: [
        ("12.50", "12.50"), ("-1e3", "-1e3"), ("true", "true"), ("null", "null"),
        ("0},\"approved\":{\"a\":0", #""0},\"approved\":{\"a\":0""#), ("1,2", #""1,2""#),
        ("{}", #""{}""#), (" 1", #"" 1""#), ("", "null"),
    ])
    func `a token outside the strings of a JSON text is one value`(value: String, sent: String)
        throws
    {
        let type: JSONValue = ["Content-Type": "application/json"]
        let destination = try destination(
            #"{"s\\\"{event}": {var1}, "t": "{var1}", "n": [{var2}]}"#, type)
        var bytes: [UInt8] = []
        destination.body?.fill(
            Values(texts: [.event: "e", .variable(1): value, .variable(2): value]), into: &bytes)
        let quoted = JSONValue.string(value).encoded()
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"s\\\"e": \#(sent), "t": \#(quoted), "n": [\#(sent)]}"#)
    }

    @Test func `a value ends no line of a text`() throws {
        var bytes: [UInt8] = []
        let body: JSONValue = "id {external_id}\nnext"
        try destination(body, ["Content-Type": "text/plain"]).body?.fill(
            Values(texts: [.externalID: "a</b>&\"'\r\n\u{0},;=c\u{e9}"]), into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "id a</b>&\"',;=c\u{e9}\nnext")
    }

    @Test(arguments: [
        ("a={country}&v={payout}", "v=12.5"), ("v={payout}&a={country}", "v=12.5"),
        ("a={country}", ""), ("a={event}-{country}&b=1", "b=1"), ("a=&v={payout}", "a=&v=12.5"),
        ("a=1&&b=2", "a=1&&b=2"), ("e={event:sale=a&b c=d}&v={payout}", "e=a%26b&v=12.5"),
        // No parameters: nothing of them goes.
        ("order {event}, {country}", "order sale, "), ("{event}{country}", "sale"),
        (#"{"a": "b=c", "d": "{country}"}"#, #"{"a": "b=c", "d": ""}"#),
    ])
    func `a form's parameter without a value is dropped`(body: String, sent: String) throws {
        #expect(try filled(.string(body)) == sent)
        let type: JSONValue = ["Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"]
        #expect(try filled(.string(body), type) == sent)
    }

    @Test(arguments: 1...200) func `no value changes what surrounds it`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let marks = Array("\"\\{}&=?#%/:, \r\n\0<>'[]".utf8)
        let value = (0..<Int.random(in: 1...40, using: &random)).map { _ in
            Bool.random(using: &random)
                ? marks.randomElement(using: &random) ?? 0
                : UInt8.random(in: 0...255, using: &random)
        }
        let values = ByteValues(value: value)
        let text = String(decoding: value, as: UTF8.self)

        var url: [UInt8] = []
        try URLTemplate("https://s.example/{var1}?a={var:x}&b=1#{event}")
            .fillDroppingEmpty(values, into: &url)
        #expect(url.allSatisfy { $0 > 32 && $0 < 127 })
        var encoded: [UInt8] = []
        PercentEncoding.append(value, to: &encoded)
        let piece = String(decoding: encoded, as: UTF8.self)
        #expect(
            String(decoding: url, as: UTF8.self)
                == "https://s.example/\(piece)?a=\(piece)&b=1#\(piece)")

        func bytes(_ body: JSONValue, _ headers: JSONValue = .object([])) throws -> [UInt8] {
            var bytes: [UInt8] = []
            try destination(body, headers).body?.fill(values, into: &bytes)
            return bytes
        }
        let form = try bytes("a={var1}&b={var:x}&c=1")
        #expect(String(decoding: form, as: UTF8.self) == "a=\(piece)&b=\(piece)&c=1")
        #expect(
            try JSONValue(parsing: bytes(["a": "{var1}", "b": ["x{event}", 1]]))
                == ["a": .string(text), "b": [.string("x" + text), 1]])
        #expect(
            try JSONValue(
                parsing: bytes(#"{"a": "{var1}", "b": 1}"#, ["Content-Type": "application/json"]))
                == ["a": .string(text), "b": 1])

        let headers: JSONValue = ["X-A": "a {var1} b"]
        var header: [UInt8] = []
        try #require(try destination(["a": 1], headers).headers.first).value
            .fill(values, as: .line, into: &header)
        #expect(
            header == Array("a ".utf8) + value.filter { $0 >= 32 && $0 != 127 } + Array(" b".utf8))
    }

    @Test func `a body has its type unless the headers name one`() throws {
        #expect(try destination(["a": 1]).body?.defaultContentType == "application/json")
        #expect(
            try destination("a=1").body?.defaultContentType == "application/x-www-form-urlencoded")
    }

    @Test func `nesting has a limit`() throws {
        func nested(_ depth: Int) -> JSONValue {
            (0..<depth).reduce("x") { value, _ in [value] }
        }
        _ = try destination(nested(31))
        #expect(throws: ValidationError.self) { try destination(nested(32)) }
    }
}
