-- Settings of the installation that the operator changes while it runs, by name.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    changed_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Units of the reporting currency for one unit of a currency, in 10^-9, from a UTC day (days since
-- 1970) on until the next dated rate. Kept for each reporting currency there ever was.
CREATE TABLE exchange_rate (
    reporting_currency TEXT NOT NULL,
    currency TEXT NOT NULL,
    day INTEGER NOT NULL,
    rate_nanos INTEGER NOT NULL CHECK (rate_nanos > 0),
    set_at_us INTEGER NOT NULL,
    PRIMARY KEY (reporting_currency, currency, day)
) STRICT, WITHOUT ROWID;

-- The payout in the reporting currency of the time of recording, and the rate that was used. All
-- three are NULL where there was no such currency, no rate, or a sum too large.
ALTER TABLE conversion ADD COLUMN reporting_nanos INTEGER;
ALTER TABLE conversion ADD COLUMN reporting_currency TEXT;
ALTER TABLE conversion ADD COLUMN reporting_rate_nanos INTEGER;
ALTER TABLE conversion_revision ADD COLUMN reporting_nanos INTEGER;
ALTER TABLE conversion_revision ADD COLUMN reporting_currency TEXT;
ALTER TABLE conversion_revision ADD COLUMN reporting_rate_nanos INTEGER;

-- Each time that somebody had recorded amounts converted anew, and how many conversions changed.
CREATE TABLE rate_recomputation (
    id INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    reporting_currency TEXT NOT NULL,
    -- The conversions' times; NULL: from the first, to the last.
    from_us INTEGER,
    to_us INTEGER,
    examined INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
