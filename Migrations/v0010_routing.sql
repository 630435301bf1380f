CREATE TABLE lander (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    archived_at_us INTEGER
) STRICT;

-- Flows that several campaigns use.
CREATE TABLE flow (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    archived_at_us INTEGER
) STRICT;

-- Every wording that a lander's URL ever had: clicks point here.
CREATE TABLE lander_version (
    id INTEGER PRIMARY KEY,
    lander_id INTEGER NOT NULL REFERENCES lander (id),
    url TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    UNIQUE (lander_id, url)
) STRICT;

-- What decided about a campaign's visitors, one row for each change: clicks point here. The document
-- is {"flow": the campaign's own or the shared one, "fallback_url": ...}.
CREATE TABLE flow_version (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX flow_version_campaign ON flow_version (campaign_id, id);

-- The conversion's copy of what its click was decided by; NULL: from before it was kept.
ALTER TABLE conversion ADD COLUMN flow_version INTEGER;
ALTER TABLE conversion ADD COLUMN rule INTEGER;
ALTER TABLE conversion ADD COLUMN lander_version INTEGER;
