"""Hours of half load: are memory, descriptors and latency flat? Run it as `sh Tests/soak`."""

import argparse
import contextlib
import http.client
import os
import signal
import statistics
import sys
import tempfile
import threading
import time

from harness import ROOT, Cores, Tracker, say
from load import Receiver, make_clicks, run_wrk
from machine import machine
from redirects import PATH

CONNECTIONS = 64
CACHES = ("ledger_cache", "clicks_cache")
POSTBACKS_PER_SECOND = 100

# Requests of one connection keep a mean distance, with as much chance in it as there may be: all
# connections in step would be bursts. wrk reads a delay of whole milliseconds.
PACED = """
function init(arguments) mean = tonumber(arguments[1]); math.randomseed(os.time()) end
function delay() return math.floor(math.random() * 2 * mean + 0.5) end
"""


class Conversions(threading.Thread):
    """Postbacks of clicks of their own, each told on to a receiver, until it is stopped."""

    def __init__(self, port, key):
        super().__init__(daemon=True)
        self.port, self.key = port, key
        self.sent = self.refused = 0
        self.is_over = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        number = 0
        while not self.is_over.is_set():
            begun = time.monotonic()
            for click in make_clicks(self.port, "summer", POSTBACKS_PER_SECOND, number):
                number += 1
                connection.request(
                    "GET", f"/postback/{self.key}?cid={click}&payout=1.5&txid=S{number:09d}")
                answer = connection.getresponse()
                answer.read()
                self.sent += 1
                self.refused += answer.status != 200
            self.is_over.wait(max(0.0, 1 - (time.monotonic() - begun)))

    def stop(self):
        self.is_over.set()
        self.join(30)


def third(values, which):
    """The median of the first (0) or the last (2) third."""
    size = max(1, len(values) // 3)
    return statistics.median(values[:size] if which == 0 else values[-size:])


def verdict(samples):
    """What is not flat, each with its figures; the limits are far above what a sample wavers by.

    The caches of database pages grow until they are full, which takes some minutes: each is held to
    its bound, and what is resident beside them has to be flat from the beginning.
    """
    found = []
    for name in CACHES:
        most = max(sample[name + "_mib"] for sample in samples)
        bound = samples[-1][name + "_max_mib"]
        # A page has a header in memory, and those that a transaction changes stay until its end.
        if most > bound * 1.1 + 1:
            found.append(f"{name}: {most:.1f} MiB, though {bound:.0f} is its bound")
    for name, share, more, unit in (
        ("beside_mib", 1.10, 6, "MiB resident beside the caches"),
        ("descriptors", 1.0, 8, "descriptors"),
        ("p99_ms", 1.5, 2, "ms p99"), ("threads", 1.0, 0, "threads"),
    ):
        values = [sample[name] for sample in samples]
        before, after = third(values, 0), third(values, 2)
        if after > before * share + more:
            found.append(f"{unit}: {before:.1f} in the first third, {after:.1f} in the last")
    rates = [sample["per_second"] for sample in samples]
    if third(rates, 2) < 0.8 * third(rates, 0):
        found.append(f"redirects/s: {third(rates, 0):.0f}, then {third(rates, 2):.0f}")
    if failed := sum(sample["failed"] for sample in samples):
        found.append(f"{failed} requests were not redirected")
    return found


def main():
    parser = argparse.ArgumentParser(
        prog="Tests/soak",
        description="Half of what one core can do, for a time; samples memory, descriptors and "
        "latency, and says whether they stay flat (exit 1 if not).",
    )
    parser.add_argument("--minutes", type=float, default=60, help="how long (60)")
    parser.add_argument("--sample", type=int, default=15, help="seconds of each sample (15)")
    parser.add_argument(
        "--binary", default=os.environ.get("CLICKRELAY_BINARY"), help="the binary to run")
    parser.add_argument(
        "--dir", default=os.path.join(ROOT, ".build"),
        help="where the data directory goes: a real disk; an hour needs some 20 GB (.build)")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary or os.path.join(ROOT, ".build/release/clickrelay"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = Cores()
    with contextlib.ExitStack() as stack:
        os.makedirs(options.dir, exist_ok=True)
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="soak-", dir=options.dir))
        script = f"{directory}/paced.lua"
        with open(script, "w") as file:
            file.write(PACED)
        receiver = Receiver(stack, f"{directory}/receiver", cores.load)
        tracker = Tracker(stack, binary, f"{directory}/data", cores.server)
        tracker.start()
        key = tracker.set_up(receiver.port)
        run_wrk(cores.load, tracker.port, PATH, CONNECTIONS, 1)  # warm
        full = run_wrk(cores.load, tracker.port, PATH, CONNECTIONS, 3)
        # What a request takes by itself is part of the distance between two.
        pause = 1000 * max(0.0, CONNECTIONS / (full["per_second"] / 2) - full["p50"] / 2)
        say(f"{full['per_second']:.0f} redirects/s at most; half of it from now on")
        conversions = Conversions(tracker.port, key)
        conversions.start()
        samples = []
        process = f"/proc/{tracker.child.process.pid}"
        end = time.monotonic() + options.minutes * 60
        while time.monotonic() < end:
            part = run_wrk(
                cores.load, tracker.port, PATH, CONNECTIONS, options.sample, script, [str(pause)])
            # Until the server has seen that the load has left.
            time.sleep(0.5)
            caches = tracker.api("GET", "/status")["caches"]
            resident = tracker.resident_bytes()
            beside = resident - sum(caches[name]["bytes"] for name in ("ledger", "clicks"))
            samples.append({
                "per_second": part["per_second"], "p50_ms": part["p50"] * 1000,
                "p99_ms": part["p99"] * 1000, "failed": part["failed"],
                "resident_mib": resident / (1 << 20), "beside_mib": beside / (1 << 20),
                **{
                    f"{name}_cache{suffix}_mib": caches[name]["bytes" + suffix] / (1 << 20)
                    for name in ("ledger", "clicks") for suffix in ("", "_max")
                },
                "descriptors": len(os.listdir(f"{process}/fd")),
                "threads": len(os.listdir(f"{process}/task")),
            })
            say("  " + "  ".join(f"{name} {value:.1f}" for name, value in samples[-1].items()))
        conversions.stop()
        status = tracker.api("GET", "/status")
        wrong = verdict(samples[1:] or samples)
        for name, value in machine(directory, binary).items():
            print(f"{name}: {value}")
        print(
            f"{len(samples)} samples of {options.sample} s, {conversions.sent} postbacks "
            f"({conversions.refused} refused), {receiver.count()} delivered; "
            f"first and last third: "
            + ", ".join(
                f"{name} {third([s[name] for s in samples], 0):.1f} → "
                f"{third([s[name] for s in samples], 2):.1f}"
                for name in (
                    "per_second", "p50_ms", "p99_ms", "resident_mib", "beside_mib", "descriptors"))
            + "; caches at the end: " + ", ".join(
                f"{name} {samples[-1][name + '_mib']:.1f} of "
                f"{samples[-1][name + '_max_mib']:.0f} MiB" for name in CACHES))
        if conversions.refused:
            wrong.append(f"{conversions.refused} postbacks were refused")
        for line in wrong:
            print(f"not flat: {line}")
        print("flat" if not wrong else "NOT FLAT", status.get("version", ""))
        tracker.stop()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
