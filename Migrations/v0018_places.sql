-- The conversion's copy of where its click came from, as in a day file; NULL: not known.
ALTER TABLE conversion ADD COLUMN place TEXT;
