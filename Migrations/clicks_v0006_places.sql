-- The `text` that holds where the visitor was, by the location files of that time; NULL: not known.
ALTER TABLE click ADD COLUMN place INTEGER;
