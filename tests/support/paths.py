"""Where things are in the checkout."""

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
DATA = TESTS / "data"
BUILD = ROOT / "build"
SERVER = Path(os.environ.get("RACEWAY_SERVER", BUILD / "raceway"))  # another build of it, with a sanitizer say
PORTABLE = BUILD / "raceway-portable.sql"
LOGS = BUILD / "test-logs"
EXTENSION_VERSION = next(
    line.split("'")[1]
    for line in (ROOT / "extension" / "raceway.control").read_text().splitlines()
    if line.startswith("default_version")
)
