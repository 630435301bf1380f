import Domain
import Foundation
import TestSupport
import Testing
import Visitors

@Suite struct GeoDirectoryTests {
    private let files: TemporaryDirectory
    private let directory: GeoDirectory

    init() throws {
        files = try TemporaryDirectory()
        directory = GeoDirectory(path: files.path)
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        // In place, as `cp` does: whoever has it mapped sees it change.
        try Data(bytes).write(to: URL(fileURLWithPath: files.file(name)))
    }

    private func place(_ address: String) throws -> Place {
        directory.places.place(of: try #require(IPAddress(address)))
    }

    @Test func `without files nothing is known`() throws {
        #expect(directory.load(checks: false).isEmpty && directory.places.isEmpty)
        #expect(try place("203.0.113.9") == .unknown)
        #expect(GeoDirectory(path: files.file("absent")).load(checks: false).isEmpty)
    }

    @Test func `several files tell of one address`() throws {
        try write(MaxMindWriter.cities.bytes(), to: "city.mmdb")
        try write(MaxMindWriter.systems.bytes(), to: "asn.mmdb")
        try write([1, 2, 3], to: "readme.txt")
        let loaded = directory.load(checks: true)
        #expect(loaded.map(\.name) == ["asn.mmdb", "city.mmdb"])
        #expect(loaded.allSatisfy { $0.isInUse && $0.problem == nil && $0.byteCount > 0 })
        let place = try place("198.51.100.4")
        #expect(place.country == "US" && place.city == "Los Angeles" && place.asn == 64_511)
        #expect(place.isp == "Documentation Broadband, Inc")
        #expect(try self.place("198.51.0.1").country == "")
        #expect(try self.place("198.51.0.1").asn == 64_511)
    }

    @Test func `of one type the newest is used`() throws {
        var old = MaxMindWriter.cities
        old.add("203.0.113.0/24", MaxMindWriter.city("FR"))
        old.builtAt -= 86_400
        try write(old.bytes(), to: "a-old.mmdb")
        try write(MaxMindWriter.cities.bytes(), to: "b-new.mmdb")
        let loaded = directory.load(checks: false)
        #expect(loaded.map(\.isInUse) == [false, true])
        #expect(loaded[0].problem == "b-new.mmdb is a newer GeoLite2-City")
        #expect(try place("203.0.113.9").country == "DE")
    }

    @Test func `a file that is broken keeps the one before in use`() throws {
        try write(MaxMindWriter.cities.bytes(), to: "city.mmdb")
        directory.load(checks: true)
        let generation = directory.generation
        let whole = MaxMindWriter.cities.bytes()
        // While it is mapped, and with everything of it gone.
        try write([], to: "city.mmdb")
        #expect(try place("203.0.113.9").country == "DE")
        for bytes in [[], Array(whole[..<(whole.count / 2)])] {
            try write(bytes, to: "city.mmdb")
            let file = try #require(directory.load(checks: true).first)
            #expect(file.isInUse && file.type == "GeoLite2-City")
            #expect(file.problem?.hasSuffix("; the version before stays in use") == true)
            #expect(try place("203.0.113.9").country == "DE")
        }
        var new = MaxMindWriter.cities
        new.add("203.0.113.0/24", MaxMindWriter.city("FR"))
        try write(new.bytes(), to: "city.mmdb")
        #expect(directory.load(checks: true).first?.problem == nil)
        #expect(try place("203.0.113.9").country == "FR")
        try FileManager.default.removeItem(atPath: files.file("city.mmdb"))
        #expect(directory.load(checks: true).isEmpty)
        #expect(try place("203.0.113.9") == .unknown)
        #expect(directory.generation == generation + 4)
    }

    @Test func `a directory that can't be listed keeps what was loaded in use`() throws {
        try write(MaxMindWriter.cities.bytes(), to: "city.mmdb")
        directory.load(checks: true)
        let (path, aside) = (files.path, files.path + ".aside")
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        defer {
            try? FileManager.default.removeItem(atPath: path)
            try? FileManager.default.moveItem(atPath: aside, toPath: path)
        }
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try #require(directory.load(checks: true).first)
        #expect(file.name == "city.mmdb" && file.isInUse)
        #expect(
            file.problem
                == "cannot list \(path): Not a directory; the version before stays in use")
        #expect(try place("203.0.113.9").country == "DE")
        let other = GeoDirectory(path: path)
        #expect(other.load(checks: true).map(\.isInUse) == [false] && other.places.isEmpty)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: aside, toPath: path)
        #expect(directory.load(checks: true).map(\.problem) == [nil])
        #expect(other.load(checks: true).map(\.name) == ["city.mmdb"])
    }

    @Test func `at the start a broken file is told and not used`() throws {
        try write(Array("no such file".utf8), to: "city.mmdb")
        let file = try #require(directory.load(checks: false).first)
        #expect(!file.isInUse && file.type.isEmpty)
        #expect(file.problem == "the file is no MaxMind DB file, or its end is missing")
        #expect(directory.places.isEmpty)
    }

    @Test func `damage that look-ups meet is told`() throws {
        var bytes = MaxMindWriter.cities.bytes()
        let text = Array("iso_code".utf8)
        let index = try #require((0..<bytes.count).first { bytes[$0...].starts(with: text) })
        bytes[index - 1] = 0xFF
        try write(bytes, to: "city.mmdb")
        #expect(directory.load(checks: false).first?.problem == nil)
        for _ in 0..<3 { _ = try place("203.0.113.9") }
        #expect(
            directory.files.first?.problem
                == "the file is damaged: 3 look-ups found a record that can't be read")
        #expect(GeoDirectory(path: files.path).load(checks: true).first?.isInUse == false)
    }

    @Test func `what is installed takes its type's name, and broken files nobody's place`() throws {
        let installer = GeoInstaller(directory: files.path)
        #expect(
            try installer.install(bytes: MaxMindWriter.cities.bytes()).name == "GeoLite2-City.mmdb")
        var odd = MaxMindWriter.systems
        odd.type = "../Odd name (ISP)"
        try write(odd.bytes(), to: "source")
        #expect(try installer.install(file: files.file("source")).name == "---Odd-name--ISP-.mmdb")
        #expect(directory.load(checks: false).map(\.isInUse) == [true, true])
        let whole = MaxMindWriter.cities.bytes()
        #expect(throws: GeoError.self) {
            try installer.install(bytes: Array(whole[..<(whole.count - 40)]))
        }
        #expect(throws: GeoError.self) { try installer.install(file: files.file("absent")) }
        #expect(throws: GeoError.self) { try installer.install(file: files.path) }
        let names = try FileManager.default.contentsOfDirectory(atPath: files.path).sorted()
        #expect(names == ["---Odd-name--ISP-.mmdb", "GeoLite2-City.mmdb", "source"])
        #expect(try place("203.0.113.9").country == "DE")
    }

    @Test func `look-ups go on while files are replaced`() throws {
        try write(MaxMindWriter.cities.bytes(), to: "city.mmdb")
        directory.load(checks: false)
        let ip = try #require(IPAddress("203.0.113.9"))
        let directory = self.directory
        let threads = (0..<2).map { _ in
            let thread = Thread {
                while !Thread.current.isCancelled {
                    #expect(directory.places.place(of: ip).country == "DE")
                }
            }
            thread.start()
            return thread
        }
        for _ in 0..<50 {
            try write(MaxMindWriter.cities.bytes(), to: "city.mmdb")
            directory.load(checks: false)
        }
        for thread in threads { thread.cancel() }
    }

    // MARK: Of visitors

    @Test func `a loop's finder tells the same as the files, also after they were replaced`() throws
    {
        let finder = PlaceFinder(directory)
        let ip = try #require(IPAddress("203.0.113.9"))
        #expect(finder.place(of: ip) === FoundPlace.nowhere)
        try write(MaxMindWriter.cities.bytes(), to: "city.mmdb")
        try write(MaxMindWriter.systems.bytes(), to: "asn.mmdb")
        directory.load(checks: true)
        #expect(finder.place(of: nil) === FoundPlace.nowhere)
        var random = SeededRandom(3)
        for _ in 0..<3_000 {
            let network: UInt32 =
                [0xCB00_7100, 0xC633_6400, 0xC000_0200, 0x0A00_0000]
                .randomElement(using: &random) ?? 0
            let ip = IPAddress(ipv4: network | UInt32.random(in: 0...255, using: &random))
            let found = finder.place(of: ip)
            #expect(found.place == directory.places.place(of: ip))
            #expect(found.packed == found.place.packed)
        }
        var new = MaxMindWriter.cities
        new.add("203.0.113.0/24", MaxMindWriter.city("FR"))
        try write(new.bytes(), to: "city.mmdb")
        #expect(finder.place(of: ip).place.country == "DE")
        directory.load(checks: true)
        #expect(finder.place(of: ip).place.country == "FR")
    }

    @Test func `texts of a file are cut and have no control characters`() throws {
        var writer = MaxMindWriter(type: "GeoIP2-ISP")
        let long = String(repeating: "é", count: 70)
        writer.add(
            "203.0.113.0/24", .map([("isp", .text("A\tB\n\u{85}C")), ("city", .text(long))]))
        try write(writer.bytes(), to: "isp.mmdb")
        directory.load(checks: true)
        let place = try place("203.0.113.1")
        #expect(place.isp == "A B  C" && place.city == String(repeating: "é", count: 50))
        #expect(place.packed.withUnsafeBytes { Place(packed: $0) } == place)
    }
}
