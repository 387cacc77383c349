"""The first minutes: nothing is there, something is sent."""

import json

from support.pages import readme_race
from support.traffic import documented_event


def test_an_empty_server_shows_how_to_send_and_goes_to_what_comes_first(empty, open_browser):
    page = open_browser(empty)
    page.open("/")
    page.find("h1", "Nothing has been sent yet")
    page.find(".listening", f"Listening on 127.0.0.1:{empty.server.port}. Nothing yet.")
    empty.post(readme_race())
    page.at("/traces/transfer")
    page.find("h1", "POST /transfer")


def test_the_example_is_a_trace_with_a_race_and_one_without(empty, open_browser):
    page = open_browser(empty)
    page.open("/")
    page.click("button", "load an example")
    page.at(r"/traces/example-race-\d{6}")
    page.click("[role=tab]", "Races")
    page.find(".story-head", "balance")
    page.click(".rail a", "Traces")
    page.find("[role=row]", "POST /transfer-locked")
    races = {row["trace_id"][:12]: empty.get(f"/api/traces/{row['trace_id']}")["analysis"]["potential_races"]
             for row in empty.get("/api/traces", page=1)["traces"]}
    assert races["example-race"] > 0 and races["example-lock"] == 0


def test_the_command_that_is_shown_does_what_it_says(empty, open_browser):
    page = open_browser(empty)
    page.open("/send")
    command = page.find("pre").text
    assert command.startswith(f"curl -s {empty.server.url}/events ")
    empty.post(command.split("-d '", 1)[1].rstrip("'"))
    assert empty.counts() == (3, 1)
    page.click("[role=tab]", "OpenTelemetry")
    page.at(r"/send\?way=otel")
    page.find("pre", f"OTEL_EXPORTER_OTLP_ENDPOINT={empty.server.url}")


def test_a_file_is_sent_and_what_was_rejected_is_told(empty, open_browser, tmp_path):
    page = open_browser(empty)
    page.open("/send")
    file = tmp_path / "events.json"
    file.write_text(json.dumps({"events": [documented_event("good"), {**documented_event("<b>bad</b>"), "timestamp": "never"}]}))
    page.find("input[type=file]").send_keys(str(file))
    page.find("[role=status]", "1 event stored")
    page.find("[role=status] li", "<b>bad</b>")
    assert empty.counts() == (1, 1)


def test_what_is_no_json_is_told(empty, open_browser, tmp_path):
    page = open_browser(empty)
    page.allow(r"/events .*status of 400")
    page.open("/send")
    file = tmp_path / "events.json"
    file.write_text("nothing of the kind")
    page.find("input[type=file]").send_keys(str(file))
    page.find("[role=alert]")
    assert empty.counts() == (0, 0)
