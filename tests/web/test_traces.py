"""The list of traces: long, filtered, alive."""

import pytest

from support.browser import Keys
from support.pages import readme_race
from support.traffic import documented_event

ROWS = "main .rows [role=row]"


def rows(page):
    return len(page.all(ROWS))


def with_one_trace(open_store, open_browser, backend="memory"):
    """A store that holds the README's race alone, and the browser at its list."""
    store = open_store(backend)
    store.post(readme_race())
    page = open_browser(store)
    page.open("/traces")
    return store, page


def test_a_long_list_has_few_rows_in_the_document_and_goes_to_its_end(page):
    page.open("/traces")
    page.find(ROWS, "POST /process")
    assert int(page.find("main [role=grid]").get_attribute("aria-rowcount")) == 180
    page.click(ROWS)
    page.driver.back()
    page.find(ROWS, "POST /process")
    seen = set()
    for _ in range(40):
        assert rows(page) <= 60
        seen |= {int(row) for row in page.run(f"return [...document.querySelectorAll('{ROWS}')].map(r => r.ariaRowIndex ?? r.getAttribute('aria-rowindex'))")}
        if 180 in seen:
            break
        before = page.run("return document.querySelector('.grid').scrollHeight")
        page.run("const g = document.querySelector('.grid'); g.scrollTop = g.scrollHeight")
        page.until(f"const g = document.querySelector('.grid'); return g.scrollHeight > {before} || document.querySelector('[aria-rowindex=\"180\"]')", "more rows")
    assert 180 in seen
    page.find(ROWS, "transfer")


def test_a_row_tells_what_the_trace_is_and_its_races(page):
    page.open("/traces?service=bank")
    row = page.find(ROWS, "transfer")
    page.until(f"return document.querySelector('{ROWS}').innerText.includes('W-W')", "its races")
    for told in ["POST /transfer", "bank", "3", "2 ms", "bank.js:12 ⟷ bank.js:45"]:
        assert told in row.text
    assert rows(page) == 1


def test_filters_are_in_the_address(page):
    page.open("/traces")
    page.find(ROWS)
    page.click("select option", "go-service")
    page.at(r"/traces\?service=go-service")
    page.until(f"return document.querySelectorAll('{ROWS}').length === 21", "the traces of that service")
    page.type(".filters input[inputmode=numeric]", "60", Keys.ENTER)
    page.at(r"/traces\?service=go-service&min_events=60")
    page.until(f"return document.querySelectorAll('{ROWS}').length < 21", "fewer")
    page.type(".filters input[inputmode=numeric]", "0000", Keys.ENTER)
    page.find("main", "No trace is like that")
    page.click("button", "Show all traces")
    page.find(ROWS, "POST /process")


def test_new_traces_wait_while_the_list_is_read(open_store, open_browser):
    store, page = with_one_trace(open_store, open_browser)
    page.find(ROWS, "POST /transfer").click()
    page.at("/traces/transfer")
    page.driver.back()
    page.find(ROWS, "POST /transfer")
    page.run("document.querySelector('main .rows [role=row]').focus()")
    store.post([documented_event(trace_id=f"later-{n}", number=n) for n in range(12)])
    page.find("button", "12 new – show")
    assert rows(page) == 1 and "POST /transfer" in page.focused()
    page.click("button", "12 new – show")
    page.find(ROWS, "later-11")
    assert rows(page) == 13
    page.gone(".behind button")


def test_new_traces_flow_in_where_nobody_reads(open_store, open_browser):
    store, page = with_one_trace(open_store, open_browser)
    page.find(ROWS, "POST /transfer")
    page.find(".live", "live")
    store.post(documented_event(trace_id="later"))
    page.find(ROWS, "later")


def test_a_pause_stops_the_picture_and_not_the_count(open_store, open_browser):
    store, page = with_one_trace(open_store, open_browser)
    page.find(ROWS, "POST /transfer")
    page.find(".live", "live").click()
    page.find(".live", "paused")
    page.run("document.activeElement.blur()")
    store.post(documented_event(trace_id="later"))
    page.find("button", "1 new – show")
    assert rows(page) == 1
    page.click(".live")
    page.find(ROWS, "later")


def test_a_row_counts_on_where_it_stands(open_store, open_browser):
    store, page = with_one_trace(open_store, open_browser)
    page.find(ROWS, "POST /transfer")
    store.post([documented_event(trace_id="transfer", number=n) for n in range(97)])
    page.until(f"return document.querySelector('{ROWS}').innerText.includes('100')", "100 events in the row")


def test_the_list_by_keyboard_alone(page):
    page.open("/traces")
    page.find(ROWS, "POST /process")
    page.run("document.querySelector('.grid [tabindex=\"0\"]').focus()")
    page.press(Keys.ARROW_DOWN)
    page.press(Keys.ARROW_DOWN)
    page.until("return document.activeElement.getAttribute('aria-rowindex') === '4'", "the third row has the focus")
    page.press(Keys.END)
    page.until("return Number(document.activeElement.getAttribute('aria-rowindex')) >= 51", "the last row has the focus")
    page.press(Keys.HOME)
    page.until("return document.activeElement.getAttribute('aria-rowindex') === '2'", "the first row has the focus")
    page.press(Keys.ENTER)
    page.at(r"/traces/[0-9a-f-]{36}")
    page.find("[role=tab][aria-selected=true]", "Diagram")


@pytest.mark.parametrize("backend", ["memory", "postgres"])
def test_it_is_the_same_on_both_backends(open_store, open_browser, backend):
    _, page = with_one_trace(open_store, open_browser, backend)
    page.find(ROWS, "bank.js:12 ⟷ bank.js:45")
    page.open("/storage")
    page.find("dd", "In memory" if backend == "memory" else "In PostgreSQL")
    page.find("dd", "3 events in 1 trace")
