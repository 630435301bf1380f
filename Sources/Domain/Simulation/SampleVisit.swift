/// A visitor that never was, to see what would become of it: as the API's `simulate` takes it.
public struct SampleVisit: Sendable {
    /// As it would stand in the campaign URL.
    public let query: [UInt8]
    /// Header fields of the visitor's browser.
    public let fields: [DirectClick.Field]
    /// Nil: not known.
    public let ip: IPAddress?
    /// The host that is called; nil: one that campaigns are always served at.
    public let host: HostName?
    /// Nil: now, or the time of `clickID`.
    public let at: Instant?
    /// Whose choices by weight are made; nil: a click ID that no visitor is given.
    public let clickID: ClickID?
    /// Which click of its visitor it is, where the campaign knows its visitors; nil: what is
    /// remembered of the visitor says so.
    public let visits: Int?
    /// What the location files would say, where the sample says so itself.
    public let place: [PlaceValue]
    /// Which version of the campaign's flow decides; nil: that of the recalled click, or today's.
    public let flowVersion: Int64?
    /// What a recorded click has in place of what would be read now; nil: nothing is recalled.
    public let recalled: Recalled?
    public let report: SampleReport

    public struct PlaceValue: Sendable {
        public let fact: Fact
        public let value: String
    }

    /// Of a recorded click, where the sample says nothing else.
    public struct Recalled: Sendable {
        /// Nil: as it is read.
        public let cost: Money??
        public let device: Device?
        public let visit: VisitKind?
    }

    /// What click IDs can tell the time of.
    static let timeRange =
        Instant(
            micros: ClickRowID.epochMilliseconds * 1000)...Instant(
            micros: (ClickRowID.epochMilliseconds + ClickRowID.millisecondsMax) * 1000)

    /// From the block for documentation (RFC 5737).
    public static let standardIP = IPAddress(ipv4: 0xcb00_7109)

    /// - Parameters:
    ///   - past: the recorded click with its `click_id`, which says what the document doesn't.
    ///   - campaign: the click's, with its source.
    /// - Throws: everything that is wrong with it.
    public init(
        document: JSONValue, recalling past: Click? = nil,
        of campaign: (cost: Cost, source: Source)? = nil
    ) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        func says(_ names: String...) -> Bool {
            names.contains { document[$0] ?? .null != .null }
        }
        let query = DirectClick.query(&reader)
        let isQueryRecalled = past != nil && !says("query", "params")
        self.query = isQueryRecalled ? Self.query(of: past, campaign) : query
        ip = Self.ip(&reader, past)
        let fields = DirectClick.fields(&reader)
        self.fields = fields + Self.fields(of: past, beside: fields)
        let host = reader.string("host", max: 300)
        self.host = host.flatMap { HostName($0) }
        if host != nil, self.host == nil { reader.fail("host", HostName.rule) }
        at = Self.time(&reader)
        let clickID = reader.string("click_id")
        self.clickID = clickID.flatMap { ClickID($0) }
        if clickID != nil, self.clickID == nil {
            reader.fail("click_id", "must be a click ID: 26 letters and digits")
        }
        visits =
            reader.optionalInteger("visits", in: 1...1_000_000).map { Int($0) }
            ?? past?.visitNumber.map { Int($0) }
        let place = Self.place(&reader)
        self.place =
            place.isEmpty && !says("ip") ? past?.place.map { Self.values(of: $0) } ?? [] : place
        flowVersion = reader.optionalInteger("flow_version", in: 1...Int64.max)
        recalled = past.map { past in
            Recalled(
                cost: isQueryRecalled ? .some(past.cost) : nil,
                device: fields.isEmpty ? past.device : nil,
                visit: fields.isEmpty && !says("ip") ? past.visit : nil)
        }
        report = reader.reader("conversion").map { SampleReport($0) } ?? SampleReport()
        reader.finish()
        try problems.throwIfAny()
    }

    private static func ip(_ reader: inout DocumentReader, _ past: Click?) -> IPAddress? {
        guard let text = reader.string("ip") else {
            return reader.hasFailed("ip") ? nil : past.map(\.ip) ?? standardIP
        }
        let ip = IPAddress(text)
        if ip == nil { reader.fail("ip", "must be an IPv4 or IPv6 address") }
        return ip
    }

    private static func time(_ reader: inout DocumentReader) -> Instant? {
        guard let text = reader.string("at") else { return nil }
        guard let instant = Instant(rfc3339: text), timeRange.contains(instant) else {
            reader.fail("at", "must be a time from 2026 on, such as \"2026-11-21T20:00:00Z\"")
            return nil
        }
        return instant
    }

    private static func place(_ reader: inout DocumentReader) -> [PlaceValue] {
        var values: [PlaceValue] = []
        for fact in Place.facts {
            switch fact {
            case .asn:
                if let number = reader.optionalInteger(fact.name, in: 0...Int64(UInt32.max)) {
                    values.append(PlaceValue(fact: fact, value: String(number)))
                }
            case .country:
                guard let text = reader.string(fact.name), !text.isEmpty else { continue }
                do throws(CountryError) {
                    values.append(PlaceValue(fact: fact, value: try Country.parse(text).code))
                } catch {
                    reader.fail(fact.name, error.message)
                }
            default:
                guard let text = reader.string(fact.name) else { continue }
                values.append(PlaceValue(fact: fact, value: text))
            }
        }
        return values
    }
}

// MARK: What a recorded click says

extension SampleVisit {
    /// As its campaign URL had it, as far as that is kept.
    private static func query(of past: Click?, _ campaign: (cost: Cost, source: Source)?)
        -> [UInt8]
    {
        guard let past, let campaign else { return [] }
        var query: [UInt8] = []
        let kept = past.parametersToPass(
            from: campaign.source, costIsParameter: campaign.cost.model == .param)
        for (name, value) in kept {
            if !query.isEmpty { query.append(UInt8(ascii: "&")) }
            PercentEncoding.append(name, to: &query)
            query.append(UInt8(ascii: "="))
            PercentEncoding.append(value, to: &query)
        }
        return query
    }

    private static func fields(of past: Click?, beside given: [DirectClick.Field])
        -> [DirectClick.Field]
    {
        guard let past else { return [] }
        let kept = [
            ("User-Agent", past.userAgent), ("Referer", past.referrer),
            ("Accept-Language", Array((past.device?.language ?? "").utf8)),
        ]
        return kept.compactMap { name, value in
            let isGiven = given.contains { $0.name.lowercased() == name.lowercased() }
            if value.isEmpty || isGiven { return nil }
            return DirectClick.Field(name: name, value: String(decoding: value, as: UTF8.self))
        }
    }

    private static func values(of place: Place) -> [PlaceValue] {
        Place.facts.compactMap { fact in
            place.value(of: fact).map { PlaceValue(fact: fact, value: $0) }
        }
    }
}

extension ClickRowID {
    /// The last of its millisecond on the last node, which no visitor is given.
    public static func sample(at instant: Instant) -> ClickRowID {
        ClickRowID(
            milliseconds: max(0, instant.milliseconds - epochMilliseconds), node: .max,
            sequence: sequenceMax)
    }
}

extension Place {
    /// The same where a sample says so itself.
    public func with(_ values: [SampleVisit.PlaceValue]) -> Place {
        var place = self
        for value in values {
            switch value.fact {
            case .country: place.country = value.value
            case .region: place.region = value.value
            case .city: place.city = value.value
            case .isp: place.isp = value.value
            case .asn: place.asn = UInt32(value.value) ?? 0
            case .connectionType: place.connectionType = value.value
            case .ip, .ipVersion, .device, .brand, .model, .os, .osVersion, .browser,
                .browserVersion, .inApp, .language, .referrer, .referrerDomain, .userAgent,
                .parameter, .variable, .header, .weekday, .hour, .unique, .bot, .visit,
                .clickNumber:
                break
            }
        }
        return place
    }
}
