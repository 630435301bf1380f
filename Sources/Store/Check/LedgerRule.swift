/// One thing that always holds in a ledger, as a query for the rows where it doesn't.
struct LedgerRule: Sendable {
    let name: String
    /// The schema's version that has what is asked.
    var since: Int64 = 1
    /// Selects the ID of each row that breaks the rule; takes a LIMIT.
    let sql: String
    let message: @Sendable (String) -> String

    static let all = [
        LedgerRule(
            name: "every conversion has its revisions, counted from 1",
            sql: """
                SELECT id FROM conversion LEFT JOIN (
                    SELECT conversion_id, count(*) AS amount, min(number) AS low,
                        max(number) AS high
                    FROM conversion_revision GROUP BY conversion_id
                ) AS known ON conversion_id = id
                WHERE ifnull(amount, 0) <> revision OR low <> 1 OR high <> revision
                """,
            message: { "the revisions of conversion \($0) are not 1 to its newest" }),
        LedgerRule(
            name: "every conversion is as its newest revision says",
            sql: """
                SELECT id FROM conversion AS c JOIN conversion_revision AS r
                    ON r.conversion_id = c.id AND r.number = c.revision
                WHERE r.status <> c.status OR r.payout_nanos <> c.payout_nanos
                    OR r.currency <> c.currency
                """,
            message: { "conversion \($0) differs from its newest revision" }),
        LedgerRule(
            name: "what counts towards limits is what the conversions come to", since: 3,
            sql: """
                WITH counted AS (
                    SELECT offer_id, campaign_id, currency, payout_nanos / 1000000000 AS units,
                        payout_nanos % 1000000000 AS nanos,
                        (converted_at_us - (converted_at_us % 86400000000 + 86400000000)
                            % 86400000000) / 86400000000 AS day
                    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved'))
                SELECT scope || ' ' || entity_id || ' in ' || currency || iif(day =
                    \(LedgerTransaction.allDays), '', ' on ' || date(day * 86400, 'unixepoch'))
                FROM (
                    SELECT 'offer' AS scope, offer_id AS entity_id, day, currency,
                        1 AS conversions, units, nanos FROM counted
                    UNION ALL
                    SELECT 'offer', offer_id, \(LedgerTransaction.allDays), currency, 1, units,
                        nanos FROM counted
                    UNION ALL
                    SELECT 'campaign', campaign_id, day, currency, 1, units, nanos FROM counted
                    UNION ALL
                    SELECT 'campaign', campaign_id, \(LedgerTransaction.allDays), currency, 1,
                        units, nanos FROM counted
                    UNION ALL
                    SELECT scope, entity_id, day, currency, -conversions, -payout_units,
                        -payout_nanos
                    FROM conversion_total)
                GROUP BY scope, entity_id, day, currency
                HAVING sum(conversions) <> 0 OR sum(units) <> 0 OR sum(nanos) <> 0
                """,
            message: { "the sums of \($0) are not those of its conversions" }),
        LedgerRule(
            name: "sums of ways are those of the conversions", since: 16,
            sql: """
                SELECT campaign_id || ' on path ' || path || ' in ' || currency FROM (
                    SELECT (converted_at_us - (converted_at_us % 900000000 + 900000000)
                            % 900000000) / 900000000 AS slot,
                        campaign_id, ifnull(flow_version, 0) AS flow_version,
                        ifnull(rule, 0) AS rule, path, offer_id, currency, 1 AS conversions,
                        payout_nanos / 1000000000 AS units, payout_nanos % 1000000000 AS nanos
                    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved')
                    UNION ALL
                    SELECT slot, campaign_id, flow_version, rule, path, offer_id, currency,
                        -conversions, -payout_units, -payout_nanos
                    FROM conversion_way)
                GROUP BY slot, campaign_id, flow_version, rule, path, offer_id, currency
                HAVING sum(conversions) <> 0 OR sum(units) <> 0 OR sum(nanos) <> 0
                """,
            message: { "the sums of campaign \($0) are not those of its conversions" }),
        LedgerRule(
            name: "every revision has the call that made it",
            sql: """
                SELECT conversion_id FROM conversion_revision AS r WHERE NOT EXISTS (
                    SELECT 1 FROM postback
                    WHERE postback.id = r.postback_id AND postback.conversion_id = r.conversion_id)
                """,
            message: { "the call that made a revision of conversion \($0) is missing" }),
        LedgerRule(
            name: "every delivery tells of a revision",
            sql: """
                SELECT id FROM delivery AS d WHERE NOT EXISTS (
                    SELECT 1 FROM conversion_revision AS r
                    WHERE r.conversion_id = d.conversion_id AND r.number = d.revision)
                """,
            message: { "delivery \($0) tells of a revision that does not exist" }),
        LedgerRule(
            name: "every accepted call has its conversion",
            sql: """
                SELECT id FROM postback
                WHERE verdict IN ('accepted', 'updated') AND conversion_id IS NULL
                """,
            message: { "postback \($0) was accepted and has no conversion" }),
        LedgerRule(
            name: "every accepted call made a revision",
            sql: """
                SELECT id FROM postback AS p
                WHERE verdict IN ('accepted', 'updated') AND conversion_id IS NOT NULL
                    AND NOT EXISTS (
                        SELECT 1 FROM conversion_revision AS r
                        WHERE r.conversion_id = p.conversion_id AND r.postback_id = p.id)
                """,
            message: { "postback \($0) was accepted and made no revision of its conversion" }),
        LedgerRule(
            name: "what waits for its click is a parked call", since: 2,
            sql: """
                SELECT postback_id FROM parked LEFT JOIN postback AS p ON p.id = postback_id
                WHERE p.id IS NULL OR p.verdict <> 'parked'
                    OR p.click_row_id IS NOT parked.click_row_id
                """,
            message: { "postback \($0) waits for a click, and is no parked call of that click" }),
        LedgerRule(
            name: "every delivery has its attempts, counted from 1",
            sql: """
                SELECT id FROM delivery LEFT JOIN (
                    SELECT delivery_id, count(*) AS amount, min(number) AS low,
                        max(number) AS high
                    FROM attempt GROUP BY delivery_id
                ) ON delivery_id = id
                WHERE ifnull(amount, 0) <> attempt_count OR low <> 1 OR high <> attempt_count
                """,
            message: { "the attempts of delivery \($0) are not 1 to its newest" }),
        LedgerRule(
            name: "what was delivered was attempted",
            sql: "SELECT id FROM delivery WHERE state = 'delivered' AND attempt_count = 0",
            message: { "delivery \($0) was delivered without an attempt" }),
        LedgerRule(
            name: "sums of deliveries are those of the deliveries", since: 6,
            sql: """
                SELECT destination FROM (
                    SELECT destination, state = 'waiting' AS waiting,
                        state = 'delivered' AS delivered, state = 'dead' AS dead,
                        state = 'cancelled' AS cancelled
                    FROM delivery
                    UNION ALL
                    SELECT destination, -waiting, -delivered, -dead, -cancelled
                    FROM delivery_total)
                GROUP BY destination
                HAVING sum(waiting) <> 0 OR sum(delivered) <> 0 OR sum(dead) <> 0
                    OR sum(cancelled) <> 0
                """,
            message: { "the sums of destination \($0) are not those of its deliveries" }),
        LedgerRule(
            name: "what conversions refer to is there",
            sql: """
                SELECT id FROM conversion
                WHERE campaign_id NOT IN (SELECT id FROM campaign)
                    OR source_id NOT IN (SELECT id FROM source)
                    OR network_id NOT IN (SELECT id FROM network)
                    OR offer_id NOT IN (SELECT id FROM offer)
                    OR offer_version <> 0 AND offer_version NOT IN (SELECT id FROM offer_version)
                """,
            message: {
                "the campaign, source, network, offer or wording of conversion \($0) is missing"
            }),
        LedgerRule(
            name: "what decided about conversions is there", since: 10,
            sql: """
                SELECT id FROM conversion
                WHERE flow_version <> 0 AND flow_version NOT IN (SELECT id FROM flow_version)
                    OR lander_version <> 0
                        AND lander_version NOT IN (SELECT id FROM lander_version)
                """,
            message: { "the flow's or the lander's wording of conversion \($0) is missing" }),
        LedgerRule(
            name: "sums of days are of days that are summed", since: 15,
            sql: """
                SELECT DISTINCT date(day * 86400, 'unixepoch') FROM click_day_way
                WHERE day NOT IN (SELECT day FROM click_day)
                """,
            message: { "there are sums of the clicks of \($0), which is not noted as summed" }),
        LedgerRule(
            name: "how long deliveries took is counted once of each", since: 6,
            // The migration counted what it found by this rule, and older days are forgotten now
            // and then: those within as many days of the newest attempt must be there, others may.
            sql: """
                SELECT DISTINCT destination || ' took on ' || date(day * 86400, 'unixepoch') FROM (
                    SELECT day, destination, lower_us, deliveries, 0 AS due, 0 AS possible
                    FROM delivery_latency
                    UNION ALL
                    SELECT at_us / 86400000000, destination,
                        (SELECT max(lower_us) FROM latency_class WHERE lower_us
                            <= max(0, at_us + milliseconds * 1000 - converted_at_us)),
                        0, at_us >= (SELECT max(at_us) FROM attempt)
                            - \(LedgerReader.latencyDaysMax) * 86400000000, 1
                    FROM delivery JOIN attempt
                        ON delivery_id = delivery.id AND number = attempt_count
                    WHERE state = 'delivered')
                GROUP BY day, destination, lower_us
                HAVING sum(deliveries) NOT BETWEEN sum(due) AND sum(possible)
                """,
            message: { "the times that \($0) are not those of its deliveries" }),
        LedgerRule(
            name: "what late lander clicks refer to is there", since: 13,
            sql: """
                SELECT id FROM late_lander_click
                WHERE click_id < 0 OR id < 0 OR campaign_id NOT IN (SELECT id FROM campaign)
                    OR offer_version <> 0 AND offer_version NOT IN (SELECT id FROM offer_version)
                """,
            message: {
                "what late lander click \($0) refers to is missing: its click, campaign or wording"
            }),
        LedgerRule(
            name: "a click is gone on from for the first time once", since: 13,
            sql: """
                SELECT click_id FROM late_lander_click
                GROUP BY click_id HAVING sum(is_first) > 1 OR min(is_first) < 0
                """,
            message: { "click \($0) was gone on from for the first time more than once" }),
        LedgerRule(
            name: "cost layers are noted with clicks of their own days", since: 11,
            sql: """
                SELECT DISTINCT layer_id FROM cost_layer_day JOIN cost_layer ON id = layer_id
                WHERE clicks < 0 OR day NOT BETWEEN from_quarter / 96 AND (to_quarter - 1) / 96
                """,
            message: {
                "cost layer \($0) is noted with clicks of a day that it is not about, or with "
                    + "less than none"
            }),
        LedgerRule(
            name: "exchange rates are of days", since: 4,
            sql: """
                SELECT currency || ' to ' || reporting_currency FROM exchange_rate
                WHERE day NOT BETWEEN \(Int32.min) AND \(Int32.max)
                """,
            message: { "a rate of \($0) is of no day" }),
        LedgerRule(
            name: "every network can be reported to",
            sql: """
                SELECT network.key FROM network
                    LEFT JOIN postback_key ON network_id = network.id
                GROUP BY network.id
                HAVING count(network_id) NOT BETWEEN 1 AND \(LedgerTransaction.postbackKeysMax)
                """,
            message: {
                "network \($0) has no postback key, or more than "
                    + "\(LedgerTransaction.postbackKeysMax)"
            }),
        LedgerRule(
            name: "postback keys can stand in a path",
            sql: """
                SELECT network.key FROM postback_key JOIN network ON network.id = network_id
                WHERE postback_key.key = '' OR postback_key.key GLOB '*[^a-z0-9_-]*'
                """,
            message: { "a postback key of network \($0) can't stand in a URL" }),
        LedgerRule(
            name: "tokens are kept by their SHA-256",
            sql: "SELECT id FROM api_token WHERE length(token_sha256) <> 32",
            message: { "of API token \($0) no SHA-256 is kept, so that nobody can use it" }),
        LedgerRule(
            name: "clicks can be told from inventions",
            sql: """
                SELECT id FROM conversion WHERE NOT EXISTS (SELECT 1 FROM click_key)
                """,
            message: { "conversion \($0) has a click, but there is no click ID key" }),
    ]
}
