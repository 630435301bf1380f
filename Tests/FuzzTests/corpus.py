"""Kept inputs as text: one a line, bytes that aren't plain ASCII as \\xNN, lines with # are notes.

usage: corpus.py unpack FILE DIRECTORY | pack DIRECTORY FILE
"""

import hashlib
import os
import re
import sys

# What is kept of a run: enough to be worth replaying, little enough to be read and stored.
INPUT_BYTES_MAX = 400
FILE_BYTES_MAX = 16_000


def escape(data: bytes) -> str:
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte != 92 and not (index == 0 and byte == 35)
        else f"\\x{byte:02x}"
        for index, byte in enumerate(data)
    )


def unescape(line: str) -> bytes:
    return re.sub(
        rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), line.encode("ascii")
    )


def read(path: str) -> list[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        return [line.rstrip("\n") for line in file]


def unpack(path: str, directory: str) -> None:
    for line in read(path):
        if not line.startswith("#"):
            data = unescape(line)
            with open(f"{directory}/{hashlib.sha1(data).hexdigest()}", "wb") as file:
                file.write(data)


def pack(directory: str, path: str) -> None:
    lines = read(path)
    known = set(lines)
    size = sum(len(line) + 1 for line in lines)
    found = []
    for name in os.listdir(directory):
        with open(f"{directory}/{name}", "rb") as file:
            data = file.read()
        if len(data) <= INPUT_BYTES_MAX:
            found.append(escape(data))
    for line in sorted(found, key=lambda line: (len(line), line)):
        if line not in known and size + len(line) < FILE_BYTES_MAX:
            lines.append(line)
            size += len(line) + 1
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("unpack", "pack"):
        sys.exit(__doc__)
    {"unpack": unpack, "pack": pack}[sys.argv[1]](sys.argv[2], sys.argv[3])
