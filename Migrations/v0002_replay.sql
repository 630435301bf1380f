-- A replayed call is kept as a call of its own that names the one it repeats: always the first, never
-- another replay. No foreign key, as in conversion_revision: stray calls are forgotten.
ALTER TABLE postback ADD COLUMN replay_of INTEGER;
CREATE INDEX postback_replay ON postback (replay_of) WHERE replay_of IS NOT NULL;
