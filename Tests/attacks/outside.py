"""`slowhttptest` as an attacker: an outside judge with its own idea of a slow client.

usage: outside.py KIND PORT CONNECTIONS SECONDS POSTBACK-KEY

https://github.com/shekyan/slowhttptest; in Debian.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time

from sockets import connections

# What is asked for is as large as can be had without a token, so that it is read slowly for long.
KINDS = {
    "slowhttptest-headers": ["-H", "-i", "5"],
    "slowhttptest-bodies": ["-B", "-i", "5", "-s", "65536"],
    "slowhttptest-reads": ["-X", "-k", "8", "-n", "2", "-z", "16", "-w", "64", "-y", "256"],
}
PATHS = {
    "slowhttptest-headers": "/c/summer?subid=slow",
    "slowhttptest-bodies": "/postback/{key}",
    "slowhttptest-reads": "/t.js",
}


def longest(opened, held):
    """The longest that a connection was open, in seconds, by how many were opened and held by then.

    They are taken for closed in the order in which they were opened.
    """
    closed = [most - open_now for most, open_now in zip(opened, held)]
    seconds, end = 0, 0
    for begun, count in enumerate(opened):
        while end < len(closed) and closed[end] < count:
            end += 1
        seconds = max(seconds, min(end, len(closed)) - begun)
    return seconds


def main():
    kind, port, count, seconds, key = sys.argv[1:]
    rate = max(1, int(count) // 5)
    with tempfile.TemporaryDirectory() as directory:
        attack = subprocess.Popen(
            ["slowhttptest", *KINDS[kind], "-c", count, "-r", str(rate),
             "-l", str(int(float(seconds))), "-p", "5", "-g", "-o", f"{directory}/told",
             "-u", f"http://127.0.0.1:{port}" + PATHS[kind].format(key=key)],
            stdout=subprocess.DEVNULL)
        # The tool itself does not notice that a connection which it reads slowly was reset.
        held = [0]
        while attack.poll() is None:
            time.sleep(1)
            held.append(connections(int(port)))
        if attack.returncode != 0:
            sys.exit(attack.returncode)
        with open(f"{directory}/told.csv") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    opened = max(int(row["Closed"]) + int(row["Connected"]) for row in rows)
    print(json.dumps({
        "opened": opened,
        "longest": longest([min(opened, rate * second) for second in range(len(held))], held),
        "unavailable_seconds": sum(row["Service Available"] == "0" for row in rows),
    }))


if __name__ == "__main__":
    main()
