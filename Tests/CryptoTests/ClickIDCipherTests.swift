import Testing

@testable import Crypto

@Suite struct ClickIDCipherTests {
    /// FIPS 197, appendix B and C.1.
    @Test(
        arguments: [
            (
                "2b7e151628aed2a6abf7158809cf4f3c", 0x3243_f6a8_885a_308d_3131_98a2_e037_0734,
                0x3925_841d_02dc_09fb_dc11_8597_196a_0b32
            ),
            (
                "000102030405060708090a0b0c0d0e0f", 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff,
                0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a
            ),
        ] as [(String, UInt128, UInt128)])
    func `a block is AES-128 as FIPS 197 gives it`(
        key: String, plain: UInt128, sealed: UInt128
    ) throws {
        let cipher = try ClickIDCipher(key: #require(Hex.bytes(key)))
        #expect(cipher.encrypt(plain) == sealed)
        #expect(cipher.decrypt(sealed) == plain)
    }

    @Test func `a cipher serves any number of blocks in any order`() throws {
        let cipher = try ClickIDCipher(key: SecureRandom.bytes(16))
        let again = try ClickIDCipher(key: SecureRandom.bytes(16))
        for _ in 0..<1_000 {
            let plain = UInt128.random(in: 0 ... .max)
            let sealed = cipher.encrypt(plain)
            #expect(cipher.decrypt(sealed) == plain)
            #expect(cipher.encrypt(plain) == sealed)
            #expect(again.decrypt(sealed) != plain)
        }
    }

    @Test(arguments: [0, 15, 17, 32])
    func `a key of the wrong length is refused`(length: Int) {
        #expect(throws: CryptoError.keyLength(length)) {
            try ClickIDCipher(key: [UInt8](repeating: 1, count: length))
        }
    }
}
