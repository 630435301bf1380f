-- Sums of the clicks of days that are over, by the way they went: they stay when a day's file is
-- deleted, and spare a start that counts them reading every file there is.
CREATE TABLE click_day (
    day INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE click_day_way (
    day INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    flow_version INTEGER NOT NULL,
    rule INTEGER NOT NULL,
    path INTEGER NOT NULL,
    offer_version INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    PRIMARY KEY (day, campaign_id, flow_version, rule, path, offer_version)
) STRICT, WITHOUT ROWID;
