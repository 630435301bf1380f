-- Who came (`VisitorNumber`) and for which time within the window; NULL where the campaign does not know
-- its visitors, and for who is none.
ALTER TABLE click ADD COLUMN visitor INTEGER;
ALTER TABLE click ADD COLUMN visit_number INTEGER;
-- Read after a start, to know them again.
CREATE INDEX click_of_visitor ON click (id) WHERE visitor IS NOT NULL;
