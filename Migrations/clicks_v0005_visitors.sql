-- Who came: NULL for a visitor, else the number of a `VisitKind`; those are no clicks in any report.
ALTER TABLE click ADD COLUMN visit INTEGER;
-- The `text` that holds what the browser told of its device; NULL: nothing, or from before it was kept.
ALTER TABLE click ADD COLUMN device INTEGER;
-- Requests that are no clicks: they are in no other sum.
ALTER TABLE click_total ADD COLUMN bots INTEGER NOT NULL DEFAULT 0;
