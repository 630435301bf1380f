-- A replayed call is kept as a call of its own that names the one it repeats: always the first, never
-- another replay. No foreign key, as in conversion_revision: stray calls are forgotten.
ALTER TABLE postback ADD COLUMN replay_of INTEGER;
CREATE INDEX postback_replay ON postback (replay_of) WHERE replay_of IS NOT NULL;

-- Calls that wait for their click to appear, or for somebody to reject them. They have a
-- network, so their rows are never deleted; no foreign key, as above.
CREATE TABLE parked (
    postback_id INTEGER PRIMARY KEY,
    click_row_id INTEGER NOT NULL
) STRICT;
INSERT INTO parked (postback_id, click_row_id)
    SELECT id, click_row_id FROM postback WHERE verdict = 'parked' AND click_row_id IS NOT NULL;
