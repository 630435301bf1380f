-- Lander clicks that came when the file of their click's day was finished, or gone. The columns are
-- those of `lander_click` in the day files.
CREATE TABLE late_lander_click (
    click_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    offer_version INTEGER NOT NULL,
    -- 1: the first of its click, in this table and the day's file together.
    is_first INTEGER NOT NULL,
    PRIMARY KEY (click_id, id)
) STRICT, WITHOUT ROWID;
