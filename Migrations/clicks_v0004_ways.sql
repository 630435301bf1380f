-- Sums of the clicks that one of a campaign's paths took, by the way they went, written with them:
-- caps are counted from them. A slot is 15 minutes since 1970 in UTC, `flow_version` 0 stands for
-- none that is known.
CREATE TABLE click_way (
    slot INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    flow_version INTEGER NOT NULL,
    rule INTEGER NOT NULL,
    path INTEGER NOT NULL,
    offer_version INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    PRIMARY KEY (slot, campaign_id, flow_version, rule, path, offer_version)
) STRICT, WITHOUT ROWID;
-- A click's number begins with its milliseconds since 2026.
INSERT INTO click_way
    SELECT ((id >> 22) + 1767225600000) / 900000 AS slot, campaign_id, ifnull(flow_version, 0),
        ifnull(rule, 0), path, offer_version, count(*)
    FROM click WHERE path > 0
    GROUP BY slot, campaign_id, ifnull(flow_version, 0), ifnull(rule, 0), path, offer_version;
