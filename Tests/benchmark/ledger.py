"""Makes any number of waiting deliveries, clicks and conversions, with SQL: through the API ten million
would take the better part of an hour."""

import os
import sqlite3
import time

# What differs from the row that is copied; anything else is as the server wrote it.
CHANGED = {
    "id": None,
    "revision": "2 + n.i / :templates",
    "state": "'waiting'",
    "reason": "NULL",
    # Due for an hour, a microsecond after one another.
    "due_at_us": ":due + n.i",
    "converted_at_us": ":due + n.i",
    "attempt_count": "0",
    "url": "t.url || '&n=' || n.i",
}


def fill_with_waiting(data, count):
    """Copies the waiting deliveries of a stopped server in turn until there are `count` more.

    Each copy stands for a further revision of the same conversion; all are due. Returns the seconds
    it took.
    """
    begun = time.monotonic()
    path = f"{data}/clickrelay.db"
    ledger = sqlite3.connect(path, isolation_level=None)
    # Nothing is lost with it: a benchmark that is interrupted begins anew.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"):
        ledger.execute(f"PRAGMA {pragma}").fetchall()
    ledger.execute("BEGIN EXCLUSIVE")
    # Both are put back below; kept up row by row they take most of the time.
    definitions = [
        ledger.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name]).fetchone()[0]
        for name in ("delivery_queue", "delivery_made")
    ]
    ledger.execute("DROP INDEX delivery_queue")
    ledger.execute("DROP TRIGGER delivery_made")
    columns = [row[1] for row in ledger.execute("PRAGMA table_info(delivery)")]
    copied = [name for name in columns if CHANGED.get(name, name)]
    ledger.execute(
        "CREATE TEMP TABLE template AS SELECT row_number() OVER (ORDER BY id) - 1 AS number, * "
        "FROM delivery WHERE state = 'waiting'")
    ledger.execute("CREATE UNIQUE INDEX temp.template_number ON template (number)")
    templates = ledger.execute("SELECT count(*) FROM template").fetchone()[0]
    if not templates:
        raise SystemExit("no delivery waits that could be copied")
    values = {
        "last": count - 1, "templates": templates, "due": int((time.time() - 3600) * 1e6)}
    ledger.execute(
        f"""
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)
        INSERT INTO delivery ({", ".join(copied)})
        SELECT {", ".join(CHANGED.get(name) or "t." + name for name in copied)}
        FROM n CROSS JOIN template AS t ON t.number = n.i % :templates
        """, values)
    # Those that were tried already would come seconds later.
    ledger.execute("UPDATE delivery SET due_at_us = ? WHERE state = 'waiting' AND attempt_count > 0",
                   [values["due"]])
    for number in range(templates):
        ledger.execute(
            "UPDATE delivery_total SET waiting = waiting + ? WHERE destination = "
            "(SELECT destination FROM template WHERE number = ?)",
            [(count - number - 1) // templates + 1, number])
    for definition in definitions:
        ledger.execute(definition)
    ledger.execute("COMMIT")
    counted, waiting = ledger.execute(
        "SELECT (SELECT sum(waiting) FROM delivery_total), "
        "(SELECT count(*) FROM delivery INDEXED BY delivery_queue WHERE state = 'waiting')"
    ).fetchone()
    if counted != waiting or waiting != count + templates:
        raise SystemExit(f"{count} deliveries were to be added, {waiting} wait, {counted} counted")
    ledger.execute("PRAGMA journal_mode = WAL").fetchall()
    ledger.close()
    # The server's own writes must not wait for ours.
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
    return time.monotonic() - begun


def fast(path):
    """Nothing is lost with it: a benchmark that is interrupted begins anew."""
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"):
        database.execute(f"PRAGMA {pragma}").fetchall()
    database.execute("BEGIN EXCLUSIVE")
    return database


def finish(database, path):
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode = WAL").fetchall()
    database.close()
    # The server's own writes must not wait for ours.
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def copies(database, table, changed):
    """The columns of a table, and what a copy of row `t` has in each."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    return ", ".join(columns), ", ".join(changed.get(name, "t." + name) for name in columns)


# A click's row ID is its milliseconds since 2026, above 22 bits; sums are kept by the quarter hour
# since 1970.
EPOCH_MS = 1_767_225_600_000
QUARTER_MS = 900_000
DAY_MS = 86_400_000
PER_MS = 1000

# Copy number i is of template i % :templates: how many of those from :low up to :high are of `t`.
SHARE = (
    "((:high - t.number + :templates - 1) / :templates "
    "- (:low - t.number + :templates - 1) / :templates)")


def keep_templates(database, table):
    """What is there already and will be copied in turn, numbered; returns how many there are."""
    database.execute(
        "CREATE TEMP TABLE template AS SELECT row_number() OVER (ORDER BY id) - 1 AS number, * "
        f"FROM {table}")
    database.execute("CREATE UNIQUE INDEX temp.template_number ON template (number)")
    return database.execute("SELECT count(*) FROM template").fetchone()[0]


def fill_with_clicks(data, count):
    """Copies the clicks of a stopped server's newest day until there are `count` more, all earlier
    and with external IDs of their own, and sums them. Returns the seconds it took.

    They are visitors' clicks without a lander, in as many campaigns as the copied ones.
    """
    begun = time.monotonic()
    path = f"{data}/clicks/" + max(
        name for name in os.listdir(f"{data}/clicks") if name.endswith(".db"))
    clicks = fast(path)
    templates = keep_templates(clicks, "click")
    first = clicks.execute("SELECT min(id) >> 22 FROM template").fetchone()[0]
    # The newest of them a second before the first real one.
    start = first - 1000 - count // PER_MS
    if (start + EPOCH_MS) // DAY_MS < (first + EPOCH_MS) // DAY_MS:
        raise SystemExit("not in the first minutes of a day in UTC, which has to hold all clicks")
    columns, values = copies(clicks, "click", {
        "id": f"((:start + n.i / {PER_MS}) << 22) + n.i % {PER_MS}",
        "external_id": "randomblob(length(t.external_id))",
    })
    clicks.execute(
        f"""
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)
        INSERT INTO click ({columns})
        SELECT {values} FROM n CROSS JOIN template AS t ON t.number = n.i % :templates
        """, {"count": count, "templates": templates, "start": start})
    for slot, low, high in quarters(start, count):
        sum_clicks(clicks, {"slot": slot, "low": low, "high": high, "templates": templates})
    finish(clicks, path)
    return time.monotonic() - begun


def quarters(start, count):
    """The quarter hours of `count` clicks from `start` on: each with the number of its first click
    and of the one behind its last."""
    low = 0
    while low < count:
        slot = (start + low // PER_MS + EPOCH_MS) // QUARTER_MS
        high = min(count, ((slot + 1) * QUARTER_MS - EPOCH_MS - start) * PER_MS)
        yield slot, low, high
        low = high


def sum_clicks(clicks, values):
    """Counts the copies of a quarter hour as the server would have."""
    clicks.execute(
        f"""
        INSERT INTO click_total (slot, campaign_id, currency, clicks, cost_units, cost_nanos)
        SELECT :slot, campaign_id, iif(t.cost_nanos IS NULL, 0, ifnull(currency, 0)) AS money,
            sum({SHARE}), sum(ifnull(t.cost_nanos, 0) / 1000000000 * {SHARE}),
            sum(ifnull(t.cost_nanos, 0) % 1000000000 * {SHARE})
        FROM template AS t GROUP BY campaign_id, money HAVING sum({SHARE}) > 0
        ON CONFLICT DO UPDATE SET clicks = clicks + excluded.clicks,
            cost_units = cost_units + excluded.cost_units,
            cost_nanos = cost_nanos + excluded.cost_nanos
        """, values)
    clicks.execute(
        f"""
        INSERT INTO click_way
            (slot, campaign_id, flow_version, rule, path, offer_version, clicks)
        SELECT :slot, campaign_id, ifnull(flow_version, 0) AS flow, ifnull(rule, 0) AS chosen, path,
            offer_version, sum({SHARE})
        FROM template AS t WHERE path > 0
        GROUP BY campaign_id, flow, chosen, path, offer_version HAVING sum({SHARE}) > 0
        ON CONFLICT DO UPDATE SET clicks = clicks + excluded.clicks
        """, values)


def fill_with_conversions(data, count):
    """Copies a stopped server's conversions until there are `count` more, each with an order of its
    own, its call and its revision, and sums them. Returns the seconds it took.

    Those that are copied are approved and have one revision each.
    """
    begun = time.monotonic()
    path = f"{data}/clickrelay.db"
    ledger = fast(path)
    templates = keep_templates(ledger, "conversion")
    ledger.execute(
        "CREATE TEMP TABLE copy AS WITH RECURSIVE n (i) AS "
        "(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1) "
        "SELECT (SELECT max(id) FROM conversion) + 1 + n.i AS id, "
        "(SELECT max(id) FROM postback) + 1 + n.i AS postback_id, n.i AS i, t.id AS of "
        "FROM n CROSS JOIN template AS t ON t.number = n.i % :templates",
        {"count": count, "templates": templates})
    columns, values = copies(
        ledger, "conversion", {"id": "n.id", "transaction_id": "'F' || n.i"})
    ledger.execute(
        f"INSERT INTO conversion ({columns}) SELECT {values} FROM copy AS n "
        "JOIN conversion AS t ON t.id = n.of")
    columns, values = copies(
        ledger, "postback", {"id": "n.postback_id", "conversion_id": "n.id"})
    ledger.execute(
        f"INSERT INTO postback ({columns}) SELECT {values} FROM copy AS n "
        "JOIN conversion_revision AS r ON r.conversion_id = n.of "
        "JOIN postback AS t ON t.id = r.postback_id")
    columns, values = copies(
        ledger, "conversion_revision",
        {"conversion_id": "n.id", "postback_id": "n.postback_id"})
    ledger.execute(
        f"INSERT INTO conversion_revision ({columns}) SELECT {values} FROM copy AS n "
        "JOIN conversion_revision AS t ON t.conversion_id = n.of")
    sum_conversions(ledger, {"low": 0, "high": count, "templates": templates})
    finish(ledger, path)
    return time.monotonic() - begun


def sum_conversions(ledger, values):
    """Counts the copies as the server would have. Day -1000000000 stands for all days."""
    added = (
        f"sum({SHARE}) AS conversions, sum(payout_nanos / 1000000000 * {SHARE}) AS payout_units, "
        f"sum(payout_nanos % 1000000000 * {SHARE}) AS payout_nanos")
    upsert = (
        "ON CONFLICT DO UPDATE SET conversions = conversions + excluded.conversions, "
        "payout_units = payout_units + excluded.payout_units, "
        "payout_nanos = payout_nanos + excluded.payout_nanos")
    for scope in ("offer", "campaign"):
        for day in (f"converted_at_us / 1000 / {DAY_MS}", "-1000000000"):
            ledger.execute(
                "INSERT INTO conversion_total "
                f"SELECT '{scope}', {scope}_id, {day} AS day, currency, {added} "
                f"FROM template AS t GROUP BY {scope}_id, day, currency "
                f"HAVING sum({SHARE}) > 0 {upsert}", values)
    ledger.execute(
        f"""
        INSERT INTO conversion_way
        SELECT converted_at_us / 1000 / {QUARTER_MS} AS slot, campaign_id,
            ifnull(flow_version, 0) AS flow, ifnull(rule, 0) AS chosen, path, offer_id, currency,
            {added}
        FROM template AS t
        GROUP BY slot, campaign_id, flow, chosen, path, offer_id, currency
        HAVING sum({SHARE}) > 0 {upsert}
        """, values)
