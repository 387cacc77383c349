"""Debian's redis-server on a free port of 127.0.0.1, keeping nothing on disk."""

import subprocess

from support.cluster import temporary_directory
from support.wait import free_port, wait_until


class RedisServer:
    def __init__(self):
        self.port = free_port()
        self.directory = temporary_directory("rw-redis-")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save",
             "", "--appendonly", "no", "--dir", str(self.directory), "--daemonize", "no"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: self.ask("PING") == "PONG", 30, "Redis answers")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(timeout=30)

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True,
                              check=False).stdout.strip()

    def used_bytes(self):
        (line,) = [line for line in self.ask("INFO", "memory").splitlines() if line.startswith("used_memory:")]
        return int(line.split(":")[1])
