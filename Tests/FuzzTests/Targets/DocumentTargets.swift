@testable import Domain

extension FuzzTarget {
    /// Documents of the administration API: what is taken is written so that it's taken alike.
    static let document = FuzzTarget(name: "document") { input in
        var input = FuzzInput(input)
        let kind = input.byte()
        guard let json = try? JSONValue(parsing: input.remaining()) else { return }
        switch kind % 8 {
        case 0: try check(json, Network.self)
        case 1: try check(json, Source.self)
        case 2: try check(json, Offer.self)
        case 3: try check(json, Lander.self)
        case 4: try check(json, Campaign.self)
        case 5: try check(json, SharedFlow.self)
        case 6: try check(json, TrackingDomain.self)
        default:
            _ = try? DirectClick(document: json)
            let variables = [1: "zone"]
            _ = try? CostLayer(document: json) { _ in
                CostLayer.Defaults(currency: .usDollar, variables: variables)
            }
        }
    }

    private static func check<Value: Entity & Equatable>(_ json: JSONValue, _: Value.Type) throws {
        let value: Value
        do throws(ValidationError) {
            value = try Value(document: json)
        } catch {
            return
        }
        let written = value.document
        let again: Value
        do throws(ValidationError) {
            again = try Value(document: written)
        } catch {
            throw FuzzFailure(description: "\(written.encoded()) is refused: \(error)")
        }
        try require(again == value, "\(again.document.encoded()) for \(written.encoded())")
        try require(
            again.document == written, "\(again.document.encoded()) for \(written.encoded())")
    }

    /// Flows and their conditions, asked about a visit whose facts are any bytes.
    static let routing = FuzzTarget(name: "routing") { input in
        var input = FuzzInput(input)
        let document = input.field()
        guard let json = try? JSONValue(parsing: document),
            let flow = try? SharedFlow(document: json)
        else { return }
        let router = Router(flow.flow, version: 1)
        let sheet = FactSheet()
        sheet.begin(at: Instant(micros: 1_795_000_000_000_000), ip: IPAddress("203.0.113.9"))
        for _ in router.facts {
            let fact = input.field()
            sheet.append(fact)
        }
        for number: Int64 in 1...4 {
            guard let rowID = ClickRowID(rawValue: number << 40) else { continue }
            let decision = router.decide(rowID, sheet)
            try require(decision == router.decide(rowID, sheet), "\(String(describing: decision))")
            guard let decision else { continue }
            try require(
                (0...flow.flow.rules.count).contains(decision.rule), "rule \(decision.rule)")
            try require(
                flow.flow.path(decision.path, ofRule: decision.rule) != nil,
                "path \(decision.path) of rule \(decision.rule)")
        }
    }

    /// Regular expressions: the table finds what the program finds, in time that is bounded.
    static let pattern = FuzzTarget(name: "pattern") { input in
        var input = FuzzInput(input)
        let text = input.text()
        let visited = String(decoding: input.remaining().prefix(2000), as: UTF8.self)
        // A full table costs a thousand times what other inputs do, so most are to fit into less.
        let kind = visited.utf8.count % 32
        let small = PatternTable.Limits(
            states: 16, cells: 512, steps: isSearching && kind < 24 ? 150 : 1000)
        let limits = kind == 31 ? PatternTable.Limits() : small
        guard let pattern = try? Pattern(text, limits: limits) else { return }
        let isFound = pattern.matches(visited)
        let slow = PatternMatcher(pattern.matcher.program, nil)
        var steps = 0
        let isFoundSlowly = Array(visited.utf8).withUnsafeBytes { slow.matches($0, steps: &steps) }
        try require(isFound == isFoundSlowly, "table: \(isFound)")
        try require(
            steps <= (visited.unicodeScalars.count + 2) * (Pattern.statesMax * 2 + 2),
            "\(steps) steps")
        _ = VersionNumber(visited)
    }

    /// A network's call: its parameters and what it reports.
    static let postback = FuzzTarget(name: "postback") { input in
        var input = FuzzInput(input)
        let network = networks[Int(input.byte()) % networks.count]
        let target = input.field()
        let type = input.field()
        let call = Domain.Postback(
            receivedAt: Instant(micros: 1_795_000_000_000_000), sender: nil, method: "POST",
            target: Array("/postback/k?".utf8) + target,
            headers: [Domain.Postback.Header(name: "content-type", value: type)],
            body: input.remaining())
        try checkCall(call, network)
    }

    static let networks: [Network] = [
        #"{"key":"a"}"#,
        #"{"key":"b","payout_unit":"minor","number_format":"comma","currency":"JPY"}"#,
        #"{"key":"c","status_map":{"1":"approved"},"parameters":{"cid":["aff_sub"]},"repeat":"add"}"#,
    ].compactMap { text in
        (try? JSONValue(parsing: text)).flatMap { try? Network(document: $0) }
    }
}
