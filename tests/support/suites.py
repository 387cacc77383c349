"""Runs the suites, three at a time, and sums them up; called by tests/run.

    python3 -m support.suites [unit|regress|pgtap|e2e|web|faults|backup|packages|faults/test_layouts.py ...]

Without a name it is all but those that must be asked for. The files that are named are run as one suite, `chosen`.

`e2e-matrix` is the whole end-to-end suite in every environment of support/environments.py, as is e2e-pooled and so on
in one of them with RACEWAY_E2E_WHOLE set; by default only what stands for it runs there.

The last line is `N passed, M failed`, with `, K skipped` where there are any.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from support import environments, paths


@dataclass
class Tally:
    """How many tests passed, failed and were skipped, and the names of the failed ones."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    names: list = field(default_factory=list)

    def text(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def reason(message, lines=4, width=300):
    """Why a test failed, short enough for a summary: where only that is kept, it must do to begin a search."""
    return "".join(f"\n               {line[:width]}" for line in (message or "").splitlines()[:lines])


def tally_junit(log, report):
    """From the XML report that GoogleTest and pytest write."""
    tally = Tally()
    if not report.exists():
        return tally
    # A failed test may show bytes that are no UTF-8, or characters that XML does not know.
    text = re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "?", report.read_text(errors="replace"))
    for case in ElementTree.fromstring(text.encode()).iter("testcase"):
        failures = [*case.iterfind("failure"), *case.iterfind("error")]
        if failures:
            tally.failed += 1
            tally.names.append(f"{case.get('classname')}.{case.get('name')}{reason(failures[0].get('message'))}")
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            tally.skipped += 1
        else:
            tally.passed += 1
    return tally


def tally_tap(log, report):
    """From pg_prove's verbose TAP. Each file begins with its name; one that broke off counts as a failure more. A line
    `edition: NAME` says what the files that follow are run against."""
    tally, edition, file = Tally(), "", ""
    for line in log.read_text(errors="replace").splitlines():
        if named := re.match(r"edition: (\w+)$", line):
            edition = named[1]
        if named := re.match(r"(\S+)\.sql (\.+|\(Wstat)", line):
            file = Path(named[1]).name
        elif re.match(r"ok \d+.*# *skip", line, re.IGNORECASE):
            tally.skipped += 1
        elif re.match(r"ok \d+", line):
            tally.passed += 1
        elif re.match(r"not ok \d+", line):
            tally.failed += 1
            tally.names.append(f"{edition} {file}: {line}")
        elif re.match(r"#\s+(have|want|caught|wanted|died): ", line) and tally.names:
            tally.names[-1] += reason(line)
        elif re.match(r"\s+Parse errors: ", line):
            tally.failed += 1
            tally.names.append(f"{edition} {file}: {line.strip()}")
    return tally


def tally_regress(log, report):
    """From pg_regress: `test name ... ok` up to PostgreSQL 15, TAP from 16 on."""
    tally = Tally()
    for line in log.read_text(errors="replace").splitlines():
        if re.match(r"(test\s+)?\s*\S+\s+\.\.\. ok\b|ok \d+", line):
            tally.passed += 1
        elif re.match(r"(test\s+)?\s*\S+\s+\.\.\. FAILED|not ok \d+", line):
            tally.failed += 1
            tally.names.append(line.strip())
    return tally


PYTHON = [sys.executable, "-m"]
IN_CLUSTER = [*PYTHON, "support.with_cluster"]


def pytest_suite(name, report=None, files=()):
    return [*PYTHON, "pytest", "-q", "--color=no", f"--junitxml={paths.LOGS / ((report or name) + '.xml')}", "--durations=15",
            "-c", str(paths.TESTS / "pytest.ini"), "--rootdir", str(paths.TESTS),
            *(str(paths.TESTS / part) for part in files or [name])]


def matrix(whole):
    """The end-to-end suite in every other environment, or what stands for it."""
    chosen = [] if whole else ["--representative"]
    return {f"e2e-{name}": ([*pytest_suite("e2e", f"e2e-{name}"), "--environment", name, *chosen], tally_junit)
            for name in environments.names(whole)}


def suites():
    """{name: (command, how its tests are counted)}"""
    pgtap = sorted(str(file) for file in (paths.TESTS / "pgtap").glob("*.sql"))
    return {
        "unit": ([str(paths.BUILD / "unit_tests"), "--gtest_brief=1", f"--gtest_output=xml:{paths.LOGS / 'unit.xml'}"],
                 tally_junit),
        "regress": ([*IN_CLUSTER, "make", "--no-print-directory", "-C", str(paths.ROOT / "extension"), "installcheck"],
                    tally_regress),
        "pgtap": ([*PYTHON, "support.pgtap", *pgtap], tally_tap),
        "e2e": (pytest_suite("e2e"), tally_junit),
        **matrix(whole="RACEWAY_E2E_WHOLE" in os.environ),
        **{name: ([*pytest_suite("faults", name), "--part", f"{part}/{len(FAULTS)}"], tally_junit)
           for part, name in enumerate(FAULTS, 1)},
        "web": (pytest_suite("web"), tally_junit),
        "backup": (pytest_suite("backup"), tally_junit),
        "packages": (pytest_suite("packages"), tally_junit),
    }


FAULTS = ("faults-1", "faults-2")  # side by side
ON_DEMAND = {"packages"}  # downloads a Debian; see `make deb-test`


def run_suite(name, command, count):
    """Runs it with its output in a log, and says in a line how it went. Thread-safe."""
    log, report = paths.LOGS / f"{name}.log", paths.LOGS / f"{name}.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    with open(log, "wb") as out:
        # From the root, where the unit tests look for their data.
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=paths.ROOT,
                                check=False).returncode
    tally = count(log, report)
    if tally.passed + tally.failed == 0:
        tally.failed = 1
        tally.names.append(f"no test ran (status {status})")
    elif status != 0 and tally.failed == 0:
        tally.failed = 1
        tally.names.append(f"ended with status {status}")
    said = [f"{name:10} {tally.text()} in {time.monotonic() - began:.0f} s"]
    if tally.failed:
        said += [f"           {failed}" for failed in tally.names]
        said.append(f"           the whole story: {log.relative_to(paths.ROOT)}")
    print("\n".join(said), flush=True)
    return tally


def main():
    known = suites()
    wanted = sys.argv[1:] or [name for name in known if name not in ON_DEMAND]
    if "faults" in wanted:
        at = wanted.index("faults")
        wanted[at:at + 1] = FAULTS
    if "e2e-matrix" in wanted:
        known |= matrix(whole=True)
        at = wanted.index("e2e-matrix")
        wanted[at:at + 1] = matrix(whole=True)
    if files := [name for name in wanted if (paths.TESTS / name).is_file()]:
        known["chosen"] = (pytest_suite("chosen", files=files), tally_junit)
        wanted = [name for name in wanted if name not in files] + ["chosen"]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no suite {unknown[0]!r}; there are {', '.join(known)}")
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    # Much of their time they wait: for a disk, a timeout, a server that starts. What takes longest begins first.
    wanted.sort(key=lambda name: name not in (*FAULTS, "e2e"))
    with ThreadPoolExecutor(max_workers=3) as lanes:
        tallies = list(lanes.map(lambda name: run_suite(name, *known[name]), wanted))
    total = Tally(sum(t.passed for t in tallies), sum(t.failed for t in tallies), sum(t.skipped for t in tallies))
    print(total.text())
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
