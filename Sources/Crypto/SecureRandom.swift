internal import COpenSSL

/// Random bytes nobody can guess, for keys and tokens. Callable from any thread.
public enum SecureRandom {
    /// Traps if the system has no randomness: nothing made without it would be safe.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            // `RAND_bytes` takes an `int`.
            precondition(
                RAND_bytes(output.baseAddress, Int32(count)) == 1, "no source of randomness")
            initialized = count
        }
    }

    /// `prefix` and 160 random bits as 32 digits of lower-case Crockford base 32 (no i, l, o, u),
    /// which survive e-mail, shells, URLs and being read aloud.
    public static func token(prefix: String = "") -> String {
        let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        var text = Array(prefix.utf8)
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for byte in bytes(20) {
            pending = pending << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(digits[Int(pending >> bits & 31)])
            }
            pending &= (1 << bits) - 1
        }
        return String(decoding: text, as: UTF8.self)
    }
}
