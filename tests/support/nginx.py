"""Debian's nginx with server/nginx.example.conf, its ports replaced; all its files in a directory of the test's own."""

import os
import re
import shutil
import subprocess

from support import paths
from support.client import Client
from support.cluster import become_postgres, temporary_directory
from support.wait import free_port, wait_until

PROGRAM = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
EXAMPLE = paths.ROOT / "server" / "nginx.example.conf"


class Nginx:
    """In front of the servers at `ports`, of which the example has to list as many. Runs as no root."""

    def __init__(self, ports):
        self.port = free_port()
        self.directory = temporary_directory("rwn-")
        self.log = paths.LOGS / "nginx.log"
        order = iter([*ports, self.port])  # as they stand in the example
        site, replaced = re.subn(r"127\.0\.0\.1:\d+", lambda _: f"127.0.0.1:{next(order)}", EXAMPLE.read_text())
        assert replaced == len(ports) + 1
        (self.directory / "site.conf").write_text(site)
        temporary = "".join(f"{name}_temp_path {self.directory}/{name};\n"
                            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config = self.directory / "nginx.conf"
        self.config.write_text(
            f"daemon off;\npid {self.directory}/nginx.pid;\nerror_log stderr info;\nworker_processes 2;\n"
            "events { worker_connections 512; }\n"
            f"http {{\naccess_log off;\n{temporary}include {self.directory}/site.conf;\n}}\n")
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self.process = None

    def client(self, **options):
        return Client(self.port, **options)

    def _answers(self):
        assert self.process.poll() is None, f"nginx ended, see {self.log}"
        try:
            with self.client(timeout=5) as client:
                client.get("/health")
            return True
        except OSError:
            return False

    def __enter__(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*become_postgres(), "--pdeathsig=TERM", PROGRAM, "-c", str(self.config), "-p", str(self.directory),
                 "-e", "stderr"],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._answers, 15, f"nginx answers (see {self.log})")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)
