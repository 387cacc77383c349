"""A real Prometheus that scrapes servers under test, and its promtool."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from support import paths
from support.cluster import temporary_directory
from support.wait import free_port, wait_until

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")


def promtool(*arguments, text=None):
    """The CompletedProcess of `promtool ARGUMENTS` with `text` on its standard input."""
    return subprocess.run([PROMTOOL, *arguments], input=text, capture_output=True, text=True, check=False, timeout=60)


class Prometheus:
    """Scrapes the ports of 127.0.0.1 once a second, with an API key where one is given, and evaluates alert rules."""

    def __init__(self, ports, key=None, rules=()):
        self.port = free_port()
        self.directory = temporary_directory("rwm-")
        self.log = paths.LOGS / "prometheus.log"
        job = {"job_name": "raceway", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
        if key is not None:
            job["authorization"] = {"credentials": key}
        self.config = self.directory / "prometheus.yml"
        self.config.write_text(json.dumps({  # JSON is YAML
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(file) for file in rules], "scrape_configs": [job]}))
        self.process = None

    def __enter__(self):
        checked = promtool("check", "config", str(self.config))
        assert checked.returncode == 0, checked.stderr
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", PROMETHEUS, f"--config.file={self.config}",
                 f"--storage.tsdb.path={self.directory / 'data'}", f"--web.listen-address=127.0.0.1:{self.port}"],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._ready, 30, f"Prometheus is ready (see {self.log})", every=0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)

    def _get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()

    def _ready(self):
        assert self.process.poll() is None, f"Prometheus ended, see {self.log}"
        try:
            return self._get("/-/ready")
        except (urllib.error.URLError, OSError):
            return False

    def value(self, query):
        """The sum of what the query finds now; None where it finds nothing."""
        result = json.loads(self._get("/api/v1/query", query=query))["data"]["result"]
        return sum(float(sample["value"][1]) for sample in result) if result else None

    def await_value(self, query, expected, seconds=20):
        wait_until(lambda: self.value(query) == expected, seconds,
                   f"{query} is {expected}; it is {self.value(query)}", every=0.2)
