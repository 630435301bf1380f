internal import Crypto
internal import Domain
internal import HTTP
internal import Store
internal import Visitors

/// What one request to a campaign URL says. One value per loop, used again for each request, so
/// that a click allocates nothing of its own; decoded bytes lie in the batch's arena.
struct CampaignRequest {
    /// Bounds on what is kept of a request; what is beyond is left out, and the visitor still goes
    /// on. An external ID is kept whole: the request line's own limit bounds it.
    static let parametersMax = 40
    static let parameterNameMax = 64
    static let parameterValuesMax = 4096
    static let userAgentMax = 512
    static let referrerMax = 1024
    /// Of a header that a rule asks for.
    static let headerMax = 1024

    private(set) var externalID: NewClick.Bytes?
    private(set) var costNanos: Int64?
    /// The cost's; nil: the URL names one that there is not.
    private(set) var currency: Currency?
    /// Decoded names and values.
    private var names: [NewClick.Bytes] = []
    private var values: [NewClick.Bytes] = []
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
    private var choice: Choice?

    /// Reads the query. In the external ID a `+` stays one, because sources send base 64 as it is
    /// and the ID must go back byte for byte; elsewhere it is a space, as forms mean it.
    mutating func read(
        _ query: UnsafeRawBufferPointer, _ route: Route, into batch: inout ClickBatch
    ) {
        self.route = route
        known = nil
        externalID = nil
        costNanos = route.costNanos
        currency = route.urlCost.map { $0.currency(in: query) } ?? route.currency
        names.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        var valueBytes = 0
        for (name, value) in QueryScanner(query) {
            if let parameter = route.externalIDParameter, name.isParameter(parameter) {
                if externalID == nil, !value.isEmpty {
                    externalID = Self.decode(value, plusIsSpace: false, into: &batch)
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
            guard names.count < Self.parametersMax, name.count <= Self.parameterNameMax,
                valueBytes + value.count <= Self.parameterValuesMax
            else { continue }
            valueBytes += value.count
            names.append(Self.decode(name, plusIsSpace: true, into: &batch))
            values.append(Self.decode(value, plusIsSpace: true, into: &batch))
        }
    }

    /// Reads what else is kept.
    mutating func identify(
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
    mutating func recognize(_ told: ReadDevice, _ visit: VisitKind, _ found: FoundPlace) {
        self.told = told
        self.visit = visit
        self.found = found
    }

    /// Takes the cost that a recorded click has for the one that was read.
    mutating func recall(_ cost: Money?) {
        costNanos = cost?.nanos
        currency = cost?.currency ?? currency
    }

    /// Takes note of where the visitor goes, which its URL may tell.
    mutating func decide(_ choice: Choice) { self.choice = choice }

    /// Appends what a rule asks for; false where it isn't known.
    func append(
        _ fact: Fact, of http: borrowing Request, in batch: ClickBatch, to bytes: inout [UInt8]
    ) -> Bool {
        switch fact {
        case .parameter(let name):
            return append(parameter(Array(name.utf8), in: batch.arena), batch, to: &bytes)
        case .variable(let number):
            guard let names = route?.variables, names.indices.contains(number - 1) else {
                return false
            }
            return append(parameter(names[number - 1], in: batch.arena), batch, to: &bytes)
        case .header(let name):
            guard let value = http.header(named: name.utf8) else { return false }
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

    private func append(_ item: NewClick.Bytes?, _ batch: ClickBatch, to bytes: inout [UInt8])
        -> Bool
    {
        guard let item else { return false }
        bytes.append(contentsOf: batch.arena[item.range])
        return true
    }

    /// The first of that name.
    fileprivate func parameter(_ name: [UInt8], in arena: [UInt8]) -> NewClick.Bytes? {
        for (index, item) in names.enumerated() where arena[item.range].elementsEqual(name) {
            return values[index]
        }
        return nil
    }

    func packNames(in batch: inout ClickBatch) -> NewClick.Bytes { pack(names, in: &batch) }
    func packValues(in batch: inout ClickBatch) -> NewClick.Bytes { pack(values, in: &batch) }

    private func pack(_ items: [NewClick.Bytes], in batch: inout ClickBatch) -> NewClick.Bytes {
        let mark = batch.mark
        for item in items { batch.pack(item) }
        return batch.kept(since: mark)
    }

    private static func decode(
        _ raw: UnsafeRawBufferPointer, plusIsSpace: Bool, into batch: inout ClickBatch
    ) -> NewClick.Bytes {
        let mark = batch.mark
        PercentEncoding.decode(raw, plusIsSpace: plusIsSpace, into: &batch.arena)
        return batch.kept(since: mark)
    }

    /// Appends where the visitor goes: the filled template, and the parameters that are passed on.
    func appendLocation(_ url: URLTemplate, in batch: ClickBatch, to bytes: inout [UInt8]) {
        let start = bytes.count
        url.fill(values(in: batch), into: &bytes)
        route?.passing?.append(
            parametersToPass(in: batch), toAddressFrom: start, in: &bytes)
    }

    /// As `Click.parametersToPass` gives them once the click was read back.
    private func parametersToPass(in batch: ClickBatch) -> [ParameterPassing.Parameter] {
        var all: [ParameterPassing.Parameter] = []
        if let name = route?.externalIDParameter, let externalID {
            all.append((name, Array(batch.arena[externalID.range])))
        }
        if let name = route?.urlCost?.parameter, let costNanos {
            all.append((name, Array(Amount.format(costNanos).utf8)))
        }
        for (name, value) in zip(names, values) {
            all.append((Array(batch.arena[name.range]), Array(batch.arena[value.range])))
        }
        return all
    }

    /// The token values of this request; its bytes lie in `batch`.
    func values(in batch: ClickBatch) -> Values { Values(request: self, arena: batch.arena) }

    struct Values: TokenValues {
        let request: CampaignRequest
        let arena: [UInt8]

        func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
            switch token {
            case .clickID:
                guard let clickID = request.clickID else { return false }
                clickID.append(to: &bytes)
                return true
            case .externalID: return append(request.externalID, to: &bytes)
            case .campaignID: return appendNumber(request.route?.campaignID.rawValue, to: &bytes)
            case .campaign:
                guard let key = request.route?.key else { return false }
                bytes.append(contentsOf: key)
                return true
            case .offerID: return appendNumber(request.choice?.offer?.offerID.rawValue, to: &bytes)
            case .networkID:
                return appendNumber(request.choice?.offer?.networkID.rawValue, to: &bytes)
            case .landerID:
                return appendNumber(request.choice?.lander?.landerID.rawValue, to: &bytes)
            case .sourceID: return appendNumber(request.route?.sourceID.rawValue, to: &bytes)
            case .variable(let number):
                guard let names = request.route?.variables, names.indices.contains(number - 1)
                else { return false }
                return append(request.parameter(names[number - 1], in: arena), to: &bytes)
            case .parameter(let name):
                return append(request.parameter(Array(name.utf8), in: arena), to: &bytes)
            case .cost:
                guard let nanos = request.costNanos else { return false }
                bytes.append(contentsOf: Amount.format(nanos).utf8)
                return true
            case .ip:
                guard let ip = request.keptIP else { return false }
                bytes.append(contentsOf: ip.text.utf8)
                return true
            case .userAgent:
                bytes.append(contentsOf: request.userAgent)
                return !request.userAgent.isEmpty
            case .referrer:
                bytes.append(contentsOf: request.referrer)
                return !request.referrer.isEmpty
            case .timestamp, .timestampMilliseconds, .timestampMicroseconds, .timestampISO8601,
                .timestampGoogle, .clickTimestamp, .clickTimestampMilliseconds:
                let instant = request.rowID.instant
                return bytes.appendTime(token, at: instant, clickedAt: instant)
            case .random:
                guard let clickID = request.clickID else { return false }
                bytes.appendRandom(of: clickID, salt: 0)
                return true
            case .language, .device, .os, .osVersion, .browser, .browserVersion:
                guard let value = request.told.device.value(of: token) else { return false }
                bytes.append(contentsOf: value.utf8)
                return true
            case .country, .region, .city, .isp:
                guard let value = request.found.place.value(of: token) else { return false }
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

        private func append(_ item: NewClick.Bytes?, to bytes: inout [UInt8]) -> Bool {
            guard let item, item.count > 0 else { return false }
            bytes.append(contentsOf: arena[item.range])
            return true
        }

        private func appendNumber(_ number: Int64?, to bytes: inout [UInt8]) -> Bool {
            guard let number else { return false }
            bytes.appendDecimal(number)
            return true
        }
    }
}
