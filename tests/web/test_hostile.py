"""Traces are written by others: nothing in them runs, and nothing breaks a view."""

import pytest

from support.traffic import documented_event, sdk_event

MARKUP = "<img src=x onerror=\"window.ran=1\"><script>window.ran=1</script>{{base}}javascript:window.ran=1"
TEXTS = {"markup": MARKUP, "long": "x" * 10_000, "bidi": "\u202egnp.exe\u2066 \u200b\u0007\u001b[31m \ufeff", "quotes": "'\"`</title></style>&amp;&lt;",
         "paths": "../../%2e%2e/?#%zz&a=b,c", "prototype": "__proto__", "astral": "\U0001f3c1" * 50 + "e\u0301" * 200}
VIEWS = ["/traces", "/races", "/variables", "/services", "/storage", "/send"]
TABS = ["diagram", "events", "races", "variables", "path", "services"]


def hostile_events(text):
    short = text[:200]
    clock = [{short[:40] + "a": 1}, {short[:40] + "a": 1, "b": 1}, {short[:40] + "a": 1, "c": 1}]
    return [documented_event(f"{short} {n}", short, n, kind="StateChange" if n else "HttpRequest", location=text[:400], vector_clock=clock[n], metadata={
        "service_name": short, "thread_id": f"{short} {n}", "instance_id": text, "variable": text, "old_value": text, "new_value": {text: [text]},
        "access_type": "Write", "method": text, "url": text, text: text}) for n in range(3)]


def check(page, where):
    page.gone("[aria-busy]")
    assert page.run("return window.ran === undefined"), where
    assert "could not be shown" not in page.text("main"), where
    assert page.run("return document.querySelectorAll('#root script, #root img, #root iframe').length") == 0, where
    assert page.run("return document.documentElement.scrollWidth <= innerWidth"), f"{where} is wider than the window"


@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_runs_or_breaks_a_view(open_store, open_browser, kind):
    store = open_store("memory")
    store.post({"events": hostile_events(TEXTS[kind])})
    page = open_browser(store)
    page.allow(r"status of 414")  # a name of any length is no address
    for view in VIEWS:
        page.open(view)
        check(page, view)
    page.open("/traces")
    page.click("main .rows a")
    page.find("[role=tab]")
    for tab in TABS:
        page.click(f"[data-tab={tab}]")
        check(page, tab)
        if tab == "events":
            page.click("main .rows [role=row]")
            page.find(".event-panel dd")
            check(page, "an event")
        if tab == "races":
            page.find(".story", "What would order them")
            check(page, "a race")
    for view in ["races", "variables", "services"]:
        page.open(f"/{view}")
        page.gone("[aria-busy]")
        page.click({"races": ".more a", "variables": ".rows a", "services": ".rows a"}[view])
        page.find("main h1")
        check(page, f"one of {view}")
        if len(page.path) < 8000:
            page.reload()
            check(page, f"one of {view} again")


def odd_events():
    """What no program should send, and some do."""
    yield sdk_event("11111111-1111-4111-8111-111111111111", id="22222222-2222-4222-8222-222222222222", parent_id="22222222-2222-4222-8222-222222222222")
    yield documented_event("no-kind", "odd", 1, kind="")
    yield documented_event("no-metadata", "odd", 2, metadata=None)
    yield documented_event("a-list", "odd", 3, metadata={"service_name": "", "thread_id": "", "variable": [1, {"a": None}]})
    yield documented_event("long-ago", "odd", 4, timestamp="0001-01-01T00:00:00Z")
    yield documented_event("far-off", "odd", 5, timestamp="9999-12-31T23:59:59Z")
    yield documented_event("huge", "odd", 6, duration_ms=1e30, metadata={"new_value": 1e308, "old_value": -0.0, "variable": "v", "access_type": "Read"})
    yield documented_event("deep", "odd", 7, metadata={"deep": eval("[" * 60 + "]" * 60)})


def test_odd_traces_break_no_view(open_store, open_browser):
    store = open_store("memory")
    for event in odd_events():
        store.client.post(event)
    page = open_browser(store)
    for trace in ["odd", "11111111-1111-4111-8111-111111111111"]:
        for tab in TABS:
            page.open(f"/traces/{trace}?view={tab}")
            check(page, f"{trace} {tab}")
    for event in ["no-kind", "no-metadata", "a-list", "deep"]:
        if any(each["id"] == event for each in store.get("/api/traces/odd")["events"]):
            page.open(f"/traces/odd?view=events&sel={event}")
            page.find(".event-panel dd")
            check(page, event)
    for view in VIEWS:
        page.open(view)
        check(page, view)


@pytest.mark.parametrize("path", ["/traces/transfer?view=nothing", "/traces/transfer?sel=none&mark=,,&cone=x&x0=a&hide=%25", "/traces?min_events=x",
                                  "/races?open=none", "/traces/%E0%A4%A", "/variables/%00", "/traces/transfer?view=variables&var="])
def test_an_odd_address_breaks_no_view(page, path):
    page.allow(r"status of 40[04]")
    page.driver.get(page.origin + path)
    page.until("return document.querySelector('main#main > *') || document.body.innerText.includes('success')", "an answer")
    assert "could not be shown" not in page.text("body")
