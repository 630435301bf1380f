-- Who went on from a lander to an offer, beside the clicks that this file holds. No index of its own:
-- the lander clicks of one click are looked for together.
CREATE TABLE lander_click (
    click_id INTEGER NOT NULL,
    -- From the clicks' own counter: the time is in it.
    id INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    -- What the link asked for: the n-th offer of the click's path, or 0 for any of them.
    number INTEGER NOT NULL,
    -- The wording that the visitor was sent to (`offer_version` in clickrelay.db); 0: the campaign's
    -- fallback URL.
    offer_version INTEGER NOT NULL,
    PRIMARY KEY (click_id, id)
) STRICT, WITHOUT ROWID;

-- Sums, written with what they count, by the quarter hour (as in `click_total`) of the click.
CREATE TABLE lander_total (
    slot INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    -- Clicks that were sent to a lander.
    views INTEGER NOT NULL,
    -- Rows of `lander_click`.
    clicks INTEGER NOT NULL,
    -- Clicks that have such a row.
    passed INTEGER NOT NULL,
    PRIMARY KEY (slot, campaign_id)
) STRICT, WITHOUT ROWID;
