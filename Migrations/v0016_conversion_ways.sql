-- Sums of the conversions that count towards limits, by the way their clicks went: caps on traffic
-- are counted from them. A slot is 15 minutes since 1970 in UTC, `flow_version` 0 stands for none
-- that is known. A payout is units and nanos, each summed, so that neither can overflow.
CREATE TABLE conversion_way (
    slot INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    flow_version INTEGER NOT NULL,
    rule INTEGER NOT NULL,
    path INTEGER NOT NULL,
    offer_id INTEGER NOT NULL,
    currency TEXT NOT NULL,
    conversions INTEGER NOT NULL,
    payout_units INTEGER NOT NULL,
    payout_nanos INTEGER NOT NULL,
    PRIMARY KEY (slot, campaign_id, flow_version, rule, path, offer_id, currency)
) STRICT, WITHOUT ROWID;
INSERT INTO conversion_way
    SELECT (converted_at_us - (converted_at_us % 900000000 + 900000000) % 900000000) / 900000000
            AS slot,
        campaign_id, ifnull(flow_version, 0), ifnull(rule, 0), path, offer_id, currency, count(*),
        sum(payout_nanos / 1000000000), sum(payout_nanos % 1000000000)
    FROM conversion WHERE is_test = 0 AND status IN ('pending', 'approved')
    GROUP BY slot, campaign_id, ifnull(flow_version, 0), ifnull(rule, 0), path, offer_id, currency;
