"""The password that the web UI asks for: signing in, staying in, leaving."""

import pytest

from support.server import RacewayServer


@pytest.fixture
def open_server():
    servers = []

    def open_one(sections=None):
        servers.append(RacewayServer(sections, name="sign-in").start())
        return servers[-1].client()

    yield open_one
    for server in servers:
        assert server.stop() == 0


def test_without_a_password_nobody_needs_to_sign_in(open_server):
    client = open_server()
    assert client.get("/auth/check").json == {"authenticated": True, "auth_required": False}
    assert client.request("POST", "/auth/login", b'{"password":"x"}').refused(400) == "UI authentication is not enabled"


def test_a_session_begins_with_the_password_and_ends(open_server):
    client = open_server({"server": {"ui_password": "open sesame"}})
    assert client.get("/auth/check").json == {"authenticated": False, "auth_required": True}
    wrong = client.request("POST", "/auth/login", b'{"password":"open"}')
    assert (wrong.status, wrong.json) == (401, {"success": False, "message": "Invalid password"})
    assert client.get("/auth/check").json["authenticated"] is False
    right = client.request("POST", "/auth/login", b'{"password":"open sesame"}')
    assert (right.status, right.json) == (200, {"success": True, "message": "Login successful"})
    cookie = right.headers["Set-Cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800")
    session = {"Cookie": f"theme=dark; {cookie.split(';')[0]}"}
    assert client.request("GET", "/auth/check", headers=session).json == {"authenticated": True, "auth_required": True}
    left = client.request("POST", "/auth/logout", b"", headers=session)
    assert left.json == {"success": True, "message": "Logged out successfully"} and "Max-Age=0" in left.headers["Set-Cookie"]
    assert client.request("GET", "/auth/check", headers=session).json["authenticated"] is False


def test_guessing_ends_soon(open_server):
    client = open_server({"server": {"ui_password": "open sesame"}})
    answers = [client.request("POST", "/auth/login", b'{"password":"guess"}').status for _ in range(25)]
    assert answers[:20] == [401] * 20 and set(answers[20:]) == {429}
    client.request("POST", "/auth/login", b'{"password":"open sesame"}').refused(429)


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'{"password":7}', b"{}"])
def test_bodies_that_are_none_are_refused(open_server, body):
    client = open_server({"server": {"ui_password": "open sesame"}})
    assert client.request("POST", "/auth/login", body).status == 400


def test_a_session_opens_no_route_that_asks_for_a_key(open_server):
    client = open_server({"server": {"ui_password": "open sesame", "auth_enabled": True, "api_keys": ["key"]}})
    cookie = client.request("POST", "/auth/login", b'{"password":"open sesame"}').headers["Set-Cookie"].split(";")[0]
    assert client.request("GET", "/api/traces", headers={"Cookie": cookie}).status == 401


def test_the_password_is_shown_nowhere(open_server, tmp_path):
    client = open_server({"server": {"ui_password": "open sesame"}})
    client.request("POST", "/auth/login", b'{"password":"open sesame"}')
    assert b"sesame" not in client.get("/metrics").body
