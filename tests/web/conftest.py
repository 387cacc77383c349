"""One Chromium for the whole run, and a server with what a test looks at."""

import pytest

from support.browser import Browser
from support.pages import fill
from support.store import Store


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
        return chromium

    yield begin
    failed = getattr(request.node, "report_call", None) is None or request.node.report_call.failed
    if failed:
        chromium.screenshot(request.node.name)
    complaints = chromium.complaints()
    if not failed:
        assert complaints == []


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
