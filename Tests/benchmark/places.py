"""A small MMDB file (maxmind.github.io/MaxMind-DB), so that visitors can be looked up."""

import random
import time


def _size(kind, size):
    extended = kind > 7
    first = 0 if extended else kind << 5
    if size < 29:
        head = bytes([first | size])
        rest = b""
    else:
        head = bytes([first | 29])
        rest = bytes([size - 29])
    return head + (bytes([kind - 7]) if extended else b"") + rest


def _encode(value, kind=None):
    if isinstance(value, dict):
        return _size(7, len(value)) + b"".join(
            _encode(name) + _encode(item) for name, item in value.items())
    if isinstance(value, list):
        return _size(11, len(value)) + b"".join(_encode(item) for item in value)
    if isinstance(value, str):
        text = value.encode()
        return _size(2, len(text)) + text
    # Numbers as unsigned integers of 16, 32 and 64 bits.
    number = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _size(kind or (5 if value < 65536 else 6), len(number)) + number


def write_places(path, networks=20_000):
    """`networks` blocks of 256 IPv4 addresses and those of this machine, which are in California."""
    choose = random.Random(5)
    blocks = [(bytes([127, 0, 0]), 0)] + [
        (bytes([choose.randrange(1, 120), choose.randrange(256), choose.randrange(256)]),
         choose.randrange(200))
        for _ in range(networks)
    ]
    data, offsets = b"", []
    for number in range(200):
        offsets.append(len(data))
        data += _encode({
            "country": {"iso_code": "US" if number == 0 else "DE"},
            "subdivisions": [{"iso_code": "CA", "names": {"en": "California"}}],
            "city": {"names": {"en": f"City {number}"}},
        })
    # IPv4 lies below 96 zero bits.
    nodes = [[None, None]]
    for address, record in blocks:
        node = 0
        bits = [0] * 96 + [byte >> shift & 1 for byte in address for shift in range(7, -1, -1)]
        for bit in bits[:-1]:
            if nodes[node][bit] is None:
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][bits[-1]] = -1 - offsets[record]

    def pointer(entry):
        if entry is None:
            return len(nodes)
        return entry if entry >= 0 else len(nodes) + 16 - 1 - entry

    tree = b"".join(pointer(side).to_bytes(4, "big") for node in nodes for side in node)
    metadata = _encode({
        "node_count": len(nodes), "record_size": 32, "ip_version": 6,
        "database_type": "Bench-City", "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0,
        "description": {"en": "made by the benchmark"},
    })
    # One more pair, whose type has 64 bits.
    metadata = bytes([metadata[0] + 1]) + metadata[1:]
    metadata += _encode("build_epoch") + _encode(int(time.time()), kind=9)
    with open(path, "wb") as file:
        file.write(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + metadata)
