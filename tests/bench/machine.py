"""Where and with what was measured."""

import os
import re
import subprocess
import time
from pathlib import Path
from statistics import median

from bench import options
from bench.database import SETTINGS
from support.cluster import PG_CONFIG
from support.traffic import RECORDED, recorded_bodies


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _found_in(path, pattern):
    match = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return match[1].strip() if match else "unknown"


def _sync_millis(directory):
    """How long 8 KiB take to be safe on the disk that the clusters use."""
    path = Path(directory) / f"raceway-bench-sync-{os.getpid()}"
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(50):
            began = time.monotonic()
            file.write(b"x" * 8192)
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - began) * 1000)
    path.unlink()
    return median(times)


def _package(name):
    return _output("dpkg-query", "-W", "-f", "${Version}", name) or "not installed"


def head():
    cores = os.cpu_count()
    memory = int(_found_in("/proc/meminfo", r"MemTotal:\s+(\d+)")) / 2**20
    model = _found_in("/proc/cpuinfo", r"model name\s*:\s*(.*)")
    postgres = _output(PG_CONFIG, "--version").split()[1]
    compiler = _output(os.environ.get("CXX", "g++"), "--version").splitlines()[0]
    return {
        "machine": f"{cores} cores of {model}, {memory:.0f} GiB, {_output('uname', '-sr')}, "
                   f"load {os.getloadavg()[0]:.2f} at the start",
        "disk": f"8 KiB written and synced in {_sync_millis('/tmp'):.2f} ms",
        "versions": f"PostgreSQL {postgres}, {compiler}, "
                    f"simdjson {_package('libsimdjson-dev')}, redis {_package('redis-server')}",
        "PostgreSQL": ", ".join(f"{key} = {value}" for key, value in SETTINGS.items()) + "; a checkpoint before each "
                      "measurement, none in it; all else as by default",
        "events": "recorded SDK traffic (tests/data/sdk), each copy with fresh ids and a minute later; "
                  f"{_event_bytes():.0f} bytes of JSON an event",
        "rounds": f"{options.ROUNDS}, medians; a ratio is to the baseline measured right before and after"
                  + ("" if options.SCALE == 1 else f"; SCALE {options.SCALE:g}: THESE FIGURES SAY NOTHING"),
    }


def _event_bytes():
    bodies = [body for capture in RECORDED for body in recorded_bodies(capture)]
    return sum(map(len, bodies)) / sum(events for events, _ in RECORDED.values())
