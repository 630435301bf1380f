"""Postbacks of different clicks, with and without an outbound postback each."""

import os
import re
import subprocess
import time

from harness import Tracker, say
from load import Receiver, WRK_POSTBACKS, make_clicks, postback_file, run_wrk


def database_bytes(directory):
    return sum(
        os.path.getsize(os.path.join(directory, name)) for name in os.listdir(directory)
    )


def bench_conversions(stack, options, cores, directory, results):
    receiver = Receiver(stack, f"{directory}/receiver", cores.load)
    data = f"{directory}/conversions"
    tracker = Tracker(stack, options.binary, data, cores.server)
    tracker.start()
    key = tracker.set_up(receiver.port)
    say(f"  making {2 * options.postbacks} clicks")
    quiet = make_clicks(tracker.port, "quiet", options.postbacks, 1)
    loud = make_clicks(tracker.port, "summer", options.postbacks, 2)
    tracker.stop()
    results["bytes_per_click"] = database_bytes(f"{data}/clicks") / (2 * options.postbacks)
    results["start_filled_s"] = []
    for number in range(5):
        results["start_filled_s"].append(tracker.start())
        if number < 4:
            tracker.stop()

    script = f"{directory}/postbacks.lua"
    with open(script, "w") as file:
        file.write(WRK_POSTBACKS)
    say("  postbacks that tell nobody")
    path = postback_file(directory, key, "quiet", quiet)
    measured = run_wrk(cores.load, tracker.port, "/", 64, options.limit, script, [path])
    results["postbacks"] = measured

    say("  postbacks with an outbound postback each")
    path = postback_file(directory, key, "summer", loud)
    command = ["taskset", "-c", str(cores.load), "wrk", "-t1", "-c64", f"-d{options.limit}s",
               "--latency", "-s", script, f"http://127.0.0.1:{tracker.port}/", "--", path]
    begun = time.monotonic()
    samples = [(0.0, receiver.count())]
    load_ended = None
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stack.callback(wrk.kill)
    still = 0
    while time.monotonic() - begun < 3 * options.limit:
        time.sleep(0.02)
        samples.append((time.monotonic() - begun, receiver.count()))
        if load_ended is None and wrk.poll() is not None:
            load_ended = len(samples) - 1
        still = still + 1 if samples[-1][1] == samples[-2][1] else 0
        if load_ended is not None and (samples[-1][1] >= options.postbacks or still >= 150):
            break
    text = wrk.communicate()[0]
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    delivered = samples[-1][1]
    ended = next(t for t, count in samples if count == delivered)
    results["postbacks_with_delivery_per_second"] = float(rate.group(1)) if rate else 0.0
    results["deliveries"] = {
        "received": delivered, "seconds": ended, "per_second": delivered / ended if ended else 0.0,
    }
    load_end, at_end = samples[load_ended] if load_ended is not None else samples[-1]
    backlog = delivered - at_end
    results["deliveries"]["backlog_at_load_end"] = backlog
    if backlog >= options.postbacks // 20 and ended > load_end:
        results["deliveries"]["drain_per_second"] = backlog / (ended - load_end)
    results["resident_after_conversions_bytes"] = tracker.resident_bytes()
    results["ledger_bytes_per_conversion"] = None
    results["exit_code"] = tracker.stop()
    size = os.path.getsize(f"{data}/clickrelay.db")
    results["ledger_bytes_per_conversion"] = size / max(1, measured["requests"] + delivered)
