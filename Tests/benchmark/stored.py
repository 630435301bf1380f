"""What millions of clicks and conversions on disk change: memory, start, and redirects beside those
of an empty store. Takes minutes and gigabytes, so it runs only when it is asked for."""

import contextlib
import os
import shutil
import socket
import time

from harness import Tracker, say
from ledger import fill_with_clicks, fill_with_conversions
from load import enter_conversions, make_clicks, medians, run_wrk
from redirects import PATH

IDLE_CONNECTIONS = 10_000
CAMPAIGNS = 1_000
# Made over HTTP in each campaign, and then copied.
CLICKS_EACH = 5
REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\n\r\n".encode()


def clicks_of_campaigns(tracker):
    """Makes the campaigns that are missing, and their clicks; returns one click of each."""
    keys = ["summer", "quiet", *(f"campaign-{number}" for number in range(CAMPAIGNS - 2))]
    for key in keys[2:]:
        tracker.api(
            "POST", "/campaigns",
            {"key": key, "name": key, "source": "push-summer", "cost": {"model": "param"},
             "flow": {"paths": [{"offers": [{"offer": "fit"}]}]}})
    return [
        make_clicks(tracker.port, key, CLICKS_EACH, number)[0] for number, key in enumerate(keys)]


def idle_connections(stack, port, count):
    """Connections that were redirected once each and are kept alive since."""
    made = []
    while len(made) < count:
        # Many at once share a commit: one by one the first might be idle for too long at the end.
        some = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            for _ in range(min(200, count - len(made)))
        ]
        for connection in some:
            connection.sendall(REQUEST)
        for connection in some:
            answer = connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 302 ") or not answer.endswith(b"\r\n\r\n"):
                raise SystemExit(f"a connection was answered {answer!r}")
        made += some
    return made


def is_open(connection):
    """Whether the server keeps a connection that it owes nothing."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def bench_stored(stack, options, cores, directory, results):
    data = f"{directory}/stored"
    tracker = Tracker(stack, options.binary, data, cores.server)
    tracker.environment["CLICKRELAY_MAX_CONNECTIONS"] = str(2 * IDLE_CONNECTIONS)
    tracker.start()
    tracker.set_up()
    say(f"  {CAMPAIGNS} campaigns, {options.stored:,} clicks")
    clicks = clicks_of_campaigns(tracker)
    enter_conversions(tracker, clicks, CAMPAIGNS, "S")
    tracker.stop()
    found = {"clicks": options.stored, "conversions": options.stored // 10, "campaigns": CAMPAIGNS}
    found["made_in_s"] = fill_with_clicks(data, options.stored - CAMPAIGNS * CLICKS_EACH)
    found["made_in_s"] += fill_with_conversions(data, found["conversions"] - CAMPAIGNS)
    found["clicks_bytes"] = sum(
        os.path.getsize(f"{data}/clicks/{name}") for name in os.listdir(f"{data}/clicks"))
    found["ledger_bytes"] = os.path.getsize(f"{data}/clickrelay.db")
    say("  starting with them")
    found["ready_s"] = []
    for _ in range(options.rounds - 1):
        found["ready_s"].append(tracker.start())
        tracker.stop()
    found["ready_s"].append(tracker.start())
    found["resident_ready_bytes"] = tracker.resident_bytes()

    empty = Tracker(stack, options.binary, f"{directory}/stored-nothing", cores.server)
    empty.start()
    empty.set_up()
    connections = max(options.connections)
    rounds = {"empty": [], "stored": []}
    servers = (("empty", empty.port), ("stored", tracker.port))
    for _, port in servers:
        run_wrk(cores.load, port, PATH, connections, 1)  # warm
    for number in range(options.rounds):
        for name, port in servers:
            say(f"  redirects, round {number + 1}: {name}")
            rounds[name].append(run_wrk(cores.load, port, PATH, connections, options.seconds))
    found["redirects"] = {name: medians(measured) for name, measured in rounds.items()}
    found["growth_ratio"] = (
        found["redirects"]["stored"]["per_second"] / found["redirects"]["empty"]["per_second"])
    empty.stop()
    found["resident_loaded_bytes"] = tracker.resident_bytes()
    say(f"  {IDLE_CONNECTIONS:,} idle connections")
    with contextlib.ExitStack() as idle:
        connections = idle_connections(idle, tracker.port, IDLE_CONNECTIONS)
        time.sleep(0.5)
        found["resident_connected_bytes"] = tracker.resident_bytes()
        found["connected"] = sum(is_open(connection) for connection in connections)
        found["connected_of"] = IDLE_CONNECTIONS
    found["exit_code"] = tracker.stop()
    results["stored"] = found
    shutil.rmtree(data)

