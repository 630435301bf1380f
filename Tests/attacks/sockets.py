"""What the kernel says of TCP connections."""

import os


def connections(port):
    """Of the server's end: established, or closed by the other side only."""
    with open("/proc/net/tcp") as file:
        fields = [line.split() for line in file]
    return sum(each[1].endswith(f":{port:04X}") and each[3] in ("01", "08") for each in fields)


def kernel_memory():
    """Bytes that the kernel holds for all TCP connections, of both ends here."""
    with open("/proc/net/sockstat") as file:
        fields = next(line for line in file if line.startswith("TCP:")).split()
    return int(fields[fields.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
