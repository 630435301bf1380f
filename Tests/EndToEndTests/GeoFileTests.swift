import Foundation
import TestSupport
import Testing

/// Location files as an operator brings them, looks at them and replaces them.
@Suite struct GeoFileTests {
    private func write(_ writer: MaxMindWriter, _ name: String, in files: TemporaryDirectory)
        throws -> String
    {
        try Data(writer.bytes()).write(to: URL(fileURLWithPath: files.file(name)))
        return files.file(name)
    }

    private static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let files = try TemporaryDirectory()
        try Data(bytes).write(to: URL(fileURLWithPath: files.file("f")))
        #expect(try runTool("/usr/bin/gzip", [files.file("f")]).exitCode == 0)
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: files.file("f.gz"))))
    }

    private func country(_ tracker: TrackerProcess, _ address: String = "203.0.113.9") throws
        -> JSON
    {
        try tracker.call("GET", "/geo/lookup?ip=\(address)")["country"]
    }

    @Test func `a file is installed beside a running server and used at once`() throws {
        let tracker = try TrackerProcess.start()
        #expect(try country(tracker).isNull)
        #expect(try tracker.command("geo", "list").output.isEmpty)
        let file = try write(.cities, "any name.mmdb", in: tracker.directory)
        let installed = try tracker.command("geo", "update", file)
        #expect(installed.exitCode == 0, "\(installed.error)")
        #expect(installed.error.contains("installed GeoLite2-City.mmdb"))
        #expect(try country(tracker) == "DE")
        let systems = try write(.systems, "asn.mmdb", in: tracker.directory)
        #expect(try tracker.command("geo", "update", systems).exitCode == 0)
        let found = try tracker.command(
            "geo", "lookup", "198.51.100.7", "2001:db8::1", "192.0.2.200", "--json")
        #expect(found.exitCode == 0, "\(found.error)")
        let places = try found.json
        #expect(
            places[0] == [
                "ip": "198.51.100.7", "country": "US", "region": "CA", "city": "Los Angeles",
                "isp": "Documentation Broadband, Inc", "asn": 64_511, "connection_type": .null,
            ])
        #expect(places[1]["city"] == "Paris" && places[2]["country"].isNull)
        let list = try tracker.command("geo", "list")
        #expect(list.output.contains("GeoLite2-ASN.mmdb") && list.output.contains("2026-09-"))
        #expect(try tracker.api("GET", "/geo/lookup?ip=1.2.3").status == 422)
        #expect(try tracker.command("geo", "lookup", "nowhere").exitCode == 4)
        // A start finds them again, and so does a command without a server.
        #expect(try tracker.terminate() == 0)
        #expect(try tracker.command("geo", "lookup", "203.0.113.9").output.contains("Berlin"))
        try tracker.restart()
        #expect(try country(tracker) == "DE")
    }

    @Test func `files put there by hand are used after SIGHUP, broken ones told and not used`()
        throws
    {
        let tracker = try TrackerProcess.start()
        let directory = tracker.dataDirectory + "/geo"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        let file = URL(fileURLWithPath: directory + "/city.mmdb")
        let whole = MaxMindWriter.cities.bytes()
        try Data(whole).write(to: file)
        #expect(try country(tracker).isNull)
        tracker.signal(SIGHUP)
        try eventually("Berlin is found") { try country(tracker) == "DE" }
        // In place, as `cp` writes: pages that are mapped would be gone.
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 0)
        for _ in 0..<20 { #expect(try country(tracker) == "DE") }
        try handle.write(contentsOf: Data(whole[..<(whole.count / 2)]))
        try handle.close()
        let reloaded = try tracker.command("geo", "reload")
        #expect(reloaded.exitCode == 5 && reloaded.output.contains("stays in use"))
        #expect(try country(tracker) == "DE")
        // A start finds nothing better: it starts, and says so.
        #expect(try tracker.terminate() == 0)
        try tracker.restart()
        #expect(tracker.errorText.contains("location_file_has_a_problem"))
        #expect(try country(tracker).isNull)
        #expect(try tracker.get("/readyz").status == 200)
    }

    @Test func `a broken file takes nobody's place`() throws {
        let tracker = try TrackerProcess.start()
        let good = try write(.cities, "good.mmdb", in: tracker.directory)
        #expect(try tracker.command("geo", "update", good).exitCode == 0)
        let whole = MaxMindWriter.cities.bytes()
        for (name, bytes) in [
            ("short.mmdb", Array(whole[..<(whole.count - 50)])),
            ("page.mmdb", Array("<html>".utf8)),
            ("short.mmdb.gz", Array(try Self.gzip(whole).dropLast(30))),
        ] {
            let file = tracker.directory.file(name)
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let result = try tracker.command("geo", "update", file)
            #expect(result.exitCode == 1 && result.error.contains("the "), "\(result.error)")
        }
        let absent = try tracker.command("geo", "update", "dbip-city-lit")
        #expect(absent.exitCode == 3 && absent.error.contains("did you mean dbip-city-lite?"))
        let licensed = try tracker.command("geo", "update", "GeoLite2-City")
        #expect(licensed.exitCode == 2 && licensed.error.contains("--license-file"))
        #expect(try country(tracker) == "DE")
        let names = try FileManager.default.contentsOfDirectory(
            atPath: tracker.dataDirectory + "/geo")
        #expect(names == ["GeoLite2-City.mmdb"])
    }

    @Test func `a file is downloaded, unpacked, and the licence key stays with its host`() throws {
        let packed = try Self.gzip(MaxMindWriter.cities.bytes())
        let store = try FakeTrafficSource { _, _ in .init(200, bytes: packed) }
        let maker = try FakeTrafficSource { request, _ in
            guard request.fields["authorization"] != nil else { return .status(401) }
            return .init(302, fields: ["Location": "//127.0.0.1:\(store.port)/file"])
        }
        let tracker = try TrackerProcess.start()
        let license = try tracker.directory.write("123:secret\n", to: "license")
        let url = "http://127.0.0.1:\(maker.port)/databases/download?suffix=tar.gz"
        let refused = try tracker.command("geo", "update", url)
        #expect(refused.exitCode == 4 && refused.error.contains("licence key"), "\(refused.error)")
        let open = try tracker.command(
            "geo", "update", "--license-file", license, "http://maker.example/download")
        #expect(open.exitCode == 2 && open.error.contains("over http"), "\(open.error)")
        let installed = try tracker.command("geo", "update", "--license-file", license, url)
        #expect(installed.exitCode == 0, "\(installed.error)")
        #expect(try country(tracker) == "DE")
        #expect(
            try maker.await(2)[1].fields["authorization"] == "Basic MTIzOnNlY3JldA==")
        #expect(try store.await(1)[0].fields["authorization"] == nil)
        #expect(!installed.error.contains("secret") && !tracker.errorText.contains("secret"))
    }
}
