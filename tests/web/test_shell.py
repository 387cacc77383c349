"""What is around the views: addresses, search, themes, keys, what is said where no answer comes."""

import re

import pytest

from support.browser import Keys
from support.traffic import documented_event

VIEWS = {
    "/traces": "Traces", "/traces?service=bank": "Traces", "/traces/transfer": "POST /transfer",
    "/traces/transfer?view=events&sel=e2": "POST /transfer", "/traces/transfer?view=races": "POST /transfer",
    "/traces/transfer?view=variables&var=balance": "POST /transfer", "/traces/transfer?view=path": "POST /transfer",
    "/traces/transfer?view=services": "POST /transfer", "/races": "Races", "/races?q=balance": "Races",
    "/variables": "Variables", "/variables/balance": "balance", "/services": "Services", "/services/bank": "bank",
    "/storage": "Storage", "/send": "Send", "/send?way=otel": "Send",
}


def shown(page):
    page.gone("[aria-busy]")
    return page.text("main")


@pytest.mark.parametrize("view", VIEWS)
def test_an_address_shows_the_same_again(page, view):
    page.open(view)
    page.find("main h1", VIEWS[view])
    first = shown(page)
    page.reload()
    page.find("main h1", VIEWS[view])
    page.until(f"return document.querySelector('main').innerText.length >= {len(first) - 40}", "as much as before")
    assert page.path == view
    assert "could not be shown" not in page.text("main")


def test_the_rail_leads_to_every_view_and_back_again(page):
    page.open("/traces")
    for label in ["Races", "Variables", "Services", "Storage", "Send", "Traces"]:
        page.click(".rail a", label)
        page.find("main h1", label)
        assert page.find(".rail a[aria-current]").text.startswith(label)
    page.driver.back()
    page.find("main h1", "Send")
    page.at("/send")


@pytest.mark.parametrize("text,leads", [
    ("transfer", "/traces\\?q=transfer"), ("bank.js:12", "/races\\?q=bank.js:12"),
    ("A2F0C4D8-0000-4000-8000-00000000BEEF", "/traces/a2f0c4d8-0000-4000-8000-00000000beef"),
    ("a2f0c4d8000040008000000000beef11", "")])
def test_search_takes_what_somebody_has_at_hand(page, text, leads):
    page.allow(r"/api/traces/a2f0c4d8")
    page.open("/storage")
    page.press("/")
    page.press(text, Keys.ENTER)
    if re.fullmatch("[0-9a-f]{32}", text):
        leads = "/traces/" + re.sub("(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", text)
    page.at(leads)


def test_search_offers_the_other_ways_by_the_arrows(page):
    page.open("/storage")
    page.press("/")
    page.press("balance", Keys.ARROW_DOWN)
    page.press(Keys.ARROW_DOWN)
    assert page.focused() == "Variable balance"
    page.press(Keys.ENTER)
    page.at("/variables/balance")


def background(page):
    return page.run("return getComputedStyle(document.body).backgroundColor")


def test_the_theme_is_that_of_the_system_unless_it_is_chosen(page):
    page.open("/storage")
    light = background(page)
    page.scheme("dark")
    page.until(f"return getComputedStyle(document.body).backgroundColor !== '{light}'", "another background")
    dark = background(page)
    page.click("[data-theme]")  # light
    assert background(page) == light
    page.reload()
    assert background(page) == light
    page.click("[data-theme]")  # dark
    page.scheme("light")
    assert background(page) == dark
    page.click("[data-theme]")  # as the system
    assert background(page) == light


def test_the_keys_are_shown_by_a_key(page):
    page.open("/storage")
    page.press("?")
    page.find("dialog[open]", "previous and next trace")
    page.press(Keys.ESCAPE)
    page.gone("dialog")
    page.click("button[aria-label='Keys and about']")
    page.click("dialog summary")
    page.find("dialog", "Copyright (c) Facebook")
    page.allow(r"/favicon.ico ")  # of a text that is no page
    page.click("dialog a", "MIT licence")
    page.find("body", "Permission is hereby granted")


def test_a_server_that_asks_for_a_key_gets_it(open_store, open_browser):
    store = open_store("memory", {"server": {"auth_enabled": True, "api_keys": ["right"]}})
    store.client.post(documented_event(trace_id="kept"), headers={"Authorization": "Bearer right"}).ok()
    page = open_browser(store)
    page.allow(r"status of 401")
    page.open("/traces")
    page.find("dialog[open]", "API key")
    page.type("dialog input", "wrong", Keys.ENTER)
    page.find("dialog [role=alert]", "does not know that key")
    page.type("dialog input", "right", Keys.ENTER)
    page.find("main [role=row]", "kept")
    page.gone("dialog")
    page.reload()
    page.find("main [role=row]", "kept")
    assert not page.all("dialog")


def test_while_the_server_is_away_the_last_picture_stays(open_store, open_browser):
    store = open_store("memory")
    store.post(documented_event(trace_id="before"))
    page = open_browser(store)
    page.allow(r"ERR_CONNECTION_REFUSED", r"ERR_EMPTY_RESPONSE", r"ERR_CONNECTION_RESET")
    page.open("/traces")
    page.find("main [role=row]", "before")
    page.find(".live", "live")
    store.client.close()
    store.server.stop()
    page.find(".live", "away")
    assert "before" in page.text("main")
    page.click(".rail a", "Races")
    page.find("main [role=alert]", "cannot be reached")
    page.find("main [role=alert]", "Trying again in")
    store.server.start()
    page.find(".live", "live")
    page.find("main", "No race in any trace")
    page.click(".rail a", "Traces")
    page.find("main h1", "Nothing has been sent yet")


def test_a_trace_that_is_not_there_is_said_in_a_sentence(page):
    page.allow(r"/api/traces/[a-z0-9-]+(\?limit=1|/graph) ")
    page.open("/traces/00000000-0000-4000-8000-000000000000")
    page.find("main [role=alert]", "Trace not found")
    page.find("main [role=alert] a", "All traces")


def test_a_trace_that_was_evicted_is_said_to_be(open_store, open_browser):
    store = open_store("memory", {"storage.memory": {"max_traces": 1}})
    store.post(documented_event(trace_id="00000000-0000-4000-8000-000000000001"))
    store.post(documented_event(trace_id="00000000-0000-4000-8000-000000000002"))
    page = open_browser(store)
    page.allow(r"/api/traces/[a-z0-9-]+(\?limit=1|/graph) ")
    page.open("/traces/00000000-0000-4000-8000-000000000001")
    page.find("main [role=alert]", "may have been evicted: 1 trace")
    page.open("/traces")
    page.find(".fullness", "1 by the limit of traces")
    page.click(".fullness")
    page.find("main dd", "1 trace (1 event) by the limit of traces")


def test_a_503_is_told_and_tried_again(open_store, open_browser):
    """A server whose bytes in flight are few has no room to analyse."""
    store = open_store("memory", {"server": {"max_inflight_bytes": 4 << 20, "max_body_bytes": 1 << 20}})
    for part in range(60):
        store.post({"events": [documented_event(trace_id="big", number=part * 500 + n) for n in range(500)]})
    page = open_browser(store)
    page.allow(r"status of 503")
    page.open("/traces/big?view=races")
    page.find("main [role=alert]", "Trying again in")
    page.find("main [role=alert]", "Request")
