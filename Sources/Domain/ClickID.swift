/// One click's identity: `text` goes to the offer as `s2` and comes back in every postback.
///
/// Sixteen opaque bytes, an AES block under the installation's key (`Crypto.ClickIDCipher`); the
/// text form is 26 digits of Crockford base 32.
public struct ClickID: Hashable, Sendable {
    public let block: UInt128

    public static let textLength = 26

    public init(block: UInt128) { self.block = block }

    /// Nil for anything else, a sign or a space included: postbacks are untrusted input.
    public init?(_ text: some StringProtocol) {
        guard let block = Self.block(ofDigits: text.utf8) else { return nil }
        self.block = block
    }

    public init?(bytes: some Collection<UInt8>) {
        guard let block = Self.block(ofDigits: bytes) else { return nil }
        self.block = block
    }

    private static func block(ofDigits bytes: some Collection<UInt8>) -> UInt128? {
        guard bytes.count == textLength else { return nil }
        var value: UInt128 = 0
        for (position, byte) in bytes.enumerated() {
            // 26 digits are 130 bits: the first may only fill the upper three of a block.
            guard let digit = Crockford.digit(byte), position > 0 || digit < 8 else { return nil }
            value = value << 5 | UInt128(digit)
        }
        return value
    }

    /// 26 lower-case digits.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    public func append(to bytes: inout [UInt8]) {
        // By halves: a shift of 128 bits is several of 64.
        var high = UInt64(truncatingIfNeeded: block >> 64)
        var low = UInt64(truncatingIfNeeded: block)
        withUnsafeTemporaryAllocation(byteCount: Self.textLength, alignment: 1) { text in
            Crockford.digits.withUnsafeBufferPointer { digits in
                // The halves share this one: 60 bits are 12 digits, the 13th has four bits more.
                text[13] = digits[Int(truncatingIfNeeded: (high << 4 | low >> 60) & 31)]
                high >>= 1
                for place in 0..<12 {
                    text[25 - place] = digits[Int(truncatingIfNeeded: low & 31)]
                    low >>= 5
                }
                for place in 0..<13 {
                    text[12 - place] = digits[Int(truncatingIfNeeded: high & 31)]
                    high >>= 5
                }
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(text))
        }
    }
}

/// A click's primary key: 41 bits of milliseconds since 2026-01-01T00:00:00Z, 8 of node and 14 of
/// sequence. It grows with time, so inserts append, and its day names the file that holds the row.
public struct ClickRowID: Hashable, Comparable, Sendable {
    public let rawValue: Int64

    /// 2026-01-01T00:00:00Z in milliseconds since 1970.
    public static let epochMilliseconds: Int64 = 1_767_225_600_000
    public static let millisecondsMax: Int64 = 1 << 41 - 1
    public static let sequenceMax = 1 << 14 - 1

    /// Nil for a negative number.
    public init?(rawValue: Int64) {
        guard rawValue >= 0 else { return nil }
        self.rawValue = rawValue
    }

    /// `milliseconds` are counted from `epochMilliseconds`; each part is cut to its bits.
    public init(milliseconds: Int64, node: UInt8, sequence: Int) {
        let time = (milliseconds & Self.millisecondsMax) << 22
        rawValue = time | Int64(node) << 14 | Int64(sequence & Self.sequenceMax)
    }

    /// Milliseconds since `epochMilliseconds`.
    public var milliseconds: Int64 { rawValue >> 22 }
    public var node: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 14) }
    public var sequence: Int { Int(rawValue) & Self.sequenceMax }

    /// When the click was accepted, to the millisecond.
    public var instant: Instant {
        Instant(micros: (milliseconds + Self.epochMilliseconds) * 1000)
    }
    public var day: Day { instant.day }

    public static func < (left: ClickRowID, right: ClickRowID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What a click ID says once opened: which row, and which campaign even after the row was purged.
public struct ClickIdentity: Hashable, Sendable {
    public let rowID: ClickRowID
    public let campaignID: CampaignID

    /// Campaign numbers have 24 bits in a click ID.
    public static let campaignIDMax: Int64 = 1 << 24 - 1

    public init(rowID: ClickRowID, campaignID: CampaignID) {
        self.rowID = rowID
        self.campaignID = campaignID
    }

    /// The block before encryption: one spare bit, 63 of row ID, 24 of campaign, 40 zeros.
    public var plainBlock: UInt128 {
        UInt128(UInt64(bitPattern: rowID.rawValue)) << 64
            | UInt128(UInt64(campaignID.rawValue & Self.campaignIDMax)) << 40
    }

    /// Nil unless the spare bit and the 40 proof bits are zero: then it was not made by our key
    /// (one forgery in 2⁴¹ passes, and names a row that does not exist).
    public init?(plainBlock block: UInt128) {
        guard block & (1 << 40 - 1) == 0, block >> 127 == 0,
            let rowID = ClickRowID(rawValue: Int64(truncatingIfNeeded: block >> 64))
        else { return nil }
        self.rowID = rowID
        campaignID = CampaignID(Int64(truncatingIfNeeded: (block >> 40) & (1 << 24 - 1)))
    }
}

/// Turns click identities into click IDs and back; `Crypto.ClickIDKeys` is the real one. It stands
/// here as a protocol so that modules that must not do cryptography can still read an ID.
public protocol ClickIDSealing: Sendable {
    func seal(_ identity: ClickIdentity) -> ClickID
    /// Nil when no key of this installation made it.
    func open(_ clickID: ClickID) -> ClickIdentity?
}
