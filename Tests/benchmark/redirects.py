"""Redirects beside nginx, memory after them, and the time to start."""

import statistics

from harness import Tracker, say, start_nginx
from load import medians, run_wrk

PATH = (
    "/c/summer?subid=W8dK3pQ9xZ7fT2mNcR5vB1hJ4gL6sA0y&zone=3948571&creative=77120&cost=0.0123"
    "&keyword=running+shoes&bid=0.021"
)


def bench_redirects(stack, options, cores, directory, results):
    nginx = start_nginx(
        stack, f"{directory}/yardstick", cores.server,
        "return 302 https://offer.example/land?s2=0123456789abcdefghjkmnpqrs&zone=3948571;",
    )
    tracker = Tracker(stack, options.binary, f"{directory}/redirects", cores.server)
    results["redirects"] = {}
    results["start_empty_s"] = [tracker.start()]
    results["resident_idle_bytes"] = tracker.resident_bytes()
    tracker.set_up()
    for port in (nginx, tracker.port):
        run_wrk(cores.load, port, PATH, 64, 1)  # warm
    for connections in options.connections:
        rounds = {"nginx": [], "clickrelay": []}
        for number in range(options.rounds):
            for name, port in (("nginx", nginx), ("clickrelay", tracker.port)):
                say(f"  {connections} connections, round {number + 1}: {name}")
                rounds[name].append(run_wrk(cores.load, port, PATH, connections, options.seconds))
        both = {name: medians(measured) for name, measured in rounds.items()}
        both["ratio"] = both["clickrelay"]["per_second"] / both["nginx"]["per_second"]
        results["redirects"][str(connections)] = both
    results["resident_after_redirects_bytes"] = tracker.resident_bytes()
    results["resident_peak_bytes"] = tracker.resident_bytes("VmHWM")
    report = tracker.api("GET", "/report?group=campaign")
    results["clicks_recorded"] = report["totals"]["clicks"]
    tracker.stop()
    for _ in range(4):
        results["start_empty_s"].append(tracker_restart_time(stack, options, cores, directory))


def tracker_restart_time(stack, options, cores, directory):
    tracker = Tracker(stack, options.binary, f"{directory}/empty", cores.server)
    seconds = tracker.start()
    tracker.stop()
    return seconds
