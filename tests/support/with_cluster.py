"""Runs a command against a temporary cluster: python3 -m support.with_cluster COMMAND...

PGHOST, PGPORT, PGUSER and PGDATABASE lead to a superuser in a database `raceway_test` that the plain role `raceway`
owns and that has pgTAP; the extension can be created there.
"""

import os
import signal
import subprocess
import sys

from support.cluster import PostgresCluster


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with PostgresCluster(name="with-cluster", settings={"max_connections": 100}) as cluster:
        cluster.sql("CREATE DATABASE raceway_test OWNER raceway")
        cluster.sql("CREATE EXTENSION pgtap", database="raceway_test")
        environment = {
            **os.environ, "PGHOST": cluster.host, "PGPORT": str(cluster.port), "PGUSER": "postgres",
            "PGDATABASE": "raceway_test",
        }
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
