"""One trace and its tabs, with what SDKs have really sent."""

import pytest

from support.browser import Keys
from support.pages import trace_with_services
from support.traffic import documented_event

ROWS = "main .rows [role=row]"


@pytest.fixture
def distributed(recorded):
    """A trace of three services."""
    return recorded.get(f"/api/traces/{trace_with_services(recorded, 3)}")


def test_the_events_are_those_of_the_trace_in_their_order(page, distributed):
    page.open(f"/traces/{distributed['trace_id']}?view=events")
    page.find(ROWS, "POST /process")
    count = len(distributed["events"])
    assert page.find("[role=grid]").get_attribute("aria-rowcount") == str(count + 1)
    kinds = page.run(f"return [...document.querySelectorAll('{ROWS}')].map(row => row.children[2].innerText)")
    assert kinds == [next(iter(event["kind"])) for event in distributed["events"]][:len(kinds)] and len(kinds) >= 50


def test_a_click_shows_all_that_is_known_of_an_event(page, distributed):
    event = next(each for each in distributed["events"] if "LockAcquire" in each["kind"])
    page.open(f"/traces/{distributed['trace_id']}?view=events")
    page.click(ROWS, "acquire global_request_counter")
    page.at(rf"/traces/.*sel={event['id']}")
    panel = page.find(".event-panel", "global_request_counter")
    for told in [event["id"], event["parent_id"], event["timestamp"], "server.ts:61", "sdk_language", event["metadata"]["thread_id"]]:
        assert told in panel.text
    page.click("button[aria-label='Close the details']")
    page.gone(".event-panel")


def test_finding_narrows_the_table(page, distributed):
    page.open(f"/traces/{distributed['trace_id']}?view=events")
    page.find(ROWS, "POST /process")
    page.type(".filters input", "lockacquire")
    expected = sum("LockAcquire" in event["kind"] for event in distributed["events"])
    page.until(f"return document.querySelectorAll('{ROWS}').length === {expected}", "only those")
    page.at(r"/traces/.*q=lockacquire")
    page.reload()
    page.until(f"return document.querySelectorAll('{ROWS}').length === {expected}", "still only those")


def test_two_events_are_related(page):
    page.open("/traces/transfer?view=events&sel=e2&mark=e3")
    page.find(".relation", "are concurrent: neither has seen the other. Both follow e1.")
    page.open("/traces/transfer?view=events&sel=e1&mark=e3")
    page.find(".relation", "happened before")
    page.click("button", "Unmark")
    page.gone(".relation")
    page.click("button", "Mark")
    page.at(r"/traces/transfer\?view=events&sel=e1&mark=e1")
    page.click(ROWS, "bank.js:12")
    page.find(".relation", "happened after")


def test_a_race_is_told_in_sentences_with_a_witness(page):
    page.open("/traces/transfer")
    page.click("[role=tab]", "Races")
    story = page.find(".story", "Neither saw the other")
    for told in ["worker-1 writes balance (100 → 70) at bank.js:12", "worker-2 writes balance (100 → 50) at bank.js:45",
                 "the first knows {web:1, worker-1:1}, the second {web:1, worker-2:1}", "Both follow e1", "Lost: 70"]:
        assert told in story.text
    assert [text for text in page.text(".witness text").splitlines() if text] == [
        "main", "worker-1", "worker-2", "POST /transfer", "W balance 100 → 70", "W balance 100 → 50"]
    page.click(".story a", "Open in the diagram")
    page.at(r"/traces/transfer\?sel=e2&mark=e3")


def test_races_are_stepped_through_by_a_key(page, distributed):
    page.open(f"/traces/{distributed['trace_id']}?view=races")
    heads = page.find(".stories") and page.run("return [...document.querySelectorAll('.story-head')].map(e => e.innerText)")
    assert len(heads) == 3
    page.find(".story", "Neither saw the other")
    opened = []
    for _ in range(3):
        page.press("r")
        page.find(".story", "at")
        opened.append(page.run("return document.querySelector('.story-head[aria-expanded=true]').innerText"))
    assert sorted(opened) == sorted(heads)


def test_the_accesses_to_a_variable(page):
    page.open("/traces/transfer?view=variables")
    row = page.find(ROWS, "worker-2")
    for told in ["Write", "100", "50", "bank.js:45", "race", "lost update"]:
        assert told in row.text
    assert len(page.all(".brace")) == 2
    page.click(".title-line a", "in all traces")
    page.at("/variables/balance")


def test_a_value_leads_to_the_write_it_comes_from(open_store, open_browser):
    store = open_store("memory")
    steps = [("Write", None, 1), ("Write", 1, 2), ("Read", None, 2), ("Write", 2, 3)]
    store.post([documented_event(f"v{n}", "values", n, vector_clock={"a": n + 1}, metadata={
        "service_name": "s", "thread_id": "t", "variable": "v", "access_type": kind, "old_value": old, "new_value": new})
        for n, (kind, old, new) in enumerate(steps)])
    page = open_browser(store)
    page.open("/traces/values?view=variables")
    page.find(ROWS, "Read")
    page.run("[...document.querySelectorAll('.rows [role=row]')].at(-1).querySelector('.value-link').click()")
    page.until("return document.querySelector('.lit')?.getAttribute('aria-rowindex') === '3'", "the second write is lit")
    assert "lost update" not in page.text("main")


def test_the_time_is_shared_out_to_services(page, distributed):
    page.open(f"/traces/{distributed['trace_id']}?view=path")
    elapsed = distributed["critical_path"]["elapsed"]
    page.find("h2", "From the first event to the last: 110 ms")
    assert len(page.all(".piece")) == len(elapsed["pieces"])
    for each in elapsed["by_service"]:
        assert f"{each['percent']:.1f} %" in page.text(".legend")
    assert len(page.all(ROWS)) == len(distributed["critical_path"]["path"])


def test_the_services_of_a_trace_and_their_calls(page, distributed):
    page.open(f"/traces/{distributed['trace_id']}?view=services")
    page.find(".service-box", "python-service")
    assert len(page.all(".call")) == len(distributed["dependencies"]["dependencies"])


def test_the_tabs_by_keyboard_alone(page):
    page.open("/traces/transfer")
    page.find("[role=tab]", "Variables")
    page.run("document.querySelector('[role=tab][aria-selected=true]').focus()")
    for tab in ["Events", "Races", "Variables", "Path", "Services", "Diagram"]:
        page.press(Keys.ARROW_RIGHT)
        page.find("[role=tab][aria-selected=true]", tab)
        page.until(f"return document.activeElement.innerText.startsWith('{tab}')", "the focus follows")
    page.press(Keys.ARROW_RIGHT)
    page.find(ROWS, "worker-1")
    page.run("document.querySelector('.grid [tabindex=\"0\"]').focus()")
    page.press(Keys.ARROW_DOWN)
    page.until("return document.activeElement.getAttribute('aria-rowindex') === '3'", "the second row")
    page.press(Keys.ENTER)
    page.find(".event-panel", "bank.js:12")


def test_brackets_step_through_the_list(page):
    page.open("/traces")
    page.find(ROWS, "POST /process")
    page.click(ROWS)
    page.find("[role=tab]")
    first = page.path
    page.press("]")
    page.until(f"return !location.pathname.endsWith('{first}')", "the next trace")
    page.press("[")
    page.at(first)


def test_a_trace_that_grows_says_so_and_stays(open_store, open_browser):
    store = open_store("memory")
    store.post([documented_event(trace_id="growing", number=n) for n in range(3)])
    page = open_browser(store)
    page.open("/traces/growing?view=events")
    page.until(f"return document.querySelectorAll('{ROWS}').length === 3", "three events")
    page.find(".live", "live")
    store.post([documented_event(trace_id="growing", number=n) for n in range(3, 5)])
    page.find(".note", "grown to 5 events")
    assert len(page.all(ROWS)) == 3
    page.click(".note button")
    page.until(f"return document.querySelectorAll('{ROWS}').length === 5", "five events")


def test_a_long_trace_has_few_rows_in_the_document(open_store, open_browser):
    store = open_store("memory")
    for part in range(4):
        store.post([documented_event(f"l{part * 2500 + n}", "long", part * 2500 + n, vector_clock={"a": part * 2500 + n + 1}) for n in range(2500)])
    page = open_browser(store)
    page.open("/traces/long?view=events")
    page.find(ROWS)
    assert page.find("[role=grid]").get_attribute("aria-rowcount") == "10001"
    page.run("document.querySelector('.grid [tabindex=\"0\"]').focus()")
    page.press(Keys.END)
    page.until("return document.activeElement.getAttribute('aria-rowindex') === '10001'", "the last row has the focus")
    assert len(page.all(ROWS)) <= 60
