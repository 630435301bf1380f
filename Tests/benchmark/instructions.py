"""Instructions per click: the server under callgrind, with the load that the redirects are measured
with. Unlike times they hardly depend on what else the machine does, so small changes show."""

import os
import re
import shutil
import subprocess

from harness import Tracker, say
from load import run_wrk
from redirects import PATH
from routing import ROUTED_PATH, set_up_routed

# The first reading, of the server as it was when this was first counted.
FIRST = 53_300
CONNECTIONS = 256


class Counted(Tracker):
    """A server whose instructions are counted while we say so. It takes some fifty times as long."""

    def __init__(self, stack, binary, data, core):
        super().__init__(stack, binary, data, core)
        # What describes the source is left out: valgrind reads all of it, and counts no better.
        self.stripped = f"{data}.binary"
        subprocess.run(["strip", "--strip-debug", "-o", self.stripped, binary], check=True)

    def command(self):
        return [
            shutil.which("valgrind"), "--tool=callgrind", "--instr-atstart=no",
            f"--callgrind-out-file={self.data}.callgrind", self.stripped,
        ]

    def count(self, is_on):
        subprocess.run(
            ["callgrind_control", "-i", "on" if is_on else "off", str(self.child.process.pid)],
            check=True, capture_output=True)


def clicks(tracker):
    return tracker.api("GET", "/report?group=campaign")["totals"]["clicks"]


def by_library(path):
    """Sums of a callgrind file by the file that the instructions lie in."""
    names, sums, object_name, in_call = {}, {}, "?", False
    with open(path) as file:
        for line in file:
            if match := re.match(r"ob=\((\d+)\)(?: (.*))?", line):
                if match.group(2):
                    names[match.group(1)] = os.path.basename(match.group(2)).split(".so")[0]
                object_name = names.get(match.group(1), "?")
            elif match := re.match(r"cob=\((\d+)\) (.*)", line):
                names[match.group(1)] = os.path.basename(match.group(2)).split(".so")[0]
            elif line.startswith("calls="):
                in_call = True
            elif line[0] in "+-*0123456789":
                # The line behind `calls=` tells what the call took, which its callee tells, too.
                if in_call:
                    in_call = False
                    continue
                fields = line.split()
                if len(fields) == 2:
                    sums[object_name] = sums.get(object_name, 0) + int(fields[1])
    return sums


def measure(stack, options, cores, data, set_up, path):
    tracker = Counted(stack, options.binary, data, cores.server)
    tracker.start()
    tracker.set_up()
    set_up(tracker)
    run_wrk(cores.load, tracker.port, path, CONNECTIONS, 1)  # warm
    before = clicks(tracker)
    tracker.count(True)
    run_wrk(cores.load, tracker.port, path, CONNECTIONS, options.seconds)
    tracker.count(False)
    counted = clicks(tracker) - before
    tracker.stop()
    found = f"{data}.callgrind"
    libraries = by_library(found)
    with open(found) as file:
        total = int(re.search(r"^totals: (\d+)", file.read(), re.M).group(1))
    name = os.path.basename(tracker.stripped)
    return {
        "clicks": counted, "each": total / counted,
        "each_by_library": {
            ("clickrelay" if library == name else library): count / counted
            for library, count in sorted(libraries.items(), key=lambda item: -item[1])
            if count / counted >= 1
        },
    }


def bench_instructions(stack, options, cores, directory, results):
    say("  a plain campaign")
    plain = measure(
        stack, options, cores, f"{directory}/counted", lambda tracker: None, PATH)
    say("  a campaign with rules, places, caps and known visitors")
    routed = measure(
        stack, options, cores, f"{directory}/counted-routed", set_up_routed, ROUTED_PATH)
    results["instructions"] = {"first": FIRST, "plain": plain, "routed": routed}
