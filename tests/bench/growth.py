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


def _partitioned_exists(database):
    return database.value("SELECT count(*) FROM pg_proc WHERE pronamespace = 'raceway'::regnamespace "
                          "AND proname = 'migrate' AND 'partition_by' = ANY (proargnames)") > 0


def _rates(migrate):
    """Events a second of each part."""
    rates = []
    with BenchDatabase(GROWTH_SETTINGS, "bench-growth", migrate) as database:
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


def run(report, database):
    figures = _figures("plain", _rates("raceway.migrate()"), None)
    partitioned = _partitioned_exists(database.database)
    if partitioned:
        figures += _figures("partitioned by day", _rates("raceway.migrate(partition_by => 'day')"), Goal(0.9))
    settings = ", ".join(f"{key} = {value}" for key, value in GROWTH_SETTINGS.items())
    title = TITLE.format(events=PARTS * options.events(1_000_000))
    report.section(title, EXPLANATION.format(settings=settings), figures)
    if not partitioned:
        report.skipped("The same partitioned by day", "this extension has no migrate(partition_by => ..)")
