-- Waiting deliveries queue by origin, and within it by destination, so that those of a destination
-- can be passed over without looking at each.
CREATE INDEX delivery_queue ON delivery (origin, destination, due_at_us) WHERE state = 'waiting';
DROP INDEX delivery_due;

-- How many deliveries of each destination are in each state.
CREATE TABLE delivery_total (
    destination TEXT PRIMARY KEY,
    waiting INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    cancelled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_total
    SELECT destination, sum(state = 'waiting'), sum(state = 'delivered'), sum(state = 'dead'),
        sum(state = 'cancelled')
    FROM delivery GROUP BY destination;

-- Times from a conversion to its acceptance, in microseconds, fall into classes, each known by its
-- lowest time and a sixteenth wide of it: from a millisecond to a month and more.
CREATE TABLE latency_class (lower_us INTEGER PRIMARY KEY) STRICT;
INSERT INTO latency_class
    WITH RECURSIVE class (lower_us) AS (
        SELECT 1000 UNION ALL SELECT lower_us + lower_us / 16 FROM class
        WHERE lower_us < 4000000000000)
    SELECT 0 UNION ALL SELECT lower_us FROM class;

-- Accepted deliveries by the UTC day (days since 1970) of their acceptance.
CREATE TABLE delivery_latency (
    day INTEGER NOT NULL,
    destination TEXT NOT NULL,
    lower_us INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (day, destination, lower_us)
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_latency
    SELECT attempt.at_us / 86400000000, destination,
        (SELECT max(lower_us) FROM latency_class
            WHERE lower_us <= max(0, at_us + milliseconds * 1000 - converted_at_us)) AS class,
        count(*)
    FROM delivery JOIN attempt
        ON attempt.delivery_id = delivery.id AND attempt.number = delivery.attempt_count
    WHERE state = 'delivered'
        AND at_us >= (SELECT max(at_us) FROM attempt) - 92 * 86400000000
    GROUP BY 1, 2, 3;

-- The database counts by itself, so that whatever moves a delivery moves its number with it.
CREATE TRIGGER delivery_made AFTER INSERT ON delivery BEGIN
    INSERT INTO delivery_total VALUES (
        NEW.destination, NEW.state = 'waiting', NEW.state = 'delivered', NEW.state = 'dead',
        NEW.state = 'cancelled')
    ON CONFLICT DO UPDATE SET waiting = waiting + excluded.waiting,
        delivered = delivered + excluded.delivered, dead = dead + excluded.dead,
        cancelled = cancelled + excluded.cancelled;
END;
CREATE TRIGGER delivery_moved AFTER UPDATE OF state ON delivery WHEN OLD.state <> NEW.state BEGIN
    UPDATE delivery_total SET
        waiting = waiting + (NEW.state = 'waiting') - (OLD.state = 'waiting'),
        delivered = delivered + (NEW.state = 'delivered') - (OLD.state = 'delivered'),
        dead = dead + (NEW.state = 'dead') - (OLD.state = 'dead'),
        cancelled = cancelled + (NEW.state = 'cancelled') - (OLD.state = 'cancelled')
    WHERE destination = NEW.destination;
END;
CREATE TRIGGER delivery_accepted AFTER UPDATE OF state ON delivery
WHEN NEW.state = 'delivered' AND OLD.state <> 'delivered' BEGIN
    INSERT INTO delivery_latency
        SELECT at_us / 86400000000, NEW.destination,
            (SELECT max(lower_us) FROM latency_class
                WHERE lower_us <= max(0, at_us + milliseconds * 1000 - NEW.converted_at_us)),
            1
        FROM attempt WHERE delivery_id = NEW.id AND number = NEW.attempt_count
    ON CONFLICT DO UPDATE SET deliveries = deliveries + 1;
END;
-- 92 days are kept. A class is new to its day but now and then, and finds little to forget.
CREATE TRIGGER delivery_latency_made AFTER INSERT ON delivery_latency BEGIN
    DELETE FROM delivery_latency WHERE day < NEW.day - 92;
END;
