import Foundation
import TestSupport
import Testing

@testable import Visitors

@Suite struct GeoArchiveTests {
    private let files: TemporaryDirectory

    init() throws { files = try TemporaryDirectory() }

    /// What the system's tool makes of a file.
    private func run(_ tool: String, _ arguments: [String]) throws {
        let result = try runTool(
            "/usr/bin/env", ["--chdir", files.path, tool] + arguments)
        #expect(result.exitCode == 0, "\(result.error)")
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: files.file(name)))
    }

    private func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: files.file(name))))
    }

    /// Texts and noise, so that blocks of every kind occur.
    private func sample(_ count: Int) -> [UInt8] {
        var random = SeededRandom(UInt64(count))
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                bytes += [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: 900)
            case 1: bytes += Array("the same words again and again ".utf8)
            case 2 where bytes.count > 40_000: bytes += bytes[..<33_000]
            default:
                for _ in 0..<Int.random(in: 1...20_000, using: &random) {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                }
            }
        }
        return Array(bytes.prefix(count))
    }

    @Test(arguments: [0, 1, 10, 1_000, 70_000, 400_000], ["-1", "-6", "-9"])
    func `what gzip packed is unpacked`(count: Int, level: String) throws {
        let whole = sample(count)
        try write(whole, to: "file")
        try run("gzip", ["-k", level, "file"])
        #expect(try GeoArchive.unzipped(read("file.gz")) == whole)
    }

    @Test func `several members are one file`() throws {
        try write([1, 2, 3], to: "a")
        try write([4, 5], to: "b")
        try run("gzip", ["a", "b"])
        #expect(try GeoArchive.unzipped(read("a.gz") + read("b.gz")) == [1, 2, 3, 4, 5])
    }

    @Test func `a location file is found however it was packed`() throws {
        let whole = MaxMindWriter.cities.bytes()
        try FileManager.default.createDirectory(
            atPath: files.file("GeoLite2-City_20261117"), withIntermediateDirectories: false)
        try write(whole, to: "GeoLite2-City_20261117/GeoLite2-City.mmdb")
        try write(Array("a licence".utf8), to: "GeoLite2-City_20261117/COPYRIGHT.txt")
        try run("tar", ["-czf", "a.tar.gz", "GeoLite2-City_20261117"])
        try run("tar", ["-cf", "a.tar", "GeoLite2-City_20261117"])
        try run("gzip", ["-k", "GeoLite2-City_20261117/GeoLite2-City.mmdb"])
        for name in ["a.tar.gz", "a.tar", "GeoLite2-City_20261117/GeoLite2-City.mmdb.gz"] {
            #expect(try GeoArchive.database(in: read(name)) == whole, "\(name)")
        }
        #expect(try GeoArchive.database(in: whole) == whole)
        try run("tar", ["-czf", "b.tar.gz", "GeoLite2-City_20261117/COPYRIGHT.txt"])
        #expect(throws: GeoError("the archive has no .mmdb file")) {
            try GeoArchive.database(in: read("b.tar.gz"))
        }
    }

    @Test func `an archive cut off anywhere is refused`() throws {
        try write(sample(3_000), to: "file")
        try run("gzip", ["file"])
        let whole = try read("file.gz")
        for count in 2..<whole.count {
            #expect(throws: GeoError.self, "\(count)") {
                try GeoArchive.unzipped(Array(whole[..<count]))
            }
        }
    }

    @Test(arguments: 1...20) func `a damaged archive makes nothing trap`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        try write(sample(2_000) + [UInt8](repeating: 7, count: 3_000), to: "file")
        try run("gzip", ["file"])
        let whole = try read("file.gz")
        for _ in 0..<60 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let end = Bool.random(using: &random) ? bytes.count : 60
                bytes[Int.random(in: 0..<end, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            // Nil: it is refused. A name in the header may change and harm nothing.
            if let output = try? GeoArchive.unzipped(bytes) {
                #expect(output.count == 5_000)
            }
        }
    }

    @Test func `an archive that grows without end is refused`() throws {
        var inflate: [UInt8] = []
        // One fixed block: a zero, then copies of 258 zeros.
        try write([UInt8](repeating: 0, count: 1_000_000), to: "file")
        try run("gzip", ["file"])
        inflate = try read("file.gz")
        let result = inflate.withUnsafeBytes { input -> Bool in
            var inflate = Inflate(input, from: 15, expected: .max, outputMax: 999_999)
            do throws(GeoError) {
                _ = try inflate.run()
                return false
            } catch {
                return error == .tooLarge
            }
        }
        #expect(result)
    }
}
