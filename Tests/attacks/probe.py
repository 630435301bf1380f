"""An honest visitor: one redirect after the other, with the time that each took.

Every fifth is asked for over a connection of its own, whose making counts.
"""

import json
import socket
import subprocess
import sys
import time
from typing import NamedTuple


class Result(NamedTuple):
    p50: float
    p99: float
    lost: int


def run(port, path, seconds, pause=0.004):
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\n\r\n".encode()
    times, lost, connection = [], 0, None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if len(times) % 5 == 0 and connection is not None:
            connection.close()
            connection = None
        begun = time.perf_counter()
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), 5)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                more = connection.recv(65536)
                if not more:
                    raise OSError("closed")
                answer += more
            if not answer.startswith(b"HTTP/1.1 302"):
                raise OSError(answer[:40])
        except OSError:
            lost += 1
            if connection is not None:
                connection.close()
            connection = None
        times.append((time.perf_counter() - begun) * 1000)
        time.sleep(pause)
    if connection is not None:
        connection.close()
    times.sort()
    return Result(
        round(times[len(times) // 2], 2), round(times[int(len(times) * 0.99)], 2), lost)


def run_apart(port, path, seconds):
    """The same by a process that nothing else runs in: a thread would wait for others' turns."""
    output = subprocess.check_output([sys.executable, __file__, str(port), path, str(seconds)])
    return Result(*json.loads(output))


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))))
