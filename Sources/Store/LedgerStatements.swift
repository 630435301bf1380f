internal import Domain
internal import SQLite

/// What every postback and every attempt runs, compiled once.
struct LedgerStatements {
    let insertPostback: Statement
    let findConversion: Statement
    let insertConversion: Statement
    let updateConversion: Statement
    let insertRevision: Statement
    let insertDelivery: Statement
    let insertAttempt: Statement
    let acceptDelivery: Statement
    let updateDelivery: Statement
    let countAcceptances: Statement
    let conversionByID: Statement
    let addToTotals: Statement
    let addToWays: Statement
    let findTotals: Statement
    let findLateLanderClicks: Statement

    init(_ connection: Connection) throws(SQLiteError) {
        insertPostback = try connection.prepare(
            """
            INSERT INTO postback (received_at_us, network_id, click_row_id, conversion_id, verdict,
                message, sender, method, target, headers, body, replay_of)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """)
        // The newest of those that `repeat: add` made.
        findConversion = try connection.prepare(
            """
            SELECT \(ConversionRow.columns) FROM conversion
            WHERE click_row_id = ?1 AND event = ?2 AND transaction_id = ?3 AND is_test = ?4
            ORDER BY ordinal DESC LIMIT 1
            """)
        insertConversion = try connection.prepare(
            """
            INSERT INTO conversion (click_row_id, event, transaction_id, is_test, ordinal,
                campaign_id, source_id, network_id, offer_id, status, network_status, payout_nanos,
                currency, revision, converted_at_us, extras, external_id, cost_nanos, cost_currency,
                parameters, ip, user_agent, referrer, path, offer_version, reporting_nanos,
                reporting_currency, reporting_rate_nanos, own_cost_rule, own_cost_nanos,
                own_cost_currency, flow_version, rule, lander_version, visit, device, place)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1, ?14, ?15, ?16, ?17,
                ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33,
                ?34, ?35, ?36)
            """)
        updateConversion = try connection.prepare(
            """
            UPDATE conversion SET status = ?2, network_status = ?3, payout_nanos = ?4,
                currency = ?5, revision = ?6, extras = ?7, reporting_nanos = ?8,
                reporting_currency = ?9, reporting_rate_nanos = ?10, own_cost_nanos = ?11,
                own_cost_currency = ?12 WHERE id = ?1
            """)
        insertRevision = try connection.prepare(
            """
            INSERT INTO conversion_revision (conversion_id, number, status, network_status,
                payout_nanos, currency, at_us, postback_id, reporting_nanos, reporting_currency,
                reporting_rate_nanos, not_sent)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """)
        insertDelivery = try connection.prepare(
            """
            INSERT INTO delivery (conversion_id, revision, destination, state, reason, due_at_us,
                converted_at_us, origin, method, url, headers, body, success_min, success_max,
                success_text, allow_private, success_json, delay_seconds, auth)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18, ?19)
            """)
        insertAttempt = try connection.prepare(
            """
            INSERT INTO attempt (delivery_id, number, at_us, status, milliseconds, error, excerpt)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """)
        acceptDelivery = try connection.prepare(
            """
            UPDATE delivery SET attempt_count = ?2, state = 'delivered', reason = NULL,
                due_at_us = ?3
            WHERE id = ?1 AND attempt_count = ?2 - 1
            """)
        updateDelivery = try connection.prepare(
            """
            UPDATE delivery SET attempt_count = ?2,
                state = iif(state = 'cancelled', state, ?4),
                reason = iif(state = 'cancelled', reason, ?5),
                due_at_us = ?3
            WHERE id = ?1 AND attempt_count = ?2 - 1
            """)
        countAcceptances = try connection.prepare(
            """
            INSERT INTO delivery_latency (day, destination, lower_us, deliveries)
            VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET deliveries = deliveries + excluded.deliveries
            """)
        conversionByID = try connection.prepare(
            "SELECT \(ConversionRow.columns) FROM conversion WHERE id = ?1")
        addToTotals = try connection.prepare(
            """
            INSERT INTO conversion_total (scope, entity_id, day, currency, conversions,
                payout_units, payout_nanos)
            VALUES ('offer', ?1, ?3, ?4, ?5, ?6, ?7),
                ('offer', ?1, \(LedgerTransaction.allDays), ?4, ?5, ?6, ?7),
                ('campaign', ?2, ?3, ?4, ?5, ?6, ?7),
                ('campaign', ?2, \(LedgerTransaction.allDays), ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET conversions = conversions + excluded.conversions,
                payout_units = payout_units + excluded.payout_units,
                payout_nanos = payout_nanos + excluded.payout_nanos
            """)
        addToWays = try connection.prepare(
            """
            INSERT INTO conversion_way (slot, campaign_id, flow_version, rule, path, offer_id,
                currency, conversions, payout_units, payout_nanos)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            ON CONFLICT DO UPDATE SET conversions = conversions + excluded.conversions,
                payout_units = payout_units + excluded.payout_units,
                payout_nanos = payout_nanos + excluded.payout_nanos
            """)
        findTotals = try connection.prepare(
            """
            SELECT currency, conversions, payout_units, payout_nanos FROM conversion_total
            WHERE scope = ?1 AND entity_id = ?2 AND day = ?3
            """)
        findLateLanderClicks = try connection.prepare(LanderClick.lateSQL)
    }
}
