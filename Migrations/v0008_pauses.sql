-- Destinations and hosts that somebody paused. Lifted ones are kept: the time that a delivery was
-- held is not counted when it is given up.
CREATE TABLE pause (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('destination', 'host')),
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    paused_at_us INTEGER NOT NULL,
    -- NULL while it lasts.
    resumed_at_us INTEGER
) STRICT;
CREATE UNIQUE INDEX pause_lasting ON pause (scope, name) WHERE resumed_at_us IS NULL;
