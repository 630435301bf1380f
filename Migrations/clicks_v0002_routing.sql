-- What decided: the version of the campaign's flow (`flow_version` in clickrelay.db), the rule (0: the
-- default paths, -1: the fallback URL) and the lander's wording, NULL for straight to the offer.
-- All NULL: from before these were kept.
ALTER TABLE click ADD COLUMN flow_version INTEGER;
ALTER TABLE click ADD COLUMN rule INTEGER;
ALTER TABLE click ADD COLUMN lander_version INTEGER;
