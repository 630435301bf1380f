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
from typing import NamedTuple

from sockets import Ages

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


class Run(NamedTuple):
    process: subprocess.Popen
    count: int
    begun: float


class Attack:
    """Runs of the tool beside one another, as none reopens a connection that the server closed."""

    def __init__(self, kind, port, count, seconds, key, directory):
        self.kind, self.port, self.count, self.directory = kind, port, count, directory
        self.url = f"http://127.0.0.1:{port}" + PATHS[kind].format(key=key)
        self.rate = max(1, count // 5)
        self.end = time.monotonic() + seconds
        self.runs = []

    def launch(self, count):
        now = time.monotonic()
        process = subprocess.Popen(
            ["slowhttptest", *KINDS[self.kind], "-c", str(count), "-r", str(self.rate),
             "-l", str(max(1, int(self.end - now))), "-p", "5", "-g",
             "-o", f"{self.directory}/{len(self.runs)}", "-u", self.url],
            stdout=subprocess.DEVNULL)
        self.runs.append(Run(process, count, now))

    def to_come(self):
        """Connections that runs have yet to open, each after a second in which it starts."""
        now = time.monotonic()
        return sum(
            max(0, run.count - int(self.rate * max(0, now - run.begun - 1))) for run in self.runs)

    def run(self):
        # The tool itself does not notice that a connection which it reads slowly was reset.
        ages = Ages(self.port)
        while time.monotonic() < self.end:
            missing = self.count - ages.look() - self.to_come()
            # One that could not open its connections any more would end in the middle of it.
            if missing * 4 >= self.count and self.end - time.monotonic() > 2:
                self.launch(missing)
            time.sleep(1)
        return {
            "opened": sum(self.opened(number) for number in range(len(self.runs))),
            "longest": round(ages.longest, 1),
        }

    def opened(self, number):
        """How many connections a run has opened, once it is over."""
        if self.runs[number].process.wait(30) != 0:
            sys.exit(f"slowhttptest ended with {self.runs[number].process.returncode}")
        with open(f"{self.directory}/{number}.csv") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
        return max((int(row["Closed"]) + int(row["Connected"]) for row in rows), default=0)


def main():
    kind, port, count, seconds, key = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        attack = Attack(kind, int(port), int(count), float(seconds), key, directory)
        print(json.dumps(attack.run()))


if __name__ == "__main__":
    main()
