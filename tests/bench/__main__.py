"""python3 -m bench: see tests/bench/run."""

import signal
import sys
import time

from bench import clocks, growth, http_postgres, machine, memory, options, otlp, races, reading, retention, roll_ups, stages, writes
from bench.database import SETTINGS, BenchDatabase
from bench.figures import Report

SECTIONS = {
    "writes": writes.run,
    "stages": stages.run,
    "http": http_postgres.run,
    "memory": lambda report, _: memory.run(report),
    "otlp": otlp.run,
    "reading": reading.run,
    "clocks": lambda report, database: clocks.run(report, database.database),
    "races": lambda report, _: races.run(report),
    "roll_ups": roll_ups.run,
    "retention": retention.run,
    "growth": growth.run,
}


def main():
    unknown = set(options.ONLY) - set(SECTIONS)
    if unknown:
        sys.exit(f"BENCH_ONLY: {', '.join(sorted(unknown))}: choose from {', '.join(SECTIONS)}")
    wanted = options.ONLY or [name for name in SECTIONS if name != "growth" or options.FULL]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    report = Report(machine.head())
    with BenchDatabase(SETTINGS, "bench") as database:
        for name in wanted:
            SECTIONS[name](report, database)
    if "growth" not in wanted:
        report.skipped(growth.TITLE.format(events=20_000_000), "takes long; FULL=1 measures it")
    met, goals = report.goals()
    print(f"\n{met} of {goals} goals met; {time.monotonic() - began:.0f} s")
    if options.JSON_FILE:
        report.write_json(options.JSON_FILE)


if __name__ == "__main__":
    main()
