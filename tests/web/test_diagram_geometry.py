"""The geometry of the space-time diagram, as data: what is laid out, found, hit, shaded and exported, by random graphs.

The tests are TypeScript, like what they test (diagram/*.test.ts), bundled by esbuild and run by node's own test runner.
RACEWAY_SEED and RACEWAY_STRESS are theirs, too.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from support import paths, shiviz_rules

HERE = Path(__file__).parent
FILES = sorted((HERE / "diagram").glob("*.test.ts"))


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    """The directory with the tests as node runs them."""
    out = tmp_path_factory.mktemp("diagram")
    subprocess.run(["esbuild", *map(str, FILES), "--bundle", "--platform=node", "--format=esm", "--target=node18",
                    f"--outdir={out}", "--out-extension:.js=.mjs", "--log-level=warning"], check=True, cwd=paths.ROOT)
    return out


def run(bundled, file, **variables):
    done = subprocess.run(["node", "--test", str(bundled / file.name.replace(".ts", ".mjs"))], cwd=bundled, check=False,
                          env=os.environ | variables, capture_output=True, text=True)
    passed = int(re.search(r"^. pass (\d+)$", done.stdout, re.MULTILINE)[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed > 0
    return passed


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.ts"))
def test_geometry(bundled, file):
    run(bundled, file)


def test_shiviz_takes_its_logs(bundled, tmp_path):
    run(bundled, HERE / "diagram" / "export.test.ts", DIAGRAM_LOGS=str(tmp_path))
    logs = sorted(tmp_path.iterdir())
    assert len(logs) > 20
    for log in logs:
        [events] = shiviz_rules.read_file(log.read_text()).values()
        assert len(events) == int(log.name.split("-")[0])
