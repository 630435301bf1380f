import Domain
import Testing
import TestSupport
@testable import Visitors

private let real = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 [FBAN/FBIOS;FBAV/458.0.0.38.110;FBDV/iPhone14,5;FBSV/17.4]",
    "Mozilla/5.0 (compatible; special_archiver/3.2.0 +http://www.loc.gov/webarchiving/notice.html)",
    "BOT/0.1 (BOT for JCE) crawler-support@host.example.org spider robot",
    "Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; HTC Sensation (4G) Build/IML74K) Mobile Safari/534.30",
    "JUC (Linux; U; 2.3.6; zh-cn; GT-S7500; 480*800) UCWEB7.9.4.145/139/800",
    "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) IEMobile/11.0; NOKIA; Lumia 920",
    "Axtaris Web Crawler/Axtaris-1.0.1 (Hello | http://axtaris.org; crawler at axtaris dot org)",
    "Opera/9.80 (S60; SymbOS; Opera Mobi/SYB-1202242143; U; en-GB) Presto/2.10.254 Version/12.00",
    "Parking Mania/1.9 CFNetwork/548.1.4 Darwin/11.0.0 AppleCoreMedia/1.0.0.12F69 (Apple TV; U)",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Roku/DVP-9.10 (519.10E04111A) Windows NT 6.1; Win 9x 4.90",
]

@Suite struct DeviceFuzzTests {
    /// Reads a copy that ends where its memory does, so that a look behind it is found out by a
    /// sanitizer, if not by a trap.
    private func read(_ bytes: some Collection<UInt8>) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        var headers = AgentHeaders(userAgent: UnsafeRawBufferPointer(copy))
        let device = DeviceReader.read(headers)
        var kept = device.packed.withUnsafeBytes { Device(packed: $0) }
        kept?.visit = device.visit
        #expect(kept == device)
        for text in [device.brand, device.model, device.browser, device.inApp] {
            #expect(text.utf8.count <= 64)
            #expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7F })
        }
        headers.userAgent = AgentHeaders.none
        headers.brands = UnsafeRawBufferPointer(copy)
        headers.platform = UnsafeRawBufferPointer(copy)
        headers.model = UnsafeRawBufferPointer(copy)
        headers.platformVersion = UnsafeRawBufferPointer(copy)
        headers.formFactors = UnsafeRawBufferPointer(copy)
        #expect(DeviceReader.read(headers).model.utf8.count <= 64)
        var language: [UInt8] = []
        _ = AcceptLanguage.appendBest(UnsafeRawBufferPointer(copy), to: &language)
        #expect(language.count <= 35)
    }

    @Test(arguments: real.indices)
    func `every beginning and every end of an agent is read without a trap`(index: Int) {
        let bytes = Array(real[index].utf8)
        for count in 0...bytes.count {
            read(bytes.prefix(count))
            read(bytes.suffix(count))
        }
    }

    /// Words that the reader takes for other things than a name, glued to what makes a crawler.
    @Test func `crawlers with names that look like something else are read without a trap`() {
        let starts = [
            "windows", "compatible", "::", "/1::", "1", "the ", "Windows ", "compatible;",
        ]
        let names = ["spider", "crawl", "crawler", "bot", "robot", "webbot", ""]
        let ends = [".com", ".com/1.1", ".com bot", ".", ".1", "@a.b", "::", "/1", ""]
        for start in starts {
            for second in starts + [""] {
                for name in names {
                    for end in ends {
                        read((start + second + name + end).utf8)
                        read("Mozilla/5.0 (compatible; \(start)\(second)\(name)\(end))".utf8)
                    }
                }
            }
        }
    }

    @Test(arguments: 1...150)
    func `random bytes are read without a trap`(seed: UInt64) {
        var random = SeededRandom(seed)
        let count = Int.random(in: 0...1500, using: &random)
        read((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
        // Printable, with the signs that structure agents: deeper into the parser.
        let signs = Array(" ;()/,.-_\"=@:+0123456789vbotABCandroidMSIErvWindowsNTOSiPhone".utf8)
        read((0..<count).map { _ in signs[Int.random(in: 0..<signs.count, using: &random)] })
    }

    @Test(arguments: 1...150)
    func `agents stuck together and torn apart are read without a trap`(seed: UInt64) {
        var random = SeededRandom(seed)
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let agent = Array(real[Int.random(in: 0..<real.count, using: &random)].utf8)
            let start = Int.random(in: 0..<agent.count, using: &random)
            let end = Int.random(in: start...agent.count, using: &random)
            bytes += agent[start..<end]
        }
        read(bytes)
    }

    @Test(arguments: [
        "bot ", "(", ";", "a-", "http://", "Android;", "::", "\"", "crawler the ", "@a.",
    ])
    func `an agent made to be slow is cut`(part: String) {
        let bytes = Array(String(repeating: part, count: 100_000).utf8)
        read(bytes)
    }

    @Test func `no word stands in two tables, and every mark has a place`() {
        let texts = AgentWords.known.texts
        var seen: Set<String> = []
        for text in texts { #expect(seen.insert(text).inserted, "\(text)") }
        #expect(AgentMark.allCases.count <= 144)
    }

    @Test func `what the cache tells is what the reader tells`() {
        let cache = DeviceCache()
        var random = SeededRandom(7)
        // More than it has places for, and each asked for often.
        let agents = (0..<3000).map {
            "Mozilla/5.0 (Linux; Android \($0 % 15); Pixel \($0)) Mobile"
        }
        for _ in 0..<20_000 {
            let agent = agents[Int.random(in: 0..<agents.count, using: &random)]
            Array(agent.utf8).withUnsafeBytes { bytes in
                let headers = AgentHeaders(userAgent: bytes)
                #expect(cache.device(of: headers).device == DeviceReader.read(headers))
            }
        }
        let sent = SentHeaders()
        var first = AgentHeaders(userAgent: sent.bytes("ab"))
        first.brands = sent.bytes("c")
        var second = AgentHeaders(userAgent: sent.bytes("a"))
        second.brands = sent.bytes("bc")
        withExtendedLifetime(sent) {
            #expect(cache.device(of: first).device.browser == DeviceReader.read(first).browser)
            #expect(cache.device(of: second).device.browser == DeviceReader.read(second).browser)
        }
    }
}
