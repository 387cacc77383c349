"""What the environment asks of the benchmarks."""

import os

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
FULL = os.environ.get("FULL", "") not in ("", "0")
JSON_FILE = os.environ.get("BENCH_JSON")
ONLY = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]


def events(number):
    """So many events at scale 1; at least a few batches."""
    return max(2000, int(number * SCALE))


def seconds(number):
    return max(0.2, number * min(SCALE, 1))
