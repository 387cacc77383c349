"""Races, variables and services of all traces."""

import pytest

from support import otlp_bank
from support.pages import readme_race

ROWS = "main .rows [role=row]"


@pytest.mark.parametrize("backend", ["memory", "postgres"])
def test_the_race_of_the_readme_is_found_by_clicking(open_store, open_browser, backend):
    store = open_store(backend)
    store.post(readme_race())
    page = open_browser(store)
    page.open("/")
    page.click(".rail a", "Races")
    page.find(".title", "1 pair at 1 pair of places")
    story = page.find(".story", "Neither saw the other")
    assert "worker-1 writes balance (100 → 70) at bank.js:12; worker-2 writes balance (100 → 50) at bank.js:45." in story.text
    page.click("a", "This race alone")
    page.at(r"/races/[0-9a-f]{16}")
    page.find("h1", "balance")
    page.click(".chips a", "open")
    page.at(r"/traces/transfer\?view=races&race=e2~e3")
    page.find(".story", "Lost: 70")


def test_a_race_of_a_program_with_opentelemetry_is_found_by_clicking(open_store, open_browser):
    store = open_store("memory")
    assert otlp_bank.run(store.server.url) in (80, 90)  # the other withdrawal is lost
    page = open_browser(store)
    page.open("/traces")
    page.click(".check", "races")
    page.at(r"/traces\?races=1")
    row = page.find(ROWS, "two withdrawals")
    page.find(ROWS, "bank.py:14 ⟷ bank.py:14")
    row.click()
    page.find(".dg-race", "3 races")
    page.click("[role=tab]", "Races")
    story = page.find(".story", "Neither saw the other")
    assert "Lost: " in story.text and "Both follow" in story.text
    assert page.text(".witness .lane-name").splitlines() == ["bank"] * 2
    page.click(".rail a", "Races")
    page.click(".story-head", "bank.py:12")
    page.click(".open .story a", "Open in the diagram")
    page.at(r"/traces/[0-9a-f-]{36}\?sel=.*&mark=.*")
    page.find(".dg-relation", "are concurrent: neither has seen the other. Both follow")


def test_each_pair_of_places_stands_once(page, recorded):
    page.open("/races")
    groups = recorded.get("/api/races", page=1, page_size=100)
    page.find(".story-head")
    heads = page.run("return [...document.querySelectorAll('.story-head strong')].map(e => e.innerText)")
    assert heads == [group["variable"] for group in groups["races"]]
    page.click(".story-head", "balance")
    page.at(r"/races\?open=[0-9a-f]{16}")
    page.find(".open", "worker-1 writes balance")
    page.type(".filters input", "bank.js:45")
    page.until("return document.querySelectorAll('.story-head').length === 1", "one group")


def test_a_race_that_is_gone_says_so(page):
    page.allow(r"/api/races/0123456789abcdef ")
    page.open("/races/0123456789abcdef")
    page.find("[role=alert]", "no race of this key")
    page.click("[role=alert] a", "All races")
    page.find("h1", "Races")


def test_variables_of_all_traces(page, recorded):
    shared = recorded.get("/api/distributed/global-races", limit=1000)["races"]
    page.open("/variables")
    page.find(ROWS, "accounts.alice")
    assert page.find("[role=grid]").get_attribute("aria-rowcount") == str(len(shared) + 1)
    page.find(ROWS, "9 pairs")
    page.type(".filters input", "requestC")
    page.until(f"return document.querySelectorAll('{ROWS}').length === 1", "one variable")
    page.click(ROWS, "requestCount")
    page.at("/variables/requestCount")
    page.find("h2", "36 accesses on 36 threads")
    page.click(".chips a")
    page.at(r"/traces/[0-9a-f-]{36}\?view=variables&var=requestCount")
    page.find(".title-line", "requestCount")


def test_services_and_who_calls_whom(page):
    page.open("/services")
    page.find(ROWS, "banking-api")
    assert len(page.all(".service-box")) == 3 and len(page.all(".call")) == 3
    page.click(".service-box", "python-service")
    page.at("/services/python-service")
    page.find("section", "go-service")
    page.find("h2", "13 traces")
    page.click("h2 a", "in the list")
    page.at(r"/traces\?service=python-service")
