"""What the tests of the page look at."""

import re

from support import paths
from support.traffic import RECORDED, recorded_bodies


def readme_race():
    """The body of the README's first race."""
    return re.search(r"-d '(\{\"events\".*?\]\})'", (paths.ROOT / "README.md").read_text(), re.S)[1]


def fill(store):
    """Everything that SDKs have sent, and that race."""
    for capture in RECORDED:
        store.post_all(recorded_bodies(capture))
    store.post(readme_race())


def trace_with_services(store, services):
    """The id of a trace of that many services."""
    listed = store.get("/api/traces", page=1, page_size=500)["traces"]
    return next(trace["trace_id"] for trace in listed if trace["service_count"] == services)
