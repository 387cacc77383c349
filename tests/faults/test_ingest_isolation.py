"""Concurrent transactions that ingest, step by step (tests/isolation), by PostgreSQL's isolation tester."""

import subprocess
from pathlib import Path

import pytest

from support import paths
from support.cluster import PG_CONFIG, binary

ISOLATION = paths.TESTS / "isolation"
SPECS = sorted(file.stem for file in (ISOLATION / "specs").glob("*.spec"))


def isolation_regress():
    """The program that comes with PGXS."""
    pgxs = subprocess.run([PG_CONFIG, "--pgxs"], check=True, capture_output=True, text=True).stdout.strip()
    return str(Path(pgxs).parent.parent / "test" / "isolation" / "pg_isolation_regress")


@pytest.fixture(scope="module")
def isolation_database(cluster):
    created = cluster.create_database(migrated=True)
    created.sql((ISOLATION / "setup.sql").read_text(), "postgres")
    created.sql(f"ALTER DATABASE {created.name} SET timezone = 'UTC'", "postgres")
    yield created
    created.drop()


@pytest.mark.parametrize("spec", SPECS)
def test_spec(cluster, isolation_database, spec):
    output = paths.BUILD / "isolation"
    output.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [isolation_regress(), f"--bindir={Path(binary('psql')).parent}", f"--inputdir={ISOLATION}",
         f"--outputdir={output}", f"--host={cluster.host}", f"--port={cluster.port}", "--user=postgres",
         "--use-existing", f"--dbname={isolation_database.name}", spec],
        capture_output=True, text=True, check=False, cwd=output)
    differences = output / "regression.diffs"
    assert done.returncode == 0, differences.read_text() if differences.exists() else done.stdout + done.stderr
