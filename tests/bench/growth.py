"""How the rate holds while the table grows."""

from bench import options
from bench.database import GROWTH_SETTINGS, BenchDatabase
from bench.figures import Figure, Goal, rate_text

TITLE = "While the table grows to {events:,} events"
EXPLANATION = """\
  ingest in batches of 1,000 on one connection, into one table that is never emptied; autovacuum and checkpoints as
  they come. Ratios are of events a second to the first part, into the empty table; each line is the median of three
  parts of a million. {settings}."""
PARTS = 20
COPIES_IN_PART = 1_000_000 // 2289 + 1  # the traffic has 2,289 events


def _rates(partition_by):
    """Events a second of each part."""
    rates = []
    with BenchDatabase(GROWTH_SETTINGS, "bench-growth", f"raceway.migrate('{partition_by}')") as database:
        if partition_by != "none":
            # The traffic was recorded on the first day; each of its copies is a minute later.
            database.database.sql("SELECT raceway.make_partitions('2026-11-22', '2026-11-30')")
        for part in range(PARTS):
            load, _ = database.load("ingest", 1000, options.events(1_000_000), first_copy=part * COPIES_IN_PART)
            assert load.stored == load.events, f"events are missing: {load}"
            rates.append(load.rate)
    return rates


def _figures(name, rates, goal):
    figures = [Figure(f"{name}, empty", [1.0], beside={"events/s": rate_text(rates[:1])})]
    for share in (0.25, 0.5, 1):
        at = int(PARTS * share) - 1
        # The last parts together: one alone may have met a checkpoint.
        late = rates[at - 2:at + 1]
        figures.append(Figure(f"{name}, {100 * share:.0f} % full", [rate / rates[0] for rate in late],
                              goal=goal if share == 1 else None, beside={"events/s": rate_text(late)}))
    return figures


def run(report, _):
    figures = _figures("plain", _rates("none"), None)
    figures += _figures("partitioned by day", _rates("day"), Goal(0.9))
    settings = ", ".join(f"{key} = {value}" for key, value in GROWTH_SETTINGS.items())
    title = TITLE.format(events=PARTS * options.events(1_000_000))
    report.section(title, EXPLANATION.format(settings=settings), figures)
