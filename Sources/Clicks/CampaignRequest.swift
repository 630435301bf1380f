internal import Crypto
internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// What one request to a campaign URL says. One per loop, used again for each request, so that a
/// click allocates nothing of its own, and a class, so that nothing of it is copied on the way
/// through the templates.
final class CampaignRequest {
    /// Bounds on what is kept of a request; what is beyond is left out, and the visitor still goes
    /// on. An external ID is kept whole: the request line's own limit bounds it.
    static let parametersMax = 40
    static let parameterNameMax = 64
    static let parameterValuesMax = 4096
    static let userAgentMax = 512
    static let referrerMax = 1024
    /// Of a header that a rule asks for.
    static let headerMax = 1024

    /// Empty: none was sent.
    private(set) var externalID: [UInt8] = []
    private(set) var costNanos: Int64?
    /// The cost's; nil: the URL names one that there is not.
    private(set) var currency: Currency?
    let parameters = RequestParameters()
    private(set) var userAgent = UnsafeRawBufferPointer(start: nil, count: 0)
    private(set) var referrer = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What its browser told of the visitor.
    private(set) var told = ReadDevice.nothing
    private(set) var visit = VisitKind.visitor
    /// Where the visitor is, by the location files.
    private(set) var found = FoundPlace.nowhere
    /// Nil where the campaign does not know its visitors, and of who is none.
    var known: KnownVisitor?
    /// Nil: the request is answered without one.
    var clickID: ClickID?
    private(set) var rowID = ClickRowID(milliseconds: 0, node: 0, sequence: 0)
    private(set) var ip: IPAddress?
    /// What of the address is kept, and so what URLs may tell.
    private(set) var keptIP: IPAddress?
    private var route: Route?
    private var offer: Landing?
    private var lander: LanderLanding?
    /// Where one fact after another is put together.
    private var factBytes: [UInt8] = []

    /// Reads the query. In the external ID a `+` stays one, because sources send base 64 as it is
    /// and the ID must go back byte for byte; elsewhere it is a space, as forms mean it.
    func read(_ query: UnsafeRawBufferPointer, _ route: Route) {
        self.route = route
        known = nil
        // A variable of its own: each look at the property would be checked.
        var externalID = self.externalID
        self.externalID = []
        if !externalID.isEmpty { externalID.removeAll(keepingCapacity: true) }
        defer { self.externalID = externalID }
        costNanos = route.costNanos
        currency = route.urlCost.map { $0.currency(in: query) } ?? route.currency
        parameters.begin(bytes: query.count, pairs: Self.parametersMax)
        var valueBytes = 0
        for (name, value) in QueryScanner(query) {
            if let parameter = route.externalIDParameter, name.isParameter(parameter) {
                if externalID.isEmpty {
                    PercentEncoding.decode(value, plusIsSpace: false, into: &externalID)
                }
                continue
            }
            if let cost = route.urlCost {
                if name.isParameter(cost.parameter) {
                    if costNanos == nil { costNanos = cost.nanos(value, in: currency) }
                    continue
                }
                if cost.isCurrency(name) { continue }
            }
            guard parameters.count < Self.parametersMax, name.count <= Self.parameterNameMax,
                valueBytes + value.count <= Self.parameterValuesMax
            else { continue }
            valueBytes += value.count
            parameters.append(name: name, value: value)
        }
    }

    /// Reads what else is kept.
    func identify(
        _ headers: VisitorHeaders, rowID: ClickRowID, ip: IPAddress?, _ policy: IPPolicy
    ) {
        userAgent = UnsafeRawBufferPointer(
            rebasing: headers.agent.userAgent.prefix(Self.userAgentMax))
        referrer = UnsafeRawBufferPointer(rebasing: headers.referrer.prefix(Self.referrerMax))
        self.rowID = rowID
        self.ip = ip
        keptIP = policy.apply(to: ip)
    }

    /// Takes note of who came.
    func recognize(_ told: ReadDevice, _ visit: VisitKind, _ found: FoundPlace) {
        self.told = told
        self.visit = visit
        self.found = found
    }

    /// Takes the cost that a recorded click has for the one that was read.
    func recall(_ cost: Money?) {
        costNanos = cost?.nanos
        currency = cost?.currency ?? currency
    }

    /// Takes note of where the visitor goes, which its URL may tell.
    func decide(_ choice: Choice) {
        offer = choice.offer
        lander = choice.lander
    }

    /// Fills in what rules ask for, in their order.
    func fill(
        _ sheet: FactSheet, _ facts: ArraySlice<Fact>, of http: borrowing Request
    ) {
        sheet.begin(at: Instant(micros: http.receivedAtMicros), ip: ip)
        var value: [UInt8] = []
        swap(&value, &factBytes)
        for fact in facts {
            value.removeAll(keepingCapacity: true)
            sheet.append(append(fact, of: http, to: &value) ? value : nil)
        }
        swap(&value, &factBytes)
    }

    /// Appends what a rule asks for; false where it isn't known.
    private func append(_ fact: Fact, of http: borrowing Request, to bytes: inout [UInt8]) -> Bool {
        switch fact {
        case .parameter(let name): return append(parameter(name), to: &bytes)
        case .variable(let number): return append(variable(number), to: &bytes)
        case .header(let name):
            guard let value = http.header(named: name) else { return false }
            bytes.append(contentsOf: value.prefix(Self.headerMax))
        case .userAgent: bytes.append(contentsOf: userAgent)
        case .referrer: bytes.append(contentsOf: referrer)
        case .referrerDomain: return ReferrerDomain.append(of: referrer, to: &bytes)
        case .ipVersion:
            guard let ip else { return false }
            bytes.append(ip.isIPv4 ? UInt8(ascii: "4") : UInt8(ascii: "6"))
        // Looked at as the address, and on the clock.
        case .ip, .weekday, .hour: return false
        case .device, .brand, .model, .os, .osVersion, .browser, .browserVersion, .inApp, .language:
            guard let value = told.device.value(of: fact) else { return false }
            bytes.append(contentsOf: value.utf8)
        case .bot: bytes.append(contentsOf: (visit == .bot ? "true" : "false").utf8)
        case .visit: bytes.append(contentsOf: visit.name.utf8)
        case .country, .region, .city, .isp, .asn, .connectionType:
            guard let value = found.place.value(of: fact) else { return false }
            bytes.append(contentsOf: value.utf8)
        case .unique:
            guard let known else { return false }
            bytes.append(contentsOf: (known.record.visits == 1 ? "true" : "false").utf8)
        case .clickNumber:
            guard let known else { return false }
            bytes.appendDecimal(Int64(known.record.visits))
        }
        return true
    }

    private func append(_ value: UnsafeRawBufferPointer?, to bytes: inout [UInt8]) -> Bool {
        guard let value else { return false }
        bytes.append(contentsOf: value)
        return true
    }

    /// The first of that name.
    private func parameter(_ name: String) -> UnsafeRawBufferPointer? {
        parameters.value(named: name)
    }

    private func variable(_ number: Int) -> UnsafeRawBufferPointer? {
        guard let names = route?.variables, names.indices.contains(number - 1) else { return nil }
        return parameters.value(named: names[number - 1])
    }

    /// Copies what a click keeps of it into the batch.
    func keepTexts(of click: inout NewClick, in batch: inout ClickBatch) {
        click.externalID = batch.keep(externalID)
        click.userAgent = batch.keep(userAgent)
        click.referrer = batch.keep(referrer)
        click.parameterNames = batch.keep(parameters.names)
        click.parameterValues = batch.keep(parameters.values)
        click.device = batch.keep(told.packed)
        click.place = batch.keep(found.packed)
    }

    /// Appends where the visitor goes: the filled template, and the parameters that are passed on.
    func appendLocation(_ url: URLTemplate, to bytes: inout [UInt8]) {
        let start = bytes.count
        url.fill(self, into: &bytes)
        route?.passing?.append(parametersToPass, toAddressFrom: start, in: &bytes)
    }

    /// As `Click.parametersToPass` gives them once the click was read back.
    private var parametersToPass: [ParameterPassing.Parameter] {
        var all: [ParameterPassing.Parameter] = []
        if let name = route?.externalIDParameter, !externalID.isEmpty {
            all.append((name, externalID))
        }
        if let name = route?.urlCost?.parameter, let costNanos {
            all.append((name, Array(Amount.format(costNanos).utf8)))
        }
        for (name, value) in parameters { all.append((Array(name), Array(value))) }
        return all
    }
}

extension CampaignRequest: TokenValues {
    func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
        switch token {
        case .clickID:
            guard let clickID else { return false }
            clickID.append(to: &bytes)
            return true
        case .externalID:
            bytes.append(contentsOf: externalID)
            return !externalID.isEmpty
        case .campaignID: return appendNumber(route?.campaignID.rawValue, to: &bytes)
        case .campaign:
            guard let key = route?.key else { return false }
            bytes.append(contentsOf: key)
            return true
        case .offerID: return appendNumber(offer?.offerID.rawValue, to: &bytes)
        case .networkID:
            return appendNumber(offer?.networkID.rawValue, to: &bytes)
        case .landerID:
            return appendNumber(lander?.landerID.rawValue, to: &bytes)
        case .sourceID: return appendNumber(route?.sourceID.rawValue, to: &bytes)
        case .variable(let number): return append(variable(number), to: &bytes)
        case .parameter(let name): return append(parameter(name), to: &bytes)
        case .cost:
            guard let nanos = costNanos else { return false }
            bytes.append(contentsOf: Amount.format(nanos).utf8)
            return true
        case .ip:
            guard let keptIP else { return false }
            bytes.append(contentsOf: keptIP.text.utf8)
            return true
        case .userAgent:
            bytes.append(contentsOf: userAgent)
            return !userAgent.isEmpty
        case .referrer:
            bytes.append(contentsOf: referrer)
            return !referrer.isEmpty
        case .timestamp, .timestampMilliseconds, .timestampMicroseconds, .timestampISO8601,
            .timestampGoogle, .clickTimestamp, .clickTimestampMilliseconds:
            let instant = rowID.instant
            return bytes.appendTime(token, at: instant, clickedAt: instant)
        case .random:
            guard let clickID else { return false }
            bytes.appendRandom(of: clickID, salt: 0)
            return true
        case .language, .device, .os, .osVersion, .browser, .browserVersion:
            guard let value = told.device.value(of: token) else { return false }
            bytes.append(contentsOf: value.utf8)
            return true
        case .country, .region, .city, .isp:
            guard let value = found.place.value(of: token) else { return false }
            bytes.append(contentsOf: value.utf8)
            return true
        case .payout, .payoutMinor, .currency, .status, .event,
            .transactionID, .conversionID, .revision, .extra:
            return false
        }
    }

    func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: SHA256.hex(Array(value)).utf8)
    }

    private func appendNumber(_ number: Int64?, to bytes: inout [UInt8]) -> Bool {
        guard let number else { return false }
        bytes.appendDecimal(number)
        return true
    }
}
