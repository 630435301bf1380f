"""Measures Clickrelay beside nginx: one pinned core for the server, another for the load.

Run it as `sh Tests/bench`, which installs nginx and wrk and builds the binary. Every click is
fsynced before its redirect (DB_SYNC=full); the yardstick is nginx's bare `return 302` in the same
run, in rounds that take turns. Python's standard library only.
"""

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile

from backlog import DESTINATIONS, bench_backlog
from conversions import bench_conversions
from deliveries import bench_deliveries
from failures import failures
from harness import ROOT, Cores, say
from instructions import bench_instructions
from machine import machine
from redirects import bench_redirects
from report import print_text
from routing import bench_routing
from stored import CAMPAIGNS, bench_stored

PARTS = {
    "redirects": bench_redirects, "routing": bench_routing, "instructions": bench_instructions,
    "conversions": bench_conversions, "deliveries": bench_deliveries, "backlog": bench_backlog,
    "stored": bench_stored,
}
# Those that take minutes by themselves are asked for.
DEFAULT = [part for part in PARTS if part not in ("backlog", "stored")]


def main():
    parser = argparse.ArgumentParser(
        prog="Tests/bench",
        description="Measures Clickrelay beside nginx's bare return 302 on one pinned core: "
        "redirects, postbacks, deliveries, bytes per click, memory, start-up time. Exit 1 when "
        "requests failed, or when something acknowledged was not recorded (deliveries: within "
        "--limit); never for other times.",
    )
    parser.add_argument(
        "--only", default=",".join(DEFAULT), metavar="PARTS",
        help=f"comma-separated parts of {', '.join(PARTS)} ({','.join(DEFAULT)})")
    parser.add_argument(
        "--rounds", type=int, default=5,
        help="rounds (5), of which medians are printed; memory, instructions and the deliveries of "
        "the backlog part are measured once")
    parser.add_argument(
        "--seconds", type=int, default=5,
        help="seconds of each redirect round, and of emptying the backlog (5)")
    parser.add_argument(
        "--connections", default="64,256", help="connection counts, comma-separated (64,256)")
    parser.add_argument(
        "--postbacks", type=int, default=60_000, help="postbacks in each of the two phases (60000)")
    parser.add_argument(
        "--limit", type=int, default=60,
        help="most seconds a phase of postbacks or deliveries may take (60)")
    parser.add_argument(
        "--deliveries", type=int, default=100_000,
        help="deliveries of each round that measures them alone, plain and TLS (100000)")
    parser.add_argument(
        "--waiting", default="1000000,10000000", metavar="NUMBERS",
        help="deliveries that wait for one host in the backlog part, comma-separated "
        "(1000000,10000000; the latter need 5 GB of disk for a few minutes)")
    parser.add_argument(
        "--stored", type=int, default=10_000_000,
        help="clicks of 1,000 campaigns on disk in the stored part, with a tenth as many "
        "conversions (10000000; each million takes 200 MB of disk and some seconds)")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON, too")
    parser.add_argument(
        "--binary", default=os.environ.get("CLICKRELAY_BINARY"), help="the binary to measure")
    parser.add_argument(
        "--dir", default=os.path.join(ROOT, ".build"),
        help="where the data directories go: a real disk, not a tmpfs (.build)")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"--only: no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    options.connections = [int(one) for one in options.connections.split(",")]
    options.waiting = [int(one) for one in options.waiting.split(",")]
    if min(options.waiting) < DESTINATIONS:
        parser.error(f"--waiting: at least {DESTINATIONS}")
    if options.stored < 20 * CAMPAIGNS:
        parser.error(f"--stored: at least {20 * CAMPAIGNS}")
    options.binary = os.path.abspath(options.binary or os.path.join(ROOT, ".build/release/clickrelay"))
    if not os.access(options.binary, os.X_OK):
        parser.error(f"no binary at {options.binary}: run sh Tests/bench")
    if len(os.sched_getaffinity(0)) < 2:
        say("only one core here: server and load share it, and the figures mean little")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, hard), hard))

    # SIGTERM unwinds like Ctrl-C, so that no child is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = Cores()
    with contextlib.ExitStack() as stack:
        os.makedirs(options.dir, exist_ok=True)
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bench-", dir=options.dir))
        results = {"machine": machine(directory, options.binary)}
        for part, run in PARTS.items():
            if part in parts:
                say(part)
                run(stack, options, cores, directory, results)
    print_text(results)
    wrong = results["wrong"] = failures(results)
    if wrong:
        print()
    for line in wrong:
        print(f"wrong: {line}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)
            file.write("\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
