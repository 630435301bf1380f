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


def fill_with_clicks(data, count):
    """Copies the clicks of a stopped server's newest day until there are `count` more, all earlier
    and with external IDs of their own. Returns the seconds it took."""
    begun = time.monotonic()
    path = f"{data}/clicks/" + max(
        name for name in os.listdir(f"{data}/clicks") if name.endswith(".db"))
    clicks = fast(path)
    clicks.execute(
        "CREATE TEMP TABLE template AS SELECT row_number() OVER (ORDER BY id) - 1 AS number, * "
        "FROM click")
    clicks.execute("CREATE UNIQUE INDEX temp.template_number ON template (number)")
    templates, first = clicks.execute("SELECT count(*), min(id) FROM template").fetchone()
    columns, values = copies(clicks, "click", {
        # 1,000 a millisecond, the newest of them a second before the first real one.
        "id": ":first + (((n.i - :count) / 1000 - 1000) << 22) + n.i % 1000",
        "external_id": "randomblob(length(t.external_id))",
    })
    clicks.execute(
        f"""
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)
        INSERT INTO click ({columns})
        SELECT {values} FROM n CROSS JOIN template AS t ON t.number = n.i % :templates
        """, {"count": count, "templates": templates, "first": first >> 22 << 22})
    for table in ("click_total", "click_way"):
        clicks.execute(
            f"UPDATE {table} SET clicks = clicks * ?", [(count + templates) // templates])
    finish(clicks, path)
    return time.monotonic() - begun


def fill_with_conversions(data, count):
    """Copies a stopped server's conversions until there are `count` more, each with an order of its
    own, and its revisions. Returns the seconds it took."""
    begun = time.monotonic()
    path = f"{data}/clickrelay.db"
    ledger = fast(path)
    ledger.execute(
        "CREATE TEMP TABLE template AS SELECT row_number() OVER (ORDER BY id) - 1 AS number, * "
        "FROM conversion")
    ledger.execute("CREATE UNIQUE INDEX temp.template_number ON template (number)")
    templates, newest = ledger.execute("SELECT count(*), max(id) FROM template").fetchone()
    ledger.execute(
        "CREATE TEMP TABLE copy AS WITH RECURSIVE n (i) AS "
        "(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1) "
        "SELECT :newest + 1 + n.i AS id, n.i AS i, t.id AS of FROM n CROSS JOIN template AS t "
        "ON t.number = n.i % :templates",
        {"count": count, "templates": templates, "newest": newest})
    columns, values = copies(
        ledger, "conversion", {"id": "n.id", "transaction_id": "'F' || n.i"})
    ledger.execute(
        f"INSERT INTO conversion ({columns}) SELECT {values} FROM copy AS n "
        "JOIN conversion AS t ON t.id = n.of")
    columns, values = copies(ledger, "conversion_revision", {"conversion_id": "n.id"})
    ledger.execute(
        f"INSERT INTO conversion_revision ({columns}) SELECT {values} FROM copy AS n "
        "JOIN conversion_revision AS t ON t.conversion_id = n.of")
    ledger.execute("UPDATE conversion_total SET conversions = conversions * ?",
                   [(count + templates) // templates])
    finish(ledger, path)
    return time.monotonic() - begun
