-- Sums of the conversions that count towards limits: those that are no tests and whose status is
-- pending or approved. Written with the conversions, so that a limit costs no scan. `scope` is
-- 'offer' or 'campaign'; `day` is in days since 1970 in UTC, -1000000000 stands for all days.
-- A payout is units and nanos, each summed, so that neither can overflow.
CREATE TABLE conversion_total (
    scope TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    conversions INTEGER NOT NULL,
    payout_units INTEGER NOT NULL,
    payout_nanos INTEGER NOT NULL,
    PRIMARY KEY (scope, entity_id, day, currency)
) STRICT, WITHOUT ROWID;
WITH counted AS (
    SELECT offer_id, campaign_id, currency, payout_nanos,
        (converted_at_us - (converted_at_us % 86400000000 + 86400000000) % 86400000000)
            / 86400000000 AS day
    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved')
), placed AS (
    SELECT 'offer' AS scope, offer_id AS entity_id, day, currency, payout_nanos FROM counted
    UNION ALL
    SELECT 'offer', offer_id, -1000000000, currency, payout_nanos FROM counted
    UNION ALL
    SELECT 'campaign', campaign_id, day, currency, payout_nanos FROM counted
    UNION ALL
    SELECT 'campaign', campaign_id, -1000000000, currency, payout_nanos FROM counted
)
INSERT INTO conversion_total
    SELECT scope, entity_id, day, currency, count(*), sum(payout_nanos / 1000000000),
        sum(payout_nanos % 1000000000)
    FROM placed GROUP BY scope, entity_id, day, currency;

-- 1: the click is there, but a limit was passed. Only people go on with such a call; the look for
-- clicks that have appeared must not come upon it again and again.
ALTER TABLE parked ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;
CREATE INDEX parked_waiting ON parked (postback_id) WHERE is_held = 0;
