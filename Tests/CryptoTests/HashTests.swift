import Testing

@testable import Crypto

@Suite struct HashTests {
    /// FIPS 180-4's examples; the last is a million times "a".
    @Test func `SHA-256 gives the standard's digests`() {
        #expect(
            SHA256.hex("")
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.hex("abc")
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            SHA256.hex([UInt8](repeating: 97, count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test(arguments: [1, 7, 64, 1000]) func `parts have the digest of the whole`(size: Int) {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        let running = SHA256.Running()
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { running.update($0) }
        }
        #expect(running.finishHex() == SHA256.hex(bytes))
    }

    /// RFC 4231, test cases 1 to 4, 6 and 7.
    @Test(
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                Array(1...25), [UInt8](repeating: 0xcd, count: 50),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array(
                    ("This is a test using a larger than block-size key and a larger than block-size "
                        + "data. The key needs to be hashed before being used by the HMAC algorithm.")
                        .utf8),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
            ),
        ] as [([UInt8], [UInt8], String)])
    func `HMAC-SHA-256 gives RFC 4231's codes`(key: [UInt8], message: [UInt8], code: String) {
        #expect(Hex.text(HMACSHA256.code(key: key, message)) == code)
    }

    @Test func `an empty key and an empty message have a code`() {
        #expect(
            Hex.text(HMACSHA256.code(key: [], []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `a code with one bit changed is not valid`() {
        let key = SecureRandom.bytes(32)
        let message = Array("cid=1&payout=2".utf8)
        var code = HMACSHA256.code(key: key, message)
        #expect(HMACSHA256.isValid(code, key: key, message))
        code[31] ^= 1
        #expect(!HMACSHA256.isValid(code, key: key, message))
    }

    @Test func `secrets are equal only if all of them is`() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2], [1, 2]))
        #expect(!constantTimeEquals([1, 2], [1, 3]))
        #expect(!constantTimeEquals([1, 2], [1]))
        #expect(!constantTimeEquals([], [0]))
    }

    @Test func `hexadecimal digits are read in either case and nothing else is`() {
        #expect(Hex.bytes("00fFAb") == [0, 255, 171])
        #expect(Hex.bytes("") == [])
        #expect(Hex.bytes("0") == nil)
        #expect(Hex.bytes("0g") == nil)
        #expect(Hex.bytes("+1") == nil)
        #expect(Hex.text([0, 255, 171]) == "00ffab")
    }
}

/// SipHash-2-4 against its authors' vectors.
@Suite struct KeyedHashTests {
    private static func hash(_ hash: KeyedHash, _ first: [UInt8], _ second: [UInt8]) -> UInt64 {
        first.withUnsafeBytes { first in second.withUnsafeBytes { hash.hash(first, $0) } }
    }

    @Test func `codes are those of the reference, in any two pieces`() throws {
        let hash = try KeyedHash(key: Array(0...15))
        // vectors_sip128 of the reference implementation, the first eight bytes.
        #expect(Self.hash(hash, [], []) == 0xe6a8_25ba_047f_81a3)
        #expect(Self.hash(hash, [0], []) == 0x44af_996b_d8c1_87da)
        let message = Array(0...62 as ClosedRange<UInt8>)
        let whole = Self.hash(hash, message, [])
        for cut in 0...63 {
            #expect(Self.hash(hash, Array(message[..<cut]), Array(message[cut...])) == whole)
        }
        #expect(Self.hash(try KeyedHash(key: Array(1...16)), message, []) != whole)
    }
}
