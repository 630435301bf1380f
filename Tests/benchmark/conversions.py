"""Postbacks of different clicks, with and without an outbound postback each."""

import os
import shutil
import statistics
import subprocess
import time

from harness import Tracker, say
from load import (
    Receiver, WRK_POSTBACKS, make_clicks, medians, postback_file, run_wrk, wrk_command, wrk_figures)

CONNECTIONS = 64


def database_bytes(directory):
    return sum(
        os.path.getsize(os.path.join(directory, name)) for name in os.listdir(directory)
    )


def bench_conversions(stack, options, cores, directory, results):
    receiver = Receiver(stack, f"{directory}/receiver", cores.load)
    script = f"{directory}/postbacks.lua"
    with open(script, "w") as file:
        file.write(WRK_POSTBACKS)
    rounds = []
    for number in range(options.rounds):
        say(f"  round {number + 1}")
        rounds.append(measure(stack, options, cores, directory, receiver, script))
        shutil.rmtree(f"{directory}/conversions")
    results["conversions"] = {
        "postbacks": medians([one["postbacks"] for one in rounds]),
        "postbacks_while_told": medians([one["postbacks_while_told"] for one in rounds]),
        "delivered_per_second": statistics.median(
            one["delivered"]["per_second"] for one in rounds),
        "drained_per_second": statistics.median(
            one["delivered"]["drained_per_second"] for one in rounds),
        "delivered": sum(one["delivered"]["received"] for one in rounds),
        "bytes_per_click": statistics.median(one["bytes_per_click"] for one in rounds),
        "ledger_bytes_per_conversion": statistics.median(
            one["ledger_bytes_per_conversion"] for one in rounds),
        "start_filled_s": [one["start_filled_s"] for one in rounds],
        "rounds": rounds,
    }


def measure(stack, options, cores, directory, receiver, script):
    """One round, with a tracker of its own."""
    data = f"{directory}/conversions"
    tracker = Tracker(stack, options.binary, data, cores.server)
    tracker.start()
    key = tracker.set_up(receiver.port)
    say(f"  making {2 * options.postbacks} clicks")
    quiet = make_clicks(tracker.port, "quiet", options.postbacks, 1)
    loud = make_clicks(tracker.port, "summer", options.postbacks, 2)
    tracker.stop()
    found = {"bytes_per_click": database_bytes(f"{data}/clicks") / (2 * options.postbacks)}
    found["start_filled_s"] = tracker.start()
    say("  postbacks that tell nobody")
    found["postbacks"] = run_wrk(
        cores.load, tracker.port, "/", CONNECTIONS, options.limit, script,
        [postback_file(directory, key, "quiet", quiet)])
    say("  postbacks with an outbound postback each")
    wrk = wrk_command(
        cores.load, tracker.port, "/", CONNECTIONS, options.limit, script,
        [postback_file(directory, key, "summer", loud)])
    found["postbacks_while_told"], found["delivered"] = while_told(stack, options, receiver, wrk)
    found["resident_bytes"] = tracker.resident_bytes()
    found["recorded"] = recorded(tracker)
    found["exit_code"] = tracker.stop()
    found["ledger_bytes_per_conversion"] = os.path.getsize(f"{data}/clickrelay.db") / max(
        1, sum(found["recorded"][campaign] for campaign in ("quiet", "summer")))
    return found


def while_told(stack, options, receiver, command):
    """Runs wrk and goes on until all is delivered; what both come to."""
    before, begun = receiver.count(), time.monotonic()
    samples = [(0.0, 0)]
    load_ended = None
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stack.callback(wrk.kill)
    still = 0
    while time.monotonic() - begun < 3 * options.limit:
        time.sleep(0.02)
        samples.append((time.monotonic() - begun, receiver.count() - before))
        if load_ended is None and wrk.poll() is not None:
            load_ended = len(samples) - 1
        still = still + 1 if samples[-1][1] == samples[-2][1] else 0
        if load_ended is not None and (samples[-1][1] >= options.postbacks or still >= 150):
            break
    delivered = samples[-1][1]
    ended = next(t for t, count in samples if count == delivered)
    load_end, at_end = samples[load_ended] if load_ended is not None else samples[-1]
    backlog = delivered - at_end
    is_drained = backlog >= options.postbacks // 20 and ended > load_end
    return wrk_figures(wrk.communicate()[0]), {
        "received": delivered, "seconds": ended, "per_second": delivered / ended if ended else 0.0,
        "backlog_at_load_end": backlog,
        # 0: it kept up.
        "drained_per_second": backlog / (ended - load_end) if is_drained else 0.0,
    }


def recorded(tracker):
    """Conversions by campaign, and the deliveries that still wait."""
    rows = tracker.api("GET", "/report?group=campaign")["rows"]
    waiting = tracker.api("GET", "/status")["outbound"]["waiting"]
    return {"quiet": 0, "summer": 0, "waiting": waiting} | {
        row["campaign"]: row["conversions"] for row in rows}
