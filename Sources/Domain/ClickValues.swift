/// Token values of a click that was read back: where a visitor was sent, and the click's part of
/// what a destination is told.
public struct ClickValues: TokenValues {
    let click: Click
    let clickID: ClickID
    let names: Names
    let sha256Hex: @Sendable (ArraySlice<UInt8>) -> [UInt8]

    /// The entities' keys and numbers, which tokens show and a click does not hold.
    public struct Names: Sendable {
        public let campaign: EntityKey?
        public let sourceID: SourceID?
        public let networkID: NetworkID?
        public let offerID: OfferID?
        public let landerID: LanderID?
        /// The source's parameter names by variable number.
        public let variables: [Int: String]

        public init(
            campaign: EntityKey?, sourceID: SourceID?, networkID: NetworkID?, offerID: OfferID?,
            landerID: LanderID?, variables: [Int: String]
        ) {
            self.campaign = campaign
            self.sourceID = sourceID
            self.networkID = networkID
            self.offerID = offerID
            self.landerID = landerID
            self.variables = variables
        }
    }

    public init(
        click: Click, clickID: ClickID, names: Names,
        sha256Hex: @escaping @Sendable (ArraySlice<UInt8>) -> [UInt8]
    ) {
        self.click = click
        self.clickID = clickID
        self.names = names
        self.sha256Hex = sha256Hex
    }

    public func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
        switch token {
        case .clickID: clickID.append(to: &bytes)
        case .externalID: return bytes.appendValue(click.externalID)
        case .campaignID: bytes.append(contentsOf: click.campaignID.description.utf8)
        case .campaign: return bytes.appendValue(names.campaign?.text)
        case .offerID: return bytes.appendValue(names.offerID?.description)
        case .landerID: return bytes.appendValue(names.landerID?.description)
        case .sourceID: return bytes.appendValue(names.sourceID?.description)
        case .networkID: return bytes.appendValue(names.networkID?.description)
        case .variable(let number):
            return bytes.appendValue(parameter(names.variables[number] ?? "var\(number)"))
        case .parameter(let name): return bytes.appendValue(parameter(name))
        case .cost: return bytes.appendValue(click.cost?.amountText)
        case .ip: return bytes.appendValue(click.ip?.text)
        case .userAgent: return bytes.appendValue(click.userAgent)
        case .referrer: return bytes.appendValue(click.referrer)
        case .timestamp, .timestampMilliseconds, .timestampMicroseconds, .timestampISO8601,
            .timestampGoogle, .clickTimestamp, .clickTimestampMilliseconds:
            return bytes.appendTime(token, at: click.rowID.instant, clickedAt: click.rowID.instant)
        case .random: bytes.appendRandom(of: clickID, salt: 0)
        case .language, .device, .os, .osVersion, .browser, .browserVersion:
            return bytes.appendValue(click.device?.value(of: token))
        case .country, .region, .city, .isp: return bytes.appendValue(click.place?.value(of: token))
        case .payout, .payoutMinor, .currency, .status, .event,
            .transactionID, .conversionID, .revision, .extra:
            return false
        }
        return true
    }

    public func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: sha256Hex(value))
    }

    private func parameter(_ name: String) -> [UInt8]? {
        click.parameters.first { $0.name == name }?.value
    }
}

/// Token values of a conversion: the click's, and what the network reported.
public struct ConversionValues: TokenValues {
    let conversion: Conversion
    let click: ClickValues
    /// What the receiver is told as its value.
    let payout: Money

    /// - Parameter payout: nil: the conversion's own.
    public init(conversion: Conversion, click: ClickValues, payout: Money? = nil) {
        self.conversion = conversion
        self.click = click
        self.payout = payout ?? conversion.payout
    }

    public func append(_ token: Token, to bytes: inout [UInt8]) -> Bool {
        switch token {
        case .payout: bytes.append(contentsOf: payout.amountText.utf8)
        case .payoutMinor: bytes.append(contentsOf: payout.minorText.utf8)
        case .currency: bytes.append(contentsOf: payout.currency.code.utf8)
        case .status: bytes.append(contentsOf: conversion.status.rawValue.utf8)
        case .event: bytes.append(contentsOf: conversion.event.utf8)
        case .transactionID: return bytes.appendValue(conversion.transactionID)
        case .conversionID: bytes.append(contentsOf: conversion.id.description.utf8)
        case .revision: bytes.append(contentsOf: String(conversion.revision).utf8)
        case .extra(let number):
            guard conversion.extras.indices.contains(number - 1) else { return false }
            return bytes.appendValue(conversion.extras[number - 1])
        case .timestamp, .timestampMilliseconds, .timestampMicroseconds, .timestampISO8601,
            .timestampGoogle, .clickTimestamp, .clickTimestampMilliseconds:
            return bytes.appendTime(
                token, at: conversion.convertedAt, clickedAt: conversion.click.rowID.instant)
        case .random:
            bytes.appendRandom(
                of: click.clickID,
                salt: conversion.id.rawValue &* 1000 &+ Int64(conversion.revision))
        case .clickID, .externalID, .campaignID, .campaign, .offerID, .landerID, .sourceID,
            .networkID, .variable, .parameter, .country, .region, .city, .isp, .language,
            .device, .os, .osVersion, .browser, .browserVersion, .ip, .userAgent, .referrer:
            return click.append(token, to: &bytes)
        case .cost:
            guard let cost = conversion.cost else { return click.append(token, to: &bytes) }
            bytes.append(contentsOf: cost.amountText.utf8)
        }
        return true
    }

    public func appendSHA256(of value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        click.appendSHA256(of: value, to: &bytes)
    }
}

extension [UInt8] {
    mutating func appendValue(_ text: String?) -> Bool {
        guard let text else { return false }
        append(contentsOf: text.utf8)
        return true
    }

    mutating func appendValue(_ value: [UInt8]?) -> Bool {
        guard let value else { return false }
        append(contentsOf: value)
        return true
    }

    /// The value of a time token; false for every other token.
    public mutating func appendTime(_ token: Token, at: Instant, clickedAt: Instant) -> Bool {
        switch token {
        case .timestamp: appendDecimal(at.seconds)
        case .timestampMilliseconds: appendDecimal(at.milliseconds)
        case .timestampMicroseconds: appendDecimal(at.micros)
        case .timestampISO8601:
            append(contentsOf: Instant(micros: at.seconds * 1_000_000).rfc3339.utf8)
        case .timestampGoogle:
            append(contentsOf: Instant(micros: at.seconds * 1_000_000).spacedISO8601.utf8)
        case .clickTimestamp: appendDecimal(clickedAt.seconds)
        case .clickTimestampMilliseconds: appendDecimal(clickedAt.milliseconds)
        case .clickID, .externalID, .campaignID, .campaign, .offerID, .landerID, .sourceID,
            .networkID, .variable, .parameter, .cost, .country, .region, .city, .isp, .language,
            .device, .os, .osVersion, .browser, .browserVersion, .ip, .userAgent, .referrer,
            .random, .payout, .payoutMinor, .currency, .status, .event, .transactionID,
            .conversionID, .revision, .extra:
            return false
        }
        return true
    }

    public mutating func appendDecimal(_ number: Int64) { append(contentsOf: String(number).utf8) }

    /// `{random}`: 16 hex digits that look random and can be told again from the click, so that
    /// where a visitor was sent needs no second copy.
    public mutating func appendRandom(of clickID: ClickID, salt: Int64) {
        // SplitMix64's finaliser over the block, which is AES output.
        var value = UInt64(truncatingIfNeeded: clickID.block) &+ UInt64(bitPattern: salt)
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        value ^= value >> 31
        let digits = Array("0123456789abcdef".utf8)
        for shift in stride(from: 60, through: 0, by: -4) {
            append(digits[Int(value >> UInt64(shift) & 15)])
        }
    }
}

extension Money {
    /// The amount in the currency's minor unit; the part below it is cut off (`1250` for 12.505).
    var minorText: String {
        var divisor: Int64 = 1_000_000_000
        for _ in 0..<currency.minorDigits { divisor /= 10 }
        return String(nanos / divisor)
    }
}
