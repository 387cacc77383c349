"""The server under test as a process of its own."""

import json
import os
import re
import signal
import subprocess
import time

from support import paths
from support.client import Client
from support.cluster import temporary_directory
from support.wait import free_port, wait_until


def server_environment(extra=None):
    """Ours without what would configure a server, and with `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RACEWAY_", "PG"))}
    return {**kept, **(extra or {})}


def toml(sections):
    """{"server": {"port": 1}} as TOML. A JSON string, number, boolean or array of strings is TOML as well."""
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def run_raceway(*arguments, environment=None, seconds=30, stdin=""):
    """Runs `raceway ARGUMENTS` to its end, with a text to read; the CompletedProcess, with text."""
    return subprocess.run([str(paths.SERVER), *map(str, arguments)], capture_output=True, text=True, timeout=seconds,
                          check=False, cwd="/", input=stdin, env=server_environment(environment))


class RacewayServer:
    """`raceway serve` on a free port of 127.0.0.1. `sections` is what stands in its raceway.toml, a dictionary for
    each section; host and port are added. With a `database` the backend is PostgreSQL, else memory.

    Its process dies with the thread that started it, so start it from the main thread.
    """

    def __init__(self, sections=None, database=None, environment=None, name="server"):
        self.port = free_port()
        self.directory = temporary_directory("rws-")
        self.process = None
        self.environment = environment
        self.log = paths.LOGS / "servers" / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}-{self.port}.log"
        sections = {key: dict(value) for key, value in (sections or {}).items()}
        sections.setdefault("server", {}).update(host="127.0.0.1", port=self.port)
        sections.setdefault("otlp", {}).setdefault("port", 0)  # one for all servers of a machine
        storage = sections.setdefault("storage", {})
        storage.setdefault("backend", "memory" if database is None else database.backend)
        if database is not None:
            sections.setdefault("storage.postgres", {}).setdefault("connection_string", database.connection_string())
        self.config = self.directory / "raceway.toml"
        self.config.write_text(toml(sections))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def launch(self):
        """Starts the process and does not wait for it."""
        assert paths.SERVER.exists(), "build/raceway is not there: run `make`"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                # The tests may run under nohup; a server that does is another case.
                ["setpriv", "--pdeathsig=KILL", "env", "--default-signal=HUP", str(paths.SERVER), "serve", "--config", str(self.config)],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=server_environment(self.environment),
            )
        return self

    def start(self):
        """Starts the process and waits until it answers."""
        return self.launch().await_answer()

    def await_answer(self):
        """After launch(): waits until it answers."""
        wait_until(self._answers, 30, f"the server answers (see {self.log})")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log_text()}")
        try:
            with self.client(timeout=5) as client:
                client.get("/health")
            return True
        except OSError:
            return False

    def client(self, **options):
        return Client(self.port, **options)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait(timeout=30)

    def terminate(self):
        """SIGTERM, and do not wait."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=60):
        """The exit status, once it has ended."""
        return self.process.wait(timeout=seconds)

    def stop(self):
        """SIGTERM and wait; the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def resident_bytes(self):
        """How much memory the process occupies now."""
        return self._memory("VmRSS")

    def peak_memory(self):
        """The most that it ever occupied, in bytes."""
        return self._memory("VmHWM")

    def _memory(self, figure):
        status = (paths.Path("/proc") / str(self.process.pid) / "status").read_text()
        return int(re.search(figure + r":\s+(\d+) kB", status)[1]) * 1024

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.stop()


def wait_for_refusal(server, seconds=30):
    """For a start that must fail: the exit status and what was said, and how long it took."""
    began = time.monotonic()
    server.launch()
    try:
        status = server.wait(seconds)
    except subprocess.TimeoutExpired:
        server.kill()
        raise AssertionError(f"the server did not end within {seconds} s:\n{server.log_text()}") from None
    return status, server.log_text(), time.monotonic() - began
