"""An HTTP client for tests: keep-alive, every answer whole, and raw sockets for what no proper client would send."""

import gzip
import http.client
import json
import socket
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]

    def ok(self):
        """Itself, where it is a 200 with a good envelope."""
        assert self.status == 200, (self.status, self.body[:2000])
        envelope = self.json
        assert envelope["success"] is True and envelope["error"] is None, self.body[:2000]
        return self

    def refused(self, status):
        """The error's text, where it is an error of that status with the envelope every error has."""
        assert self.status == status, (self.status, self.body[:2000])
        assert self.headers["Content-Type"].startswith("application/json"), self.headers
        envelope = self.json
        assert set(envelope) == {"success", "data", "error"}, self.body[:2000]
        assert envelope["success"] is False and envelope["data"] is None, self.body[:2000]
        assert isinstance(envelope["error"], str) and envelope["error"], self.body[:2000]
        return envelope["error"]


class Client:
    """One connection, reopened after the server has closed it. Not thread-safe."""

    def __init__(self, port, timeout=60, headers=None):
        self.port = port
        self.headers = dict(headers or {})
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None):
        """An Answer. OSError or http.client.HTTPException where there is none."""
        reused = self.connection.sock is not None
        try:
            return self._request(method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if not reused or method not in ("GET", "HEAD"):  # a POST may have arrived: the caller decides
                raise
            return self._request(method, path, body, headers)
        except Exception:
            self.close()
            raise

    def _request(self, method, path, body, headers):
        self.connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path, headers=None, **query):
        return self.request("GET", path + ("?" + urlencode(query) if query else ""), headers=headers)

    def post(self, body, headers=None, content_type="application/json"):
        """POST /events: `body` as it is where it is bytes or text, else as JSON."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        return self.request("POST", "/events", body, {"Content-Type": content_type, **(headers or {})})

    def post_gzip(self, body, **options):
        return self.post(gzip.compress(body), headers={"Content-Encoding": "gzip"}, **options)


def raw_exchange(port, *pieces, timeout=30, half_close=False):
    """Sends bytes as they are and answers all that comes back until the server closes. b"" where it says nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (ConnectionResetError, TimeoutError):
            pass
        return received


def raw_post(body, length=None, extra=b"Connection: close\r\n"):
    """The bytes of a POST /events whose Content-Length may lie."""
    return (b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + extra
            + b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body)
