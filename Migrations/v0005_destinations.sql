-- What a destination's answer must say in a field of its JSON, as the API has it:
-- {"path": "code", "equals": 0}. NULL: nothing.
ALTER TABLE delivery ADD COLUMN success_json TEXT;
-- The destination's delay: the time to give up counts from its end.
ALTER TABLE delivery ADD COLUMN delay_seconds INTEGER NOT NULL DEFAULT 0;
-- Which destinations were not told of the revision and why, as a JSON array of pairs
-- [destination, reason]. NULL: all that there were have been told.
ALTER TABLE conversion_revision ADD COLUMN not_sent TEXT;
