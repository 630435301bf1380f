"""Outbound deliveries alone: a backlog is made while nobody listens, then the receiver opens.

Every attempt is recorded durably. Time runs from the server's start; what counts is the span from
the first call that the receiver sees until the last result is on disk.
"""

import os
import statistics
import subprocess
import time

from harness import Tracker, destination, free_port, say
from ledger import fill_with_waiting
from load import Receiver, enter_conversions, make_clicks


def make_certificates(directory):
    """A CA of our own and a certificate of 127.0.0.1 by it."""
    os.makedirs(directory)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=bench CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bench")
    with open(f"{directory}/server.ext", "w") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
        "-CAcreateserial", "-extfile", "server.ext", "-out", "server.pem")
    return f"{directory}/ca.pem", (f"{directory}/server.pem", f"{directory}/server.key")


def waiting_and_unrecorded(tracker):
    outbound = tracker.api("GET", "/status")["outbound"]
    return outbound["waiting"], outbound["in_flight"] + outbound["unrecorded"]


def cpu_us_each(before, after, count):
    """Microseconds of processor time for each of `count`, by thread, next to nothing left out."""
    each = {
        name: (seconds - before.get(name, 0.0)) / max(1, count) * 1e6
        for name, seconds in after.items()
    }
    return {name: round(us, 2) for name, us in each.items() if us >= 0.05}


def drain(tracker, receiver, expected, limit):
    """Waits until everything was delivered and recorded; what came of it."""
    begun, cpu = time.monotonic(), tracker.cpu_seconds()
    first, samples = None, [(0.0, 0)]
    while time.monotonic() - begun < limit:
        time.sleep(0.02)
        samples.append((time.monotonic() - begun, receiver.count()))
        if first is None and samples[-1][1] > 0:
            first = samples[-2][0]
        if samples[-1][1] >= expected:
            break
    ended = None
    while ended is None and time.monotonic() - begun < limit:
        if waiting_and_unrecorded(tracker) == (0, 0):
            ended = time.monotonic() - begun
        else:
            time.sleep(0.005)
    connections, received = receiver.counters()
    threads = cpu_us_each(cpu, tracker.cpu_seconds(), received)
    span = (ended or samples[-1][0]) - (first or 0.0)
    return {
        "queued": expected, "received": received, "is_all_recorded": ended is not None,
        "first_after_s": first, "seconds": span, "per_second": received / span if span else 0.0,
        "connections": connections, "cpu_us_each": sum(threads.values()),
        "cpu_us_each_by_thread": threads,
    }


def bench_deliveries(stack, options, cores, directory, results):
    trust, certificate = make_certificates(f"{directory}/certificates")
    results["deliveries_alone"] = {}
    for scheme in ("http", "https"):
        rounds = []
        for number in range(options.rounds):
            say(f"  {scheme}, round {number + 1}: {options.deliveries} deliveries")
            place = f"{directory}/{scheme}-{number}"
            tracker = Tracker(stack, options.binary, place, cores.server)
            tracker.environment["SSL_CERT_FILE"] = trust
            tracker.start()
            port = free_port()
            tracker.set_up()
            tracker.add_campaign("told", [destination(f"{scheme}://127.0.0.1:{port}")])
            clicks = make_clicks(tracker.port, "told", 1, number)
            enter_conversions(tracker, clicks, 1, "D")
            tracker.stop()
            fill_with_waiting(place, options.deliveries - 1)
            receiver = Receiver(
                stack, f"{place}-receiver", cores.load, port,
                certificate if scheme == "https" else None)
            ready = tracker.start()
            measured = drain(tracker, receiver, options.deliveries, options.limit)
            measured["ready_s"] = ready
            measured["resident_bytes"] = tracker.resident_bytes()
            measured["exit_code"] = tracker.stop()
            rounds.append(measured)
        results["deliveries_alone"][scheme] = {
            "per_second": statistics.median(r["per_second"] for r in rounds),
            "cpu_us_each": statistics.median(r["cpu_us_each"] for r in rounds),
            "rounds": rounds,
        }
