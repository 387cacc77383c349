"""Where things are in the checkout."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
DATA = TESTS / "data"
BUILD = ROOT / "build"
SERVER = BUILD / "raceway"
PORTABLE = BUILD / "raceway-portable.sql"
LOGS = BUILD / "test-logs"
EXTENSION_VERSION = next(
    line.split("'")[1]
    for line in (ROOT / "extension" / "raceway.control").read_text().splitlines()
    if line.startswith("default_version")
)
