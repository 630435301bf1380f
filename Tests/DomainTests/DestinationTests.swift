import Domain
import Testing

/// What a destination asks for, and what it is told.
@Suite struct DestinationTests {
    private static func destination(_ members: [String: JSONValue]) throws -> Destination {
        var all: [JSONMember] = [
            JSONMember(name: "key", value: "d"),
            JSONMember(name: "url", value: "https://a.example"),
        ]
        for (name, value) in members { all.append(JSONMember(name: name, value: value)) }
        let source = try Source(document: ["key": "s", "destinations": [.object(all)]])
        return source.destinations[0]
    }

    private static func fields(_ members: [String: JSONValue]) -> [String] {
        do {
            _ = try destination(members)
            return []
        } catch let error as ValidationError {
            return error.errors.map(\.field)
        } catch {
            return ["\(error)"]
        }
    }

    private static func dollars(_ text: String) throws -> Money {
        Money(
            nanos: try Amount.parse(text, format: .point), currency: try #require(Currency("USD")))
    }

    @Test(arguments: [
        ("0.99", false), ("1", true), ("99.999999999", true), ("100", true),
        ("100.000000001", false),
    ])
    func `a payout is told within its bounds`(amount: String, isTold: Bool) throws {
        let destination = try Self.destination(["payout": ["min": "1", "max": 100]])
        let reason = destination.refusal(
            status: .approved, event: "sale", payout: try Self.dollars(amount), isFirst: true)
        #expect((reason == nil) == isTold)
        #expect(destination.document["payout"] == ["min": "1", "max": "100"])
    }

    @Test func `a reason says what the destination asks for`() throws {
        func reason(_ members: [String: JSONValue], isFirst: Bool = true) throws -> String? {
            try Self.destination(members).refusal(
                status: .pending, event: "lead", payout: try Self.dollars("2"), isFirst: isFirst)
        }
        #expect(try reason(["enabled": false]) == "it is disabled")
        #expect(
            try reason(["statuses": ["approved", "rejected"]])
                == "it asks for status approved, rejected")
        #expect(try reason(["events": ["Sale"]]) == "it asks for event sale")
        #expect(try reason(["payout": ["min": "2.5"]]) == "it asks for a payout of at least 2.5")
        #expect(try reason(["payout": ["max": "1"]]) == "it asks for a payout of at most 1")
        #expect(
            try reason(["first_only": true], isFirst: false)
                == "it asks for the first conversion of a click only")
        #expect(try reason(["first_only": true]) == nil)
    }

    @Test(arguments: [
        ("12.5", "80", "10"), ("0.000000001", "50", "0"), ("0.000000003", "50", "0.000000002"),
        ("-0.000000003", "50", "-0.000000002"), ("-12.5", "80", "-10"), ("7", "0", "0"),
        ("9000000000", "1000", "9223372036.854775807"), ("1", "33.3", "0.333"),
    ])
    func `a percentage is exact and rounds half to even`(
        payout: String, percent: String, told: String
    ) throws {
        let destination = try Self.destination(["value": ["percent": .string(percent)]])
        #expect(destination.value.value(of: try Self.dollars(payout)).amountText == told)
    }

    @Test func `a fixed value brings its own currency`() throws {
        let destination = try Self.destination(["value": ["fixed": "5", "currency": "EUR"]])
        let value = destination.value.value(of: try Self.dollars("12"))
        #expect(value.amountText == "5" && value.currency.code == "EUR")
        #expect(destination.document["value"] == ["fixed": "5", "currency": "EUR"])
    }

    @Test func `what can't be meant is refused at its field`() {
        let at = "destinations[0]."
        #expect(Self.fields(["value": ["percent": "1001"]]) == [at + "value.percent"])
        #expect(Self.fields(["value": ["percent": "-1"]]) == [at + "value.percent"])
        #expect(Self.fields(["value": ["fixed": "5"]]) == [at + "value.currency"])
        #expect(Self.fields(["value": [:]]) == [at + "value.percent"])
        #expect(
            Self.fields(["value": ["percent": "5", "currency": "USD"]]) == [at + "value.currency"])
        #expect(Self.fields(["payout": ["min": "2", "max": "1"]]) == [at + "payout.max"])
        #expect(Self.fields(["delay_seconds": 2_592_001]) == [at + "delay_seconds"])
        #expect(Self.fields(["delay_seconds": 2_592_000]) == [])
        #expect(
            Self.fields(["success": ["body_json": ["path": "a"]]])
                == [at + "success.body_json.equals"])
        #expect(
            Self.fields(["success": ["body_json": ["path": "a..b", "equals": 1]]])
                == [at + "success.body_json.path"])
        #expect(
            Self.fields(["success": ["body_json": ["path": "a", "equals": [1]]]])
                == [at + "success.body_json.path"])
        #expect(
            Self.fields(["success": ["body_json": ["path": "a", "equals": 1, "not_equals": 2]]])
                == [at + "success.body_json.equals"])
    }

    @Test func `a document reads back as it was written`() throws {
        let destination = try Self.destination([
            "payout": ["min": "1"], "value": ["percent": "80"], "first_only": true,
            "delay_seconds": 60,
            "success": ["body_json": ["path": "data.0.code", "equals": .null]],
        ])
        let again = try Source(document: ["key": "s", "destinations": [destination.document]])
        #expect(again.destinations[0] == destination)
    }

    @Test(
        arguments: [
            (#"{"code":0}"#, nil), (#"{"code":0.0}"#, nil), (#"{"code":-0}"#, nil),
            (#"{"code":40001}"#, #"with 40001 at "code", not 0"#),
            (#"{"code":"0"}"#, #"with "0" at "code", not 0"#),
            (#"{"Code":0}"#, #"without "code", which should be 0"#),
            (#"[0]"#, #"without "code", which should be 0"#),
            (#"OK"#, #"with a body that is no JSON, so "code" is not 0"#),
            ("", #"with a body that is no JSON, so "code" is not 0"#),
        ] as [(String, String?)])
    func `a field of the answer decides`(body: String, reason: String?) throws {
        let rule = SuccessRule(
            bodyField: SuccessRule.BodyField(path: "code", .equals, 0))
        #expect(rule.refusal(of: Array(body.utf8)) == reason)
        #expect(rule.accepts(status: 200, body: Array(body.utf8)) == (reason == nil))
        #expect(!rule.accepts(status: 500, body: Array(body.utf8)))
    }

    @Test func `null is asked for where nothing should be`() {
        let rule = SuccessRule(bodyField: SuccessRule.BodyField(path: "error", .equals, .null))
        #expect(rule.refusal(of: Array(#"{"results":[]}"#.utf8)) == nil)
        #expect(rule.refusal(of: Array(#"{"error":null}"#.utf8)) == nil)
        #expect(
            rule.refusal(of: Array(#"{"error":{"code":3}}"#.utf8))
                == #"with {"code":3} at "error", not null"#)
        #expect(rule.refusal(of: Array("OK".utf8)) != nil)
    }

    @Test(arguments: [
        (#"{"status":"error","message":"x"}"#, true), (#"{"status":"success"}"#, false),
        ("OK", false), ("", false), (#"{"data":{"status":"error"}}"#, false),
    ])
    func `a refusal that is known refuses`(body: String, isRefusal: Bool) throws {
        let rule = SuccessRule(
            bodyField: SuccessRule.BodyField(path: "status", .notEquals, "error"))
        #expect(
            rule.refusal(of: Array(body.utf8)) == (isRefusal ? #"with "error" at "status""# : nil))
        let again = try Self.destination([
            "success": ["body_json": ["path": "status", "not_equals": "error"]]
        ])
        #expect(again.success == rule)
    }

    @Test(arguments: [
        ("data.1.ok", JSONValue.bool(true), #"{"data":[0,{"ok":true}]}"#),
        ("status", "success", #"{"status":"success"}"#),
    ])
    func `a path goes through objects and lists`(path: String, equals: JSONValue, body: String)
        throws
    {
        let rule = SuccessRule(
            bodyField: SuccessRule.BodyField(path: path, .equals, equals))
        #expect(rule.refusal(of: Array(body.utf8)) == nil)
        #expect(rule.refusal(of: Array("{}".utf8)) != nil)
    }
}

extension Destination {
    func wants(_ status: ConversionStatus, _ event: String) -> Bool {
        refusal(
            status: status, event: event, payout: Money(nanos: 0, currency: .usDollar),
            isFirst: true) == nil
    }
}
