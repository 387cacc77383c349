"""The one table that the benchmarks print."""

import json
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Goal:
    """What a figure is to reach."""

    value: float
    at_most: bool = False

    def is_met_by(self, value):
        return value <= self.value if self.at_most else value >= self.value

    def __str__(self):
        return f"{'at most' if self.at_most else 'at least'} {number(self.value)}"


@dataclass
class Figure:
    """One line: the median of what the rounds gave. `unit` is "x" for a ratio to the section's baseline."""

    name: str
    samples: list
    unit: str = "x"
    goal: Goal | None = None
    beside: dict = field(default_factory=dict)  # more about it, as {what: text or number}

    @property
    def value(self):
        return median(self.samples)

    def as_json(self):
        return {"name": self.name, "value": self.value, "samples": self.samples, "unit": self.unit,
                "goal": str(self.goal) if self.goal else None,
                "met": self.goal.is_met_by(self.value) if self.goal else None, "beside": self.beside}


def number(value):
    """Three digits that matter, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


class Report:
    """Prints each section as soon as it is measured, and keeps everything for the JSON."""

    def __init__(self, head):
        self.head = head
        self.sections = []
        for key, value in head.items():
            print(f"{key:<12} {value}")

    def section(self, title, explanation, figures):
        self.sections.append({"title": title, "explanation": explanation, "figures": [f.as_json() for f in figures]})
        print(f"\n{title}\n{explanation}")
        print(f"  {'':<50} {'median':>8}    {'lowest - highest':<17}to reach")
        for figure in figures:
            self._print(figure)

    def skipped(self, title, why):
        self.sections.append({"title": title, "skipped": why})
        print(f"\n{title}\n  left out: {why}", flush=True)

    @staticmethod
    def _print(figure):
        spread = ""
        if len(figure.samples) > 1:
            spread = f"{number(min(figure.samples))} - {number(max(figure.samples))}"
        goal = ""
        if figure.goal:
            goal = f"{figure.goal} {'' if figure.goal.is_met_by(figure.value) else '(not met)'}"
        beside = ", ".join(f"{value if isinstance(value, str) else number(value)} {what}"
                           for what, value in figure.beside.items())
        value = f"{number(figure.value):>8} {figure.unit:<2}"
        print(f"  {figure.name:<50} {value} {spread:<16} {goal:<24} {beside}".rstrip(), flush=True)

    def goals(self):
        """(met, all) of what has a goal."""
        met = [figure["met"] for section in self.sections for figure in section.get("figures", []) if figure["goal"]]
        return sum(met), len(met)

    def write_json(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"head": self.head, "sections": self.sections}, file, indent=1)
            file.write("\n")


def rate_text(rates):
    return f"{median(rates):,.0f}"
