-- Corrections of what clicks cost, each laid over what was recorded and over the corrections with a
-- smaller number. Rows are never changed but for `removed_at_us`: while it is set, the layer counts
-- for nothing.
CREATE TABLE cost_layer (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    -- Quarters of an hour since 1970 in UTC; the last one lies outside.
    from_quarter INTEGER NOT NULL,
    to_quarter INTEGER NOT NULL CHECK (to_quarter > from_quarter),
    -- As it was entered, with names resolved: times, filter, amount, currency.
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    removed_at_us INTEGER
) STRICT;
CREATE INDEX cost_layer_range ON cost_layer (campaign_id, to_quarter) WHERE removed_at_us IS NULL;

-- How many clicks of a day a layer is about. It is counted anew for as long as the day's file is
-- there, and keeps the other days' shares as they are when retention has deleted it.
CREATE TABLE cost_layer_day (
    layer_id INTEGER NOT NULL REFERENCES cost_layer (id),
    -- Days since 1970.
    day INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    PRIMARY KEY (layer_id, day)
) STRICT, WITHOUT ROWID;
