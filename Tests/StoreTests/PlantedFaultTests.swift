import Domain
import Foundation
import SQLite
import Store
import TestSupport
import Testing

/// Each thing that always holds, broken by hand once: `check` says which.
@Suite struct PlantedFaultTests {
    struct Plant: Sendable, CustomTestStringConvertible {
        let sql: String
        /// Of the fault's message.
        let words: String
        var isOfDay = false

        var testDescription: String { sql }
    }

    static let ofLedger = [
        Plant(sql: "DELETE FROM conversion_revision WHERE number = 1", words: "revisions"),
        Plant(sql: "UPDATE conversion SET revision = 3", words: "revisions"),
        Plant(sql: "UPDATE conversion SET status = 'pending'", words: "newest revision"),
        Plant(sql: "UPDATE conversion SET payout_nanos = 1", words: "newest revision"),
        Plant(
            sql: "UPDATE conversion_total SET conversions = 2 WHERE day < 0",
            words: "the sums of offer 1 in USD"),
        Plant(
            sql: "UPDATE conversion_total SET payout_nanos = 0 WHERE day > 0",
            words: "the sums of campaign 1 in USD on 2026-11-20"),
        Plant(
            sql: "DELETE FROM conversion_total WHERE scope = 'campaign'",
            words: "the sums of campaign 1 in USD"),
        Plant(sql: "UPDATE conversion_way SET slot = slot - 1", words: "campaign 1 on path 1"),
        Plant(sql: "UPDATE conversion_way SET flow_version = 0", words: "campaign 1 on path 1"),
        Plant(sql: "UPDATE conversion_way SET payout_units = 2", words: "campaign 1 on path 1"),
        Plant(sql: "DELETE FROM postback WHERE id = 2", words: "the call that made a revision"),
        Plant(
            sql: "UPDATE postback SET conversion_id = NULL WHERE id = 2",
            words: "accepted and has no conversion"),
        Plant(
            sql: "UPDATE conversion_revision SET postback_id = 1 WHERE number = 2",
            words: "made no revision"),
        Plant(sql: "DELETE FROM postback WHERE id = 3", words: "postback 3 waits"),
        Plant(
            sql: "UPDATE postback SET verdict = 'duplicate' WHERE id = 3",
            words: "postback 3 waits"),
        Plant(sql: "UPDATE parked SET click_row_id = 6", words: "postback 3 waits"),
        Plant(sql: "UPDATE delivery SET revision = 9", words: "tells of a revision"),
        Plant(sql: "DELETE FROM conversion", words: "row 1 of delivery"),
        Plant(sql: "DELETE FROM attempt WHERE number = 1", words: "the attempts of delivery 1"),
        Plant(sql: "UPDATE delivery SET attempt_count = 3", words: "the attempts of delivery 1"),
        Plant(
            sql: "DELETE FROM attempt; UPDATE delivery SET attempt_count = 0",
            words: "delivered without an attempt"),
        Plant(
            sql: "UPDATE delivery_total SET delivered = 0, waiting = 1",
            words: "destination s/main"),
        Plant(sql: "DELETE FROM delivery_total", words: "destination s/main"),
        Plant(sql: "DELETE FROM click_key", words: "no click ID key"),
        Plant(sql: "UPDATE conversion SET source_id = 9", words: "of conversion 1 is missing"),
        Plant(sql: "UPDATE conversion SET offer_version = 9", words: "of conversion 1 is missing"),
        Plant(sql: "UPDATE conversion SET lander_version = 9", words: "wording of conversion 1"),
        Plant(sql: "DELETE FROM flow_version", words: "flow_version 1, which is missing"),
        Plant(sql: "DELETE FROM offer_version", words: "offer_version 1, which is missing"),
        Plant(sql: "DELETE FROM lander_version", words: "lander_version 1, which is missing"),
        Plant(sql: "DELETE FROM campaign", words: "campaign 1, which is missing"),
        Plant(sql: "UPDATE conversion SET external_id = x'42'", words: "differs from its click"),
        Plant(
            sql: "UPDATE conversion SET click_row_id = click_row_id + 1",
            words: "the click of conversion 1 is missing"),
        Plant(sql: "UPDATE click_day_way SET clicks = 2", words: "fewer clicks than were summed"),
        Plant(sql: "DELETE FROM click_day", words: "not noted as summed"),
        Plant(
            sql: "UPDATE late_lander_click SET campaign_id = 9",
            words: "what late lander click"),
        Plant(
            sql: "UPDATE late_lander_click SET offer_version = 9",
            words: "what late lander click"),
        Plant(
            sql: "UPDATE late_lander_click SET click_id = -1",
            words: "what late lander click"),
        Plant(
            sql: "UPDATE late_lander_click SET click_id = click_id + 1",
            words: "clicks of 1 late lander clicks"),
        Plant(
            sql: """
                INSERT INTO campaign VALUES (2, 'd', '{}', 0, 0, NULL);
                UPDATE late_lander_click SET campaign_id = 2
                """, words: "clicks of 1 late lander clicks"),
        Plant(
            sql: """
                INSERT INTO late_lander_click
                    SELECT click_id, id + 1, 1, 1, 1, 1 FROM late_lander_click;
                UPDATE late_lander_click SET is_first = 1
                """, words: "for the first time more than once"),
        Plant(
            sql: "UPDATE late_lander_click SET is_first = 2",
            words: "for the first time more than once"),
        Plant(sql: "DELETE FROM delivery_latency", words: "times that s/main took on 1970-01-01"),
        Plant(
            sql: "UPDATE delivery_latency SET deliveries = 2",
            words: "times that s/main took on 1970-01-01"),
        Plant(
            sql: "UPDATE delivery_latency SET lower_us = 0",
            words: "times that s/main took on 1970-01-01"),
        Plant(
            sql: "UPDATE delivery_latency SET day = 1",
            words: "times that s/main took on 1970-01-02"),
        Plant(sql: "DELETE FROM cost_layer", words: "of cost_layer_day"),
        Plant(sql: "UPDATE cost_layer SET campaign_id = 9", words: "row 1 of cost_layer"),
        Plant(sql: "UPDATE cost_layer SET document = '{'", words: "cost layer 1 can't be read"),
        Plant(
            sql: "UPDATE cost_layer SET document = replace(document, 'cpc', 'cpx')",
            words: "cost layer 1 can't be read"),
        Plant(
            sql: "UPDATE cost_layer SET document = replace(document, '\"c\"', '\"d\"')",
            words: "cost layer 1 of campaign c names d"),
        Plant(sql: "UPDATE cost_layer_day SET day = day + 1", words: "layer 1 is noted with"),
        Plant(sql: "UPDATE cost_layer_day SET day = day - 1", words: "layer 1 is noted with"),
        Plant(sql: "UPDATE cost_layer_day SET clicks = -1", words: "layer 1 is noted with"),
        Plant(
            sql: "UPDATE cost_layer_day SET clicks = 2",
            words: "cost layer 1, fewer than the 2"),
        Plant(sql: "UPDATE setting SET value = 'usd'", words: "\"usd\", which is no currency"),
        Plant(
            sql: "UPDATE exchange_rate SET reporting_currency = 'US'",
            words: "\"US\", which is no currency"),
        Plant(
            sql: "UPDATE exchange_rate SET currency = 'QQQ'",
            words: "\"QQQ\", which is no currency"),
        Plant(sql: "UPDATE exchange_rate SET day = 1 << 40", words: "rate of EUR"),
        Plant(sql: "DELETE FROM postback_key", words: "network n has no postback key"),
        Plant(
            sql: "INSERT INTO postback_key VALUES ('k2', 1, 0), ('k3', 1, 0)",
            words: "network n has no postback key, or more"),
        Plant(sql: "UPDATE postback_key SET network_id = 9", words: "of postback_key"),
        Plant(sql: "UPDATE postback_key SET key = 'a/b'", words: "key of network n can't"),
        Plant(sql: "UPDATE postback_key SET key = ''", words: "key of network n can't"),
        Plant(sql: "UPDATE api_token SET token_sha256 = x'00'", words: "API token 1"),
        Plant(sql: "UPDATE offer SET document = '{'", words: "offer o is not JSON"),
        Plant(sql: "UPDATE domain SET key = 'x'; UPDATE source SET key = 'x'", words: "that of s"),
        Plant(sql: "DROP INDEX conversion_external", words: "conversion_external is missing"),
        Plant(sql: "DROP TRIGGER delivery_moved", words: "delivery_moved is missing"),
        Plant(sql: "DROP TABLE pause", words: "pause is missing"),
        Plant(sql: "CREATE TABLE mine (a)", words: "mine is none of ours"),
        Plant(
            sql: """
                UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'pause'
                """, words: "pause is not as it was made"),
        Plant(sql: "PRAGMA user_version = 9999", words: "schema version 9999"),
        Plant(sql: "PRAGMA application_id = 5", words: "another program"),
    ]

    static let ofDay = [
        Plant(sql: "DELETE FROM click", words: "the click of conversion 1 is missing"),
        Plant(sql: "DELETE FROM click", words: "clicks of 1 lander clicks"),
        Plant(sql: "UPDATE click SET id = id + (86400000 << 22)", words: "belongs to 2026-11-21"),
        Plant(sql: "UPDATE click SET id = -1", words: "no click's row ID"),
        Plant(sql: "UPDATE click SET external_id = NULL", words: "differs from its click"),
        Plant(sql: "UPDATE click SET campaign_id = 2", words: "campaign 2, which is missing"),
        Plant(sql: "UPDATE click SET flow_version = 5", words: "flow_version 5"),
        Plant(sql: "UPDATE click SET lander_version = 5", words: "lander_version 5"),
        Plant(sql: "UPDATE click SET offer_version = 5", words: "offer_version 5"),
        Plant(sql: "UPDATE lander_click SET offer_version = 5", words: "offer_version 5"),
        Plant(sql: "UPDATE lander_click SET campaign_id = 2", words: "clicks of 1 lander clicks"),
        Plant(sql: "UPDATE click SET cost_nanos = 1", words: "or their costs or bots differ"),
        Plant(sql: "UPDATE click_total SET clicks = 2", words: "a sum of 2"),
        Plant(sql: "UPDATE click_total SET bots = 1", words: "or their costs or bots differ"),
        Plant(sql: "UPDATE click_way SET clicks = 2", words: "caps of campaign 1"),
        Plant(sql: "UPDATE click_way SET rule = 2", words: "caps of campaign 1"),
        Plant(sql: "DELETE FROM click_way", words: "caps of campaign 1"),
        Plant(sql: "UPDATE lander_total SET passed = 0", words: "campaign 1's landers"),
        Plant(sql: "DELETE FROM lander_click", words: "what came before 1 late lander click"),
        Plant(
            sql: "DELETE FROM click_total", words: "cost layer 1, fewer than the 1"),
        Plant(sql: "DELETE FROM text", words: "the user_agent of 1 clicks"),
        Plant(sql: "DROP INDEX text_hash", words: "text_hash is missing"),
        Plant(sql: "PRAGMA user_version = 9999", words: "schema version 9999"),
    ].map { Plant(sql: $0.sql, words: $0.words, isOfDay: true) }

    @Test func `a directory with one of everything is sound`() throws {
        #expect(try SoundDirectory().faults == [])
    }

    @Test(arguments: ofLedger + ofDay) func `what is broken by hand is found`(_ plant: Plant)
        throws
    {
        let sound = try SoundDirectory()
        try sound.change(
            plant.isOfDay ? sound.data.clickFilePath(sound.day) : sound.data.ledgerPath, plant.sql)
        let faults = sound.faults
        #expect(faults.contains { $0.contains(plant.words) }, "\(faults)")
    }

    @Test func `an empty day is found where it had clicks, and not where it was just being made`()
        throws
    {
        let sound = try SoundDirectory()
        let next = sound.data.clickFilePath(sound.day.advanced(by: 1))
        try Data().write(to: URL(fileURLWithPath: next))
        #expect(sound.faults == [])
        let path = sound.data.clickFilePath(sound.day)
        try FileManager.default.removeItem(atPath: path)
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(
            sound.faults == ["clicks/2026-11-20.db: is empty, though there were clicks in it"])
    }

    @Test func `a day that is missing between others is found, and the oldest may be gone`() throws
    {
        let sound = try SoundDirectory()
        let path = sound.data.clickFilePath(sound.day)
        let before = sound.data.clickFilePath(sound.day.advanced(by: -1))
        try FileManager.default.copyItem(atPath: path, toPath: before)
        try sound.change(
            before,
            "DELETE FROM click; DELETE FROM click_total; DELETE FROM click_way;"
                + "DELETE FROM lander_click; DELETE FROM lander_total")
        #expect(sound.faults == [])
        try FileManager.default.removeItem(atPath: path)
        #expect(
            sound.faults == [
                "clicks/2026-11-20.db: is missing, though there are days before it"
            ])
        try FileManager.default.removeItem(atPath: before)
        #expect(sound.faults == [], "as retention does")
    }

    @Test func `a day's file under another day's name is found`() throws {
        let sound = try SoundDirectory()
        try FileManager.default.moveItem(
            atPath: sound.data.clickFilePath(sound.day),
            toPath: sound.data.clickFilePath(sound.day.advanced(by: 1)))
        #expect(sound.faults.contains { $0.contains("2026-11-21.db: click") })
    }

    @Test(arguments: 0..<8) func `a page of nonsense is found`(page: Int) throws {
        let sound = try SoundDirectory()
        for path in [sound.data.ledgerPath, sound.data.clickFilePath(sound.day)] {
            // The log is not what is to be damaged.
            try sound.change(path, "PRAGMA journal_mode = DELETE")
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            defer { try? file.close() }  // nothing is buffered
            let pages = try file.seekToEnd() / 4096
            try file.seek(toOffset: UInt64(page) % pages * 4096)
            try file.write(contentsOf: Data(repeating: 0xa5, count: 4096))
        }
        let faults = sound.faults
        #expect(faults.contains { $0.hasPrefix("clickrelay.db: ") }, "\(faults)")
        #expect(faults.contains { $0.hasPrefix("clicks/") }, "\(faults)")
    }

    @Test func `a file that ends too early is found`() throws {
        let sound = try SoundDirectory()
        for path in [sound.data.ledgerPath, sound.data.clickFilePath(sound.day)] {
            try sound.change(path, "PRAGMA journal_mode = DELETE")
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.truncate(atOffset: try file.seekToEnd() - 4096)
            try file.close()
        }
        #expect(Set(sound.faults.map { $0.prefix(7) }) == ["clickre", "clicks/"])
    }
}
