"""A Node program with OpenTelemetry's real SDK, index.mjs beside this."""

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

from support import paths

SOURCES = Path(__file__).parent
OLDEST_NODE = 18
# What npm says where the registry does not answer, or not to us; anything else is a fault of ours.
NOT_REACHED = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONN\w+|E?HOSTUNREACH|ENETUNREACH|E?TIMEDOUT|ETIMEOUT|ERR_SOCKET_TIMEOUT|"
                         r"\w*CERT\w*|E40[137]|E5\d\d")


@functools.cache
def missing():
    """Why the program cannot run here, or None. Installs the SDK below build/ where it is not there yet."""
    try:
        version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except OSError:
        return "there is no node"
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        return f"node {version} is older than {OLDEST_NODE}"
    if _modules().exists():
        return None
    return _install() if shutil.which("npm") else "there is no npm"


def _modules():
    wanted = sha256((SOURCES / "package.json").read_bytes()).hexdigest()[:12]
    return paths.BUILD / f"otlp-sdk-{wanted}" / "node_modules"


def _install():
    paths.BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="otlp-sdk.", dir=paths.BUILD) as directory:
        shutil.copy(SOURCES / "package.json", directory)
        done = subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"],
            cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            [*_, code] = ["", *re.findall(r"(?m)^npm \S+ code (\S+)", done.stderr)]
            assert NOT_REACHED.fullmatch(code), f"npm install failed:\n{done.stderr}"
            return f"the registry of npm does not answer: {code}"
        try:
            os.rename(directory, _modules().parent)
        except OSError:  # another run was first
            assert _modules().exists()
        else:
            os.mkdir(directory)
    return None


def _start(directory, program, *words, environment=None, **streams):
    """One of the programs beside this, in a new directory."""
    shutil.copy(SOURCES / program, directory)
    (directory / "node_modules").symlink_to(_modules())
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "NODE_"))}
    return subprocess.Popen(["setpriv", "--pdeathsig=KILL", "node", str(directory / program), *words], stdin=subprocess.DEVNULL,
                            env={**clean, **(environment or {})}, **streams)


def run_guide(directory, block, environment):
    """Runs a block of a guide, see guide.mjs; what it said, which may be nothing."""
    (directory / "block.mjs").write_text(block)
    process = _start(directory, "guide.mjs", "./block.mjs", environment=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                     text=True)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


class Program:
    """index.mjs, started; `directory` is a new one of the test's own. Its output may be read while it runs."""

    def __init__(self, directory, url, encoding="protobuf", *more):
        self._said, self._wrong = directory / "said", directory / "wrong"
        with open(self._said, "wb") as said, open(self._wrong, "wb") as wrong:
            self._process = _start(directory, "index.mjs", "--url", f"{url}/v1/traces", "--encoding", encoding, *more, stdout=said,
                                   stderr=wrong)

    def said(self):
        """The lines that are whole."""
        *lines, _ = self._said.read_text().split("\n")
        return [json.loads(line) for line in lines]

    def answers(self):
        """What the server answered."""
        return [line for line in self.said() if "status" in line]

    def complaints(self):
        return [line["complaint"] for line in self.said() if "complaint" in line]

    def wait(self):
        """Until it has shut down its SDK, and ended well."""
        status = self._process.wait(timeout=120)
        assert status == 0, self._wrong.read_text() + self._said.read_text()
        return self
