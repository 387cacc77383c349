"""The load generator, build/bench/drive."""

import json
import subprocess
from dataclasses import dataclass

from support import paths
from support.server import server_environment

PROGRAMS = paths.BUILD / "bench"


@dataclass(frozen=True)
class Load:
    """What `drive` reports of a load, see outcome.hpp."""

    events: int
    stored: int
    duplicates: int
    rejected: int
    seconds: float
    preparation_seconds: float
    requests: int
    ways: dict
    p50_ms: float
    p99_ms: float

    @property
    def rate(self):
        """Events a second."""
        return self.events / self.seconds


def drive(kind, **options):
    """Runs `drive KIND` with the options (`first_copy=1` is --first-copy=1); no event may be rejected."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    done = subprocess.run([str(PROGRAMS / "drive"), kind, f"--data={paths.DATA / 'sdk'}", *words], capture_output=True,
                          text=True, check=False, env=server_environment())
    if done.returncode != 0:
        raise RuntimeError(f"drive {kind} {' '.join(words)}: {done.stderr.strip()}")
    load = Load(**json.loads(done.stdout))
    assert load.rejected == 0, f"events were rejected: {load}"
    return load
