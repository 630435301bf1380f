internal import Crypto
internal import Domain

/// Whether a call was signed by who knows the network's secret, and lately.
struct SignatureCheck {
    private let rule: SignatureRule

    init(_ rule: SignatureRule) { self.rule = rule }

    /// Times from here on are milliseconds: in seconds it is the year 5138.
    private static let millisecondsMin: Int64 = 100_000_000_000

    /// Why the call is not to be believed; nil when it is.
    ///
    /// - Parameter receivedAt: when it first came.
    func refusal(of call: Postback, receivedAt: Instant) -> String? {
        let query = call.target.split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let pieces = (query.count == 2 ? query[1] : [])
            .split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
        var signed: [UInt8] = []
        var codes: [[UInt8]] = []
        var times: [[UInt8]] = []
        for piece in pieces {
            let parts = piece.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decoded(parts.first ?? [])
            let value = parts.count == 2 ? Self.decoded(parts[1]) : []
            if Self.isName(name, rule.parameter) {
                codes.append(value)
                continue
            }
            if let parameter = rule.timestampParameter, Self.isName(name, parameter) {
                times.append(value)
            }
            if !signed.isEmpty { signed.append(UInt8(ascii: "&")) }
            signed += piece
        }
        guard codes.count == 1 else {
            return codes.isEmpty
                ? "the query has no signature in the parameter \(rule.parameter)"
                : "the query has several signatures"
        }
        guard let code = Hex.bytes(String(decoding: codes[0], as: UTF8.self)),
            HMACSHA256.isValid(code, key: Array(rule.secret.utf8), signed)
        else {
            return "the signature is not the HMAC-SHA256, in hexadecimal digits, of the query "
                + "without \(rule.parameter): compare the secrets, and what is signed"
        }
        guard let parameter = rule.timestampParameter else { return nil }
        guard times.count == 1, let time = Self.time(times[0]) else {
            return "the parameter \(parameter) must hold one time in seconds since 1970"
        }
        let distance = receivedAt.micros.subtractingReportingOverflow(time.micros)
        guard !distance.overflow,
            distance.partialValue.magnitude
                <= UInt64(rule.windowSeconds) * 1_000_000
        else {
            return "the time in \(parameter) is more than \(rule.windowSeconds) s from ours: "
                + "compare the clocks"
        }
        return nil
    }

    private static func time(_ digits: [UInt8]) -> Instant? {
        guard digits.count <= 16, digits.allSatisfy({ (48...57).contains($0) }),
            let number = Int64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        let (micros, overflow) = number.multipliedReportingOverflow(
            by: number >= millisecondsMin ? 1000 : 1_000_000)
        return overflow ? nil : Instant(micros: micros)
    }

    private static func decoded(_ raw: ArraySlice<UInt8>) -> [UInt8] {
        raw.withUnsafeBytes { PercentEncoding.decode($0, plusIsSpace: true) }
    }

    private static func isName(_ bytes: [UInt8], _ name: String) -> Bool {
        String(decoding: bytes, as: UTF8.self).lowercased() == name.lowercased()
    }
}
