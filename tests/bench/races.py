"""Finding the races of one trace, by the core alone: what SQL and the server's answers stand on."""

import subprocess
from statistics import median

from bench import options
from bench.drive import PROGRAMS
from bench.figures import Figure, Goal, number

TITLE = "Races in one trace"
EXPLANATION = """\
  build/bench/races, see races.cpp: accesses of one variable by {threads} threads, a share of them linked to the last event
  of another thread. To find races is to read the events into a table, to order them, to count the races and list the
  first 100, or the same by site. Ratios are to reading alone, and to a look at each pair that conflicts instead: by
  comparing the vector clocks of both, as a join on <||> does (of every 100th access, times 100), against ordering and
  counting, for a brute force has its clocks at hand. Beside it the same with each thread's counter at hand."""
ACCESSES = 1_000_000
PAIRED = 20_000
THREADS = 64
STRANDS = 8_000
LINKS = (0, 0.01, 0.5)
BYTES_IN_MB = 1_000_000


def _find(events, threads, links, *more):
    """What the program answers, in as many rounds as are asked for: {what: [number]}."""
    rounds = {}
    for _ in range(options.ROUNDS):
        done = subprocess.run([str(PROGRAMS / "races"), str(events), str(threads), str(links), *more],
                              capture_output=True, text=True, check=True)
        for word in done.stdout.split():
            what, value = word.split("=")
            rounds.setdefault(what, []).append(float(value))
    return rounds


def _each(found, value):
    """value(what: number) of each round."""
    return [value(dict(zip(found, numbers))) for numbers in zip(*found.values())]


def _figures_of_many(links):
    events = options.events(ACCESSES)
    found = _find(events, THREADS, links)
    name = f"{events:,} accesses, {links:.0%} linked"
    parts = {f"s {what}": number(median(found[key])) for what, key in
             (("reading", "table"), ("ordering", "order"), ("counting", "count"), ("counting by site", "sites"))}
    return [
        Figure(f"{name}: s", _each(found, lambda of: of["table"] + of["order"] + of["count"]), "s",
               Goal(2, at_most=True), beside={"races": f"{median(found['races']):,.0f}"} | parts),
        Figure(f"{name}, by site: s", _each(found, lambda of: of["table"] + of["order"] + of["sites"]), "s",
               Goal(2, at_most=True)),
        Figure(f"{name}: to reading", _each(found, lambda of: 1 + (of["order"] + of["count"]) / of["table"])),
        Figure(f"{name}: peak", _each(found, lambda of: of["peak"] / BYTES_IN_MB), "MB", Goal(150, at_most=True)),
    ]


def _figures_of_strands():
    found = _find(STRANDS, STRANDS, 0)
    name = f"{STRANDS:,} concurrent strands"
    return [
        Figure(f"{name}: s", _each(found, lambda of: of["table"] + of["order"] + of["count"]), "s",
               Goal(0.2, at_most=True), beside={"races": f"{median(found['races']):,.0f}"}),
        Figure(f"{name}: to reading", _each(found, lambda of: 1 + (of["order"] + of["count"]) / of["table"])),
    ]


def _figure_of_pairs(links):
    events = options.events(PAIRED)
    found = _find(events, THREADS, links, "pairs")
    return Figure(f"{events:,} accesses, {links:.0%} linked: pairs to ours",
                  _each(found, lambda of: of["clocks"] / (of["order"] + of["count"])), goal=Goal(1000),
                  beside={"s for the pairs": number(median(found["clocks"])),
                          "x counting alone": number(median(_each(found, lambda of: of["clocks"] / of["count"]))),
                          "x with counters at hand": number(median(_each(
                              found, lambda of: of["lookups"] / (of["order"] + of["count"]))))})


def run(report):
    figures = [figure for links in LINKS for figure in _figures_of_many(links)]
    figures += _figures_of_strands()
    figures += [_figure_of_pairs(links) for links in LINKS]
    report.section(TITLE, EXPLANATION.format(threads=THREADS), figures)
