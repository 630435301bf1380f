"""What the kernel says of TCP connections."""

import os
import time


def established(port):
    """Of the server's end, each by its peer and its socket: established, or closed by the other
    side only."""
    with open("/proc/net/tcp") as file:
        fields = [line.split() for line in file]
    return [
        (each[2], each[9]) for each in fields
        if each[1].endswith(f":{port:04X}") and each[3] in ("01", "08")
    ]


def connections(port):
    return len(established(port))


class Ages:
    """How long connections have been open, from the first look that saw them to the last."""

    def __init__(self, port):
        self.port, self.since, self.longest = port, {}, 0.0

    def look(self):
        """How many there are now."""
        now = time.monotonic()
        self.since = {each: self.since.get(each, now) for each in established(self.port)}
        self.longest = max(self.longest, now - min(self.since.values(), default=now))
        return len(self.since)


def kernel_memory():
    """Bytes that the kernel holds for all TCP connections, of both ends here."""
    with open("/proc/net/sockstat") as file:
        fields = next(line for line in file if line.startswith("TCP:")).split()
    return int(fields[fields.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
