"""One Chromium for the whole run, and a server with what a test looks at."""

import re

import pytest

from support import paths
from support.browser import Browser
from support.store import Store
from support.traffic import RECORDED, recorded_bodies

# Routes that a server may not have: the page looks elsewhere then, and the console says so.
OPTIONAL = r"/api/(changes|storage|traces/[^/ ]+/(graph|events))[? ].*404"


@pytest.fixture(scope="session")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture
def open_browser(chromium, request):
    """open_browser(store): the browser at a store's server. The test fails where the console complains; where it fails,
    what was to be seen is kept below build/."""
    def begin(store):
        chromium.begin(store.server.url)
        chromium.allow(OPTIONAL)
        return chromium

    yield begin
    failed = getattr(request.node, "report_call", None) is None or request.node.report_call.failed
    if failed:
        chromium.screenshot(request.node.name)
    complaints = chromium.complaints()
    if not failed:
        assert complaints == []


def readme_race():
    """The body of the README's first race."""
    return re.search(r"-d '(\{\"events\".*?\]\})'", (paths.ROOT / "README.md").read_text(), re.S)[1]


def fill(store):
    for capture in RECORDED:
        store.post_all(recorded_bodies(capture))
    store.post(readme_race())


@pytest.fixture(scope="session")
def recorded(cluster):
    """A server in memory with everything that SDKs have sent, and the README's race. Nobody sends more to it."""
    with Store("memory", cluster, "web-recorded") as store:
        fill(store)
        yield store


@pytest.fixture
def page(open_browser, recorded):
    """The browser at that server."""
    return open_browser(recorded)


@pytest.fixture
def empty(open_store):
    return open_store("memory")


def trace_with_services(store, services):
    """The id of a trace of that many services."""
    listed = store.get("/api/traces", page=1, page_size=500)["traces"]
    return next(trace["trace_id"] for trace in listed if trace["service_count"] == services)


__all__ = ["fill", "readme_race", "trace_with_services"]
