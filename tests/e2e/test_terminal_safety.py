"""A hostile server writes to nobody's terminal: what it says is shown, and does nothing."""

import json
import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from e2e.test_moving_events import lines_of
from support.server import run_raceway
from support.terminal import on_a_terminal
from support.traffic import documented_event

HOSTILE = "x\x1b]0;gotcha\x07\u009b31m\x9d\u202e\u2066\u200b\u2028\ufeff\rraceway: all is well\n"


def acting(text):
    """What would do something on a terminal, but for ends of lines."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c not in "\n"]


class HostileDoor(BaseHTTPRequestHandler):
    """Answers as a server of ours does, in words that are not."""

    protocol_version = "HTTP/1.1"
    status = 200

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        word = HOSTILE
        answers = {
            "/status": {"version": word, "backend": word, "events_captured": 1, word: word, "pool": {word: word}},
            "/metrics": f"raceway_{word} 1\n",
            "/events": {"stored": 0, "duplicates": 0, "rejected": [{"index": 0, "id": word, "reason": word}]},
        }
        body = answers.get(self.path, {})
        if self.status != 200:
            body = {"success": False, "data": None, "error": word}
        elif self.path in ("/status", "/health"):
            body = {"success": True, "data": body, "error": None}
        text = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@pytest.fixture(params=[200, 418])
def door(request):
    handler = type("Door", (HostileDoor,), {"status": request.param})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", request.param
        server.shutdown()


def test_what_a_hostile_server_says_is_shown_and_does_nothing(door, tmp_path):
    url, status = door
    (tmp_path / "a").write_bytes(lines_of(documented_event()))
    for arguments in (["status", "--url", url], ["status", "--url", url, "--json"], ["import", str(tmp_path / "a"), "--to", url],
                      ["export", "--from", url], ["export", "--from", url, "--trace", HOSTILE.replace("\x00", "")]):
        done = run_raceway(*arguments)
        assert not acting(done.stdout + done.stderr), (arguments, done.stdout, done.stderr)
        assert "\nraceway: all is well" not in done.stdout.replace("\\n", "") + done.stderr, done.stderr
        if status != 200 or arguments[0] in ("status", "import"):
            assert "gotcha" in done.stdout + done.stderr, arguments


def test_events_are_harmless_on_a_terminal_and_whole_in_a_pipe(store):
    store.post([documented_event("e", "t", metadata={"event": HOSTILE, "host": "h\u202e"}, vector_clock={"h\u202e": 1})])
    for form in ("ndjson", "json", "shiviz"):
        arguments = ["export", "--from", store.server.url, "--format", form]
        assert not acting(on_a_terminal(*arguments)), form
        assert "\u202e" in run_raceway(*arguments).stdout


def test_json_of_status_means_what_the_server_said(door):
    url, status = door
    if status == 200:
        assert json.loads(run_raceway("status", "--url", url, "--json").stdout)["status"]["version"] == HOSTILE
