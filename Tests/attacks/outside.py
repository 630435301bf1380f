"""`slowhttptest` as an attacker: an outside judge with its own idea of a slow client.

usage: outside.py KIND PORT CONNECTIONS SECONDS POSTBACK-KEY

https://github.com/shekyan/slowhttptest; in Debian.
"""

import csv
import json
import subprocess
import sys
import tempfile

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


def longest(rows, seconds):
    """The longest that a connection was open, by what the tool counts each second.

    They are taken for closed in the order in which they were opened.
    """
    opened = [int(row["Closed"]) + int(row["Connected"]) for row in rows]
    closed = [int(row["Closed"]) for row in rows]
    most, second = 0, 0
    for begun, count in enumerate(opened):
        while second < len(closed) and closed[second] < count:
            second += 1
        # Those that are open at the end were so until then; the tool ends when none is left.
        most = max(most, min(second, seconds, len(closed)) - begun)
    return most


def main():
    kind, port, count, seconds, key = sys.argv[1:]
    seconds = int(float(seconds))
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["slowhttptest", *KINDS[kind], "-c", count, "-r", str(max(1, int(count) // 5)),
             "-l", str(seconds), "-p", "5", "-g", "-o", f"{directory}/told",
             "-u", f"http://127.0.0.1:{port}" + PATHS[kind].format(key=key)],
            check=True, stdout=subprocess.DEVNULL)
        with open(f"{directory}/told.csv") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
    print(json.dumps({
        "opened": max(int(row["Closed"]) + int(row["Connected"]) for row in rows),
        "longest": longest(rows, seconds),
        "unavailable_seconds": sum(row["Service Available"] == "0" for row in rows),
    }))


if __name__ == "__main__":
    main()
