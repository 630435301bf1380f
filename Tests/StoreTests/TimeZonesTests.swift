import Domain
import Store
import TestSupport
import Testing

@Suite struct TimeZonesTests {
    private func message(_ zones: TimeZones, _ name: String) -> String? {
        #expect(throws: TimeZoneError.self) { try zones.rules(name) }?.message
    }

    @Test func `documents find the system's zones by name`() throws {
        TimeZoneRules.useSource(TimeZones.system)
        let winter = try #require(Instant(rfc3339: "2026-12-01T00:00:00Z"))
        #expect(try TimeZoneRules(name: "UTC") == .utc)
        #expect(try TimeZoneRules(name: "+05:45").offset(at: winter) == 20_700)
        #expect(try TimeZoneRules(name: "Europe/Berlin").offset(at: winter) == 3_600)
        #expect(try TimeZoneRules(name: "America/New_York").name == "America/New_York")
        #expect(try TimeZoneRules(name: "Asia/Tokyo") == TimeZones.system.rules("Asia/Tokyo"))
    }

    @Test func `a zone that is not there is refused with the one that was meant`() throws {
        let unknown = "is not a time zone that this machine knows"
        for (text, meant) in [
            ("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"),
            ("Tokyo", "Asia/Tokyo"), ("America/NewYork", "America/New_York"),
        ] {
            #expect(message(.system, text) == unknown + "; did you mean \"\(meant)\"?", "\(text)")
        }
        #expect(message(.system, "Atlantis/Capital") == unknown)
        #expect(message(.system, "Europe") == unknown + "")
    }

    @Test func `no text leaves the directory`() throws {
        TimeZoneRules.useSource(TimeZones.system)
        for text in ["../secret", "/etc/passwd", "..", "Europe/../../secret", "zone.tab", ""] {
            #expect(throws: TimeZoneError(TimeZoneRules.rule), "\(text)") {
                try TimeZoneRules(name: text)
            }
        }
    }

    @Test func `without the system's files it says so`() throws {
        let files = try TemporaryDirectory()
        let zones = TimeZones(directory: files.file("zoneinfo"))
        #expect(message(zones, "Europe/Berlin")?.contains("has no time zone files") == true)
        let empty = TimeZones(directory: files.path)
        #expect(
            message(empty, "Europe/Berlin") == "is not a time zone that this machine knows")
    }
}
