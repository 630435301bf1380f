-- The conversion's copy of who made its click, as in a day file; NULL: a visitor, nothing known.
ALTER TABLE conversion ADD COLUMN visit INTEGER;
ALTER TABLE conversion ADD COLUMN device TEXT;
