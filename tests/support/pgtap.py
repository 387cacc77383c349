"""Runs pgTAP files against each edition of the code, each in a cluster of its own: python3 -m support.pgtap FILE...

The cluster of the portable edition has no library of ours. Each run begins with a line `edition: NAME`.
"""

import os
import signal
import subprocess
import sys

from support import paths
from support.cluster import PostgresCluster

EDITIONS = ("extension", "portable")


def run(edition, files):
    """The status of pg_prove."""
    print(f"edition: {edition}", flush=True)
    with PostgresCluster(name=f"pgtap-{edition}", with_extension=edition == "extension") as cluster:
        cluster.sql("CREATE DATABASE raceway_test OWNER raceway")
        cluster.sql("CREATE EXTENSION pgtap", database="raceway_test")
        environment = {**os.environ, "PGHOST": cluster.host, "PGPORT": str(cluster.port), "PGUSER": "postgres",
                       "PGDATABASE": "raceway_test"}
        return subprocess.run(["pg_prove", "--verbose", "--norc", "--set", f"edition={edition}", *files],
                              cwd=paths.ROOT, env=environment, check=False).returncode


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return max([run(edition, sys.argv[1:]) for edition in EDITIONS])


if __name__ == "__main__":
    sys.exit(main())
