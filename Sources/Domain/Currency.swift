/// A currency of ISO 4217, by its alphabetic code.
public struct Currency: Hashable, Sendable {
    /// The three letters, upper case, one byte each: `0x555344` is USD. Fit to be stored.
    public let rawValue: UInt32
    /// Digits after the decimal point in the currency's smallest unit: 2 for USD, 0 for JPY.
    public let minorDigits: Int

    /// In any case; nil for everything that isn't in the table.
    public init?(_ code: some StringProtocol) {
        var letters: UInt32 = 0
        var count = 0
        for byte in code.utf8 {
            let upper = byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte
            guard count < 3, upper >= 0x41, upper <= 0x5A else { return nil }
            letters = letters << 8 | UInt32(upper)
            count += 1
        }
        self.init(rawValue: letters)
    }

    public init?(rawValue: UInt32) {
        guard let minorDigits = Currency.minorDigits[rawValue] else { return nil }
        self.rawValue = rawValue
        self.minorDigits = minorDigits
    }

    public var code: String {
        String(
            decoding: [
                UInt8(truncatingIfNeeded: rawValue >> 16), UInt8(truncatingIfNeeded: rawValue >> 8),
                UInt8(truncatingIfNeeded: rawValue),
            ], as: UTF8.self)
    }

    /// All of them, sorted by code.
    public static let all: [Currency] = minorDigits.keys.sorted().compactMap {
        Currency(rawValue: $0)
    }

    // ISO 4217 list one (SIX, the maintenance agency: "List One: Current Currency & Funds"), with
    // its funds codes. Left out: metals, bond units, XDR, XSU, XUA, XTS and XXX, which have no
    // minor unit and pay nobody. BGN, replaced by the euro in January 2026, stays: its conversions
    // are still corrected and imported.
    private static let codes: [(minorDigits: Int, codes: String)] = [
        (
            0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
        ),
        (
            2,
            """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP \
            BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR \
            FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR \
            KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV \
            MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR \
            SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH \
            USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
            """
        ),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    ]

    private static let minorDigits: [UInt32: Int] = {
        var table: [UInt32: Int] = [:]
        for (digits, codes) in codes {
            for code in codes.split(separator: " ") {
                table[code.utf8.reduce(0) { $0 << 8 | UInt32($1) }] = digits
            }
        }
        return table
    }()
}
