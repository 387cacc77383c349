"""A running server with a store of its own, in memory or in PostgreSQL, seen through its API."""

import os
import re

from support.model import read_json
from support.server import RacewayServer

# RACEWAY_TEST_BACKENDS=supabase has every test that can choose run on the portable edition.
BACKENDS = tuple(os.environ.get("RACEWAY_TEST_BACKENDS", "memory,postgres").split(","))


class Store:
    """A server, the database behind it (None in memory), and one client. The backend is what the test asked for, the
    configured one what raceway.toml names: an environment without the extension has "supabase" there for "postgres"."""

    def __init__(self, backend, cluster, name, sections=None):
        self.backend = backend
        self.database = None if backend == "memory" else cluster.create_database()
        self.configured_backend = backend if backend != "postgres" else self.database.backend
        if backend == "supabase":
            sections = {**(sections or {}), "storage": {"backend": backend, **(sections or {}).get("storage", {})}}
        self.server = RacewayServer(sections, self.database, name=f"{name}-{backend}")
        self.client = self.server.client()

    def __enter__(self):
        try:
            self.server.start()
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, kind, *_):
        self.client.close()
        ended = self.server.process.poll()
        status = self.server.stop()
        if self.database is not None:
            self.database.drop()
        if kind is None:
            assert ended is None, f"the server ended by itself with {ended}:\n{self.server.log_text()[-4000:]}"
            assert status == 0, f"the server ended with {status} on SIGTERM:\n{self.server.log_text()[-4000:]}"

    def post(self, body, **options):
        """POST /events; the whole answer, which must be a 200."""
        return self.client.post(body, **options).ok().json

    def post_all(self, bodies):
        """POSTs each; the answers."""
        return [self.post(body) for body in bodies]

    def get(self, path, **query):
        """The `data` of a GET, which must be a 200, with exact numbers."""
        return read_json(self.client.get(path, **query).ok().body)["data"]

    def trace(self, trace_id):
        return self.get(f"/api/traces/{trace_id}")

    def export(self):
        """Every trace with its events, as the documented export gives it; but for when each was read."""
        traces = self.get("/api/traces")["traces"]
        for trace in traces:
            del trace["as_of"]
        return traces

    def counts(self):
        """(events, traces) as /status says."""
        status = self.get("/status")
        return status["events_captured"], status["traces_active"]


# What differs of two servers that hold the same: the time since the start, when something was read, and what only a store
# with limits of its own has to say.
_OF_A_MOMENT = re.compile(rb'"uptime_seconds":\d+|"as_of":"[^"]*"|,"memory":\{.*\}\}\}(?=,"warmup")')


def without_moments(body):
    """An answer's bytes without what is of the moment or of the server."""
    return _OF_A_MOMENT.sub(b"", body)


def posted(stored=0, duplicates=0, rejected=0):
    """What `data` says in the answer to a POST."""
    text = f"Ingested {stored} events"
    text += f", {duplicates} duplicates" if duplicates else ""
    return text + (f", {rejected} rejected" if rejected else "")
