"""What the figures were measured on."""

import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import time


def sync_microseconds(directory):
    """Median of a 4 KiB overwrite and its fdatasync, the way a write-ahead log is written."""
    block, times = os.urandom(4096), []
    with open(f"{directory}/sync", "w+b", buffering=0) as file:
        file.write(block * 200)
        os.fsync(file.fileno())
        file.seek(0)
        for _ in range(200):
            begun = time.perf_counter()
            file.write(block)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    os.unlink(f"{directory}/sync")
    return statistics.median(times) * 1e6


def first_line(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    return (result.stdout + result.stderr).strip().split("\n")[0]


def machine(directory, binary):
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith(("model name", "Model")):
                model = line.split(":", 1)[1].strip()
                break
    system = "Linux"
    with contextlib.suppress(OSError), open("/etc/os-release") as file:
        system = dict(
            line.rstrip().split("=", 1) for line in file if "=" in line
        ).get("PRETTY_NAME", system).strip('"')
    return {
        "processor": model, "cores": os.cpu_count(), "system": system,
        "kernel": platform.release(), "file_system": first_line("stat", "-f", "-c", "%T", directory),
        "fdatasync_us": sync_microseconds(directory),
        "nginx": first_line(shutil.which("nginx") or "/usr/sbin/nginx", "-v"),
        "wrk": first_line("wrk", "-v").split(" Copyright")[0],
        "clickrelay": first_line(binary, "version"),
    }
