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
    public let report: SampleReport

    public struct PlaceValue: Sendable {
        public let fact: Fact
        public let value: String
    }

    /// What click IDs can tell the time of.
    static let timeRange =
        Instant(
            micros: ClickRowID.epochMilliseconds * 1000)...Instant(
            micros: (ClickRowID.epochMilliseconds + ClickRowID.millisecondsMax) * 1000)

    /// From the block for documentation (RFC 5737).
    public static let standardIP = IPAddress(ipv4: 0xcb00_7109)

    /// - Throws: everything that is wrong with it.
    public init(document: JSONValue) throws(ValidationError) {
        let problems = DocumentProblems()
        var reader = DocumentReader(document, problems: problems)
        query = DirectClick.query(&reader)
        let ip = reader.string("ip")
        self.ip = ip == nil ? Self.standardIP : ip.flatMap { IPAddress($0) }
        if self.ip == nil { reader.fail("ip", "must be an IPv4 or IPv6 address") }
        fields = DirectClick.fields(&reader)
        let host = reader.string("host", max: 300)
        self.host = host.flatMap { HostName($0) }
        if host != nil, self.host == nil { reader.fail("host", HostName.rule) }
        at = Self.time(&reader)
        let clickID = reader.string("click_id")
        self.clickID = clickID.flatMap { ClickID($0) }
        if clickID != nil, self.clickID == nil {
            reader.fail("click_id", "must be a click ID: 26 letters and digits")
        }
        visits = reader.optionalInteger("visits", in: 1...1_000_000).map { Int($0) }
        place = Self.place(&reader)
        report = reader.reader("conversion").map { SampleReport($0) } ?? SampleReport()
        reader.finish()
        try problems.throwIfAny()
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
