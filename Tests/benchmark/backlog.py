"""A host with millions of deliveries waiting: memory, start, and what its neighbour feels of it.

First the host is dead: it takes connections and never answers. Then the server starts anew with the
host answering, and empties the backlog while the neighbour is still told of its own conversions.
"""

import contextlib
import http.client
import os
import re
import shutil
import socket
import statistics
import threading
import time

from deliveries import cpu_us_each
from harness import Tracker, destination, free_port, say
from ledger import fill_with_waiting
from load import Receiver, enter_conversions, make_clicks

# As many as a source may have.
DESTINATIONS = 20


class Neighbour:
    """A receiver that notes when each order arrived."""

    def __init__(self, stack):
        self.arrived = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        stack.callback(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            pending = b""
            while True:
                chunk = connection.recv(65536)
                if not chunk:
                    return
                pending += chunk
                while b"\r\n\r\n" in pending:
                    head, pending = pending.split(b"\r\n\r\n", 1)
                    order = re.search(rb"[?&]order=(\w+)", head)
                    if order:
                        self.arrived.setdefault(order.group(1).decode(), time.monotonic())
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")


def neighbour_latency(tracker, neighbour, key, clicks, count, prefix):
    """Seconds from the end of a postback's answer to the arrival of its delivery, one by one."""
    connection = http.client.HTTPConnection("127.0.0.1", tracker.port, timeout=30)
    latencies, lost = [], 0
    for number in range(count):
        order = f"{prefix}{number}"
        connection.request(
            "GET",
            f"/postback/{key}?cid={clicks[number % len(clicks)]}&payout=1.5&txid={order}"
            "&status=approved")
        response = connection.getresponse()
        response.read()
        answered = time.monotonic()
        if response.status != 200:
            raise SystemExit(f"a postback was answered {response.status}")
        while order not in neighbour.arrived and time.monotonic() - answered < 30:
            time.sleep(0.0005)
        if order in neighbour.arrived:
            latencies.append(max(0.0, neighbour.arrived[order] - answered))
        else:
            lost += 1
        time.sleep(0.02)
    latencies.sort()
    return {
        "sent": count, "lost": lost,
        "p50": statistics.median(latencies) if latencies else None,
        "max": latencies[-1] if latencies else None,
    }


def dead_host(stack, port):
    """Takes connections until its backlog is full and answers none."""
    listener = socket.create_server(("127.0.0.1", port), backlog=32)
    stack.callback(listener.close)
    return listener


def bench_backlog(stack, options, cores, directory, results):
    results["backlog"] = []
    for waiting in options.waiting:
        with contextlib.ExitStack() as own:
            found = measure(own, options, cores, f"{directory}/backlog-{waiting}", waiting)
        results["backlog"].append(found)
        # The larger ones take gigabytes.
        shutil.rmtree(f"{directory}/backlog-{waiting}")


def measure(stack, options, cores, data, waiting):
    found = {}
    neighbour = Neighbour(stack)
    port = free_port()
    tracker = Tracker(stack, options.binary, data, cores.server)
    found["ready_empty_s"] = tracker.start()
    found["resident_empty_bytes"] = tracker.resident_bytes()
    key = tracker.set_up()
    tracker.add_campaign(
        "crowd",
        [destination(f"http://127.0.0.1:{port}", f"d{number}") for number in range(DESTINATIONS)])
    tracker.add_campaign("lone", [destination(f"http://127.0.0.1:{neighbour.port}")])
    crowd = make_clicks(tracker.port, "crowd", 500, 1)
    lone = make_clicks(tracker.port, "lone", 30, 2)
    enter_conversions(tracker, crowd, 1, "T")
    tracker.stop()
    say(f"  {waiting:,} deliveries to a dead host")
    found["made_in_s"] = fill_with_waiting(data, waiting - DESTINATIONS)
    found["ledger_bytes"] = os.path.getsize(f"{data}/clickrelay.db")

    dead = dead_host(stack, port)
    found["ready_dead_s"] = tracker.start()
    say("  its neighbour")
    found["neighbour_of_dead"] = neighbour_latency(tracker, neighbour, key, lone, 100, "A")
    found["resident_dead_bytes"] = tracker.resident_bytes()
    more = DESTINATIONS * 1000
    begun = time.monotonic()
    enter_conversions(tracker, crowd, more // DESTINATIONS, "C", rows=500)
    found["queued_per_second"] = more / (time.monotonic() - begun)
    found["resident_dead_peak_bytes"] = tracker.resident_bytes("VmHWM")
    found["waiting_at_restart"] = tracker.api("GET", "/status")["outbound"]["waiting"]
    dead.close()
    tracker.stop()

    say("  starting with them")
    found["ready_s"] = []
    for _ in range(options.rounds - 1):
        found["ready_s"].append(tracker.start())
        tracker.stop()
    receiver = Receiver(stack, f"{data}-receiver", cores.load, port)
    begun = time.monotonic()
    found["ready_s"].append(tracker.start())
    found["resident_ready_bytes"] = tracker.resident_bytes()
    while receiver.count() == 0 and time.monotonic() - begun < options.limit:
        time.sleep(0.001)
    found["first_delivery_s"] = time.monotonic() - begun
    say("  emptying, and the neighbour")
    cpu, count, at = tracker.cpu_seconds(), receiver.count(), time.monotonic()
    found["neighbour_of_busy"] = neighbour_latency(
        tracker, neighbour, key, lone, 40 * options.seconds, "B")
    span, taken = time.monotonic() - at, receiver.count() - count
    found["per_second"] = taken / span
    found["cpu_us_each_by_thread"] = cpu_us_each(cpu, tracker.cpu_seconds(), taken)
    found["cpu_us_each"] = sum(found["cpu_us_each_by_thread"].values())
    found["resident_busy_bytes"] = tracker.resident_bytes()
    found["resident_peak_bytes"] = tracker.resident_bytes("VmHWM")
    found["exit_code"] = tracker.stop()
    return found
