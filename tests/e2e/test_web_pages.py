"""What a page that somebody visits can do through their browser, and that no other client notices the difference."""

import json

import pytest

from support import paths
from support.client import raw_exchange
from support.nginx import Nginx
from support.store import posted
from support.traffic import RECORDED, documented_event, recorded_bodies

FOREIGN = ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
           {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
ROUTES = ("/health", "/status", "/api/traces", "/api/traces/t", "/api/services", "/metrics", "/health/ready", "/nowhere")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_origin_neither_reads_nor_posts(open_store, headers):
    store = open_store("memory")
    for path in ROUTES:
        answer = store.client.get(path, headers=headers)
        assert "server.cors_origins" in answer.refused(403)
        assert answer.headers["Access-Control-Allow-Origin"] is None
    store.client.post(documented_event(), headers=headers).refused(403)
    store.client.post(documented_event(), headers=headers, content_type="text/plain").refused(403)
    assert store.client.get("/status").data["events_captured"] == 0


def test_send_beacon_from_an_allowed_page_asks_first(open_store):
    """text/plain would be sent without a preflight."""
    store = open_store("memory")
    page = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}
    store.client.post(documented_event(), headers=page, content_type="text/plain").refused(415)
    body = json.dumps(documented_event()).encode()
    answer = store.client.request("POST", "/events", body, headers=page)
    assert "application/json" in answer.refused(415)
    assert store.client.post(documented_event(), headers=page).ok().data == posted(1)


def test_a_name_that_its_owner_points_here_is_not_served(open_store):
    store = open_store("memory")
    rebound = {"Host": f"evil.example:{store.server.port}"}
    for path in ROUTES:
        assert "server.allowed_hosts" in store.client.get(path, headers=rebound).refused(403)
    store.client.post(documented_event(), headers=rebound).refused(403)
    store.client.get("/status", headers={"Host": f"localhost:{store.server.port}"}).ok()
    named = open_store("memory", {"server": {"allowed_hosts": ["raceway.example"]}})
    named.client.get("/status", headers={"Host": "raceway.example"}).ok()
    named.client.get("/status", headers={"Host": "evil.example"}).refused(403)


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n"], ids=["none", "two"])
def test_a_request_names_one_host(open_store, hosts):
    store = open_store("memory")
    answer = raw_exchange(store.server.port, b"GET /health HTTP/1.1\r\n" + hosts + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("capture", RECORDED)
def test_sdks_are_served_with_the_headers_they_really_send(open_store, capture):
    store = open_store("memory")
    body = recorded_bodies(capture)[0]
    sent = json.loads((paths.DATA / "sdk_headers.json").read_text())[capture]
    assert sent
    for headers in sent:
        answer = store.client.request("POST", "/events", body, headers=dict(headers)).ok().json
        assert answer["rejected"] == [] and answer["stored"] + answer["duplicates"] == len(json.loads(body)["events"])


def test_curl_needs_no_content_type(open_store):
    store = open_store("memory")
    body = json.dumps(documented_event()).encode()
    assert store.client.request("POST", "/events", body, headers={"User-Agent": "curl/8.5.0"}).ok().data == posted(1)


def test_behind_nginx_the_name_that_the_browser_asked_for_decides(open_store):
    store = open_store("memory", {"server": {"allowed_hosts": ["raceway.example"]}})
    with Nginx([store.server.port] * 4) as nginx, nginx.client() as client:
        client.get("/status").ok()
        client.get("/status", headers={"Host": "raceway.example"}).ok()
        own = {"Host": f"raceway.example:{nginx.port}", "Origin": f"http://raceway.example:{nginx.port}"}
        client.get("/status", headers=own).ok()
        client.get("/status", headers={"Host": "evil.example"}).refused(403)
