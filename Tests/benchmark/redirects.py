"""Redirects beside nginx, at full and at half load, and while a report scans; memory, start."""

import contextlib
import statistics
import threading
import time

from harness import Tracker, processor_seconds, say, start_nginx
from load import PACED, medians, run_wrk

PATH = (
    "/c/summer?subid=W8dK3pQ9xZ7fT2mNcR5vB1hJ4gL6sA0y&zone=3948571&creative=77120&cost=0.0123"
    "&keyword=running+shoes&bid=0.021"
)
YARDSTICK = "return 302 https://offer.example/land?s2=0123456789abcdefghjkmnpqrs&zone=3948571;"
# By country, device and campaign: every row of the day is read for it.
SCAN = "/report?group=campaign,device,country"


def bench_redirects(stack, options, cores, directory, results):
    nginx = start_nginx(stack, f"{directory}/yardstick", cores.server, YARDSTICK)
    logging = start_nginx(stack, f"{directory}/logging", cores.server, YARDSTICK, logs=True)
    tracker = Tracker(stack, options.binary, f"{directory}/redirects", cores.server)
    results["redirects"] = {}
    results["start_empty_s"] = [tracker.start()]
    results["resident_idle_bytes"] = tracker.resident_bytes()
    tracker.set_up()
    servers = (("nginx", nginx), ("nginx_log", logging), ("clickrelay", tracker.port))
    processes = {
        "nginx": nginx_pid(f"{directory}/yardstick"), "nginx_log": nginx_pid(f"{directory}/logging"),
        "clickrelay": tracker.child.process.pid,
    }
    for _, port in servers:
        warm = run_wrk(cores.load, port, PATH, 64, 1)
    acknowledged = warm["requests"] - warm["failed"]
    for connections in options.connections:
        rounds = {name: [] for name, _ in servers}
        for number in range(options.rounds):
            for name, port in servers:
                say(f"  {connections} connections, round {number + 1}: {name}")
                before = processor_seconds(processes[name])
                row = run_wrk(cores.load, port, PATH, connections, options.seconds)
                spent = processor_seconds(processes[name]) - before
                rounds[name].append(row | {"processor_us": spent / row["requests"] * 1e6})
        each = {name: medians(measured) for name, measured in rounds.items()}
        acknowledged += each["clickrelay"]["requests"] - each["clickrelay"]["failed"]
        rate = each["clickrelay"]["per_second"]
        each["ratio"] = rate / each["nginx"]["per_second"]
        each["ratio_log"] = rate / each["nginx_log"]["per_second"]
        # On a machine whose cores others use, too, it differs less than what is served in a second.
        each["ratio_processor"] = (
            each["nginx"]["processor_us"] / each["clickrelay"]["processor_us"])
        results["redirects"][str(connections)] = each
    results["resident_after_redirects_bytes"] = tracker.resident_bytes()
    results["resident_peak_bytes"] = tracker.resident_bytes("VmHWM")
    report = tracker.api("GET", "/report?group=campaign")
    results["clicks_recorded"] = report["totals"]["clicks"]
    results["clicks_acknowledged"] = acknowledged
    connections = max(options.connections)
    full = results["redirects"][str(connections)]["clickrelay"]
    results["half_load"] = at_half_load(
        options, cores, (("nginx", nginx), ("clickrelay", tracker.port)), connections, full)
    results["scanning"] = while_scanning(options, cores, tracker, connections)
    tracker.stop()
    for _ in range(options.rounds - 1):
        results["start_empty_s"].append(tracker_restart_time(stack, options, cores, directory))


def nginx_pid(directory):
    with open(f"{directory}/pid") as file:
        return int(file.read())


def at_half_load(options, cores, servers, connections, full):
    """The same half of what the tracker takes at most for both: each connection rests between two
    requests, for whole milliseconds, which is how wrk counts them."""
    period_ms = connections / (full["per_second"] / 2) * 1e3
    most = max(1, round(2 * (period_ms - 0.7)))
    rounds = {name: [] for name, _ in servers}
    for number in range(options.rounds):
        for name, port in servers:
            say(f"  half of the load, round {number + 1}: {name}")
            rounds[name].append(
                run_wrk(
                    cores.load, port, PATH, connections, options.seconds, arguments=[str(most)],
                    text=PACED))
    return {name: medians(measured) for name, measured in rounds.items()} | {
        "aimed_at_per_second": full["per_second"] / 2}


def while_scanning(options, cores, tracker, connections):
    """Redirects while one report after the other reads all of the day's clicks."""
    rounds, reports, seconds = {"idle": [], "scanning": []}, 0, 0.0
    for number in range(options.rounds):
        for name in rounds:
            say(f"  reports, round {number + 1}: {name}")
            with contextlib.ExitStack() as round_stack:
                if name == "scanning":
                    scan = Scan(tracker)
                    round_stack.callback(scan.stop)
                rounds[name].append(
                    run_wrk(cores.load, tracker.port, PATH, connections, options.seconds))
            if name == "scanning":
                reports += scan.count
                seconds += scan.seconds
    found = {name: medians(measured) for name, measured in rounds.items()}
    found["ratio"] = found["scanning"]["per_second"] / found["idle"]["per_second"]
    found["seconds_each"] = seconds / reports if reports else None
    found["clicks"] = tracker.api("GET", "/report?group=campaign")["totals"]["clicks"]
    return found


class Scan:
    """Asks for one report after the other until it is stopped."""

    def __init__(self, tracker):
        self.tracker, self.count, self.seconds, self.ends = tracker, 0, 0.0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ends:
            begun = time.monotonic()
            self.tracker.api("GET", SCAN)
            self.count += 1
            self.seconds += time.monotonic() - begun

    def stop(self):
        self.ends = True
        self.thread.join()


def tracker_restart_time(stack, options, cores, directory):
    tracker = Tracker(stack, options.binary, f"{directory}/empty", cores.server)
    seconds = tracker.start()
    tracker.stop()
    return seconds
