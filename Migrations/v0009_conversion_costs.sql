-- What a conversion costs where its traffic source charges for conversions: the rule as it stood when
-- the conversion was first recorded (`ConversionCost.text`), and what it came to for the newest
-- revision. All three are NULL where the click had a cost, or nothing is charged.
ALTER TABLE conversion ADD COLUMN own_cost_rule TEXT;
ALTER TABLE conversion ADD COLUMN own_cost_nanos INTEGER;
ALTER TABLE conversion ADD COLUMN own_cost_currency TEXT;
