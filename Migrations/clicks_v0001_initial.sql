-- clicks/DAY.db: one UTC day's clicks. The primary key grows with time, so inserts append; there is
-- no other index on a click, and what repeats is kept once in `text`.

CREATE TABLE click (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL,
    path INTEGER NOT NULL,
    offer_version INTEGER NOT NULL,
    -- In 10^-9 of the currency's unit; NULL: no cost is known.
    cost_nanos INTEGER,
    -- The three letters of the ISO 4217 code as a number.
    currency INTEGER,
    external_id BLOB,
    -- 4 or 16 bytes, or NULL where the policy keeps none.
    ip BLOB,
    user_agent INTEGER,
    referrer INTEGER,
    -- The names of the campaign URL's parameters, one text for all clicks that have the same.
    parameter_names INTEGER,
    parameter_values BLOB
) STRICT;

-- Texts that many clicks share, found by a hash of their bytes.
CREATE TABLE text (
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE INDEX text_hash ON text (hash);

-- Sums of the clicks above, written with them: a slot is 15 minutes since 1970 in UTC.
-- A cost is units and nanos, each summed, so that neither can overflow.
CREATE TABLE click_total (
    slot INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    cost_units INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL,
    PRIMARY KEY (slot, campaign_id, currency)
) STRICT, WITHOUT ROWID;
