"""A database in good order with the configuration of a server in front of it, for `raceway doctor` to look at."""

import json
import os
import subprocess
from pathlib import Path
from unittest import mock

from support import cluster, paths
from support.cluster import PostgresCluster, binary
from support.server import server_environment, toml
from support.wait import free_port

MEMORY = "1GB"
GOOD_SETTINGS = {
    "shared_buffers": "256MB", "effective_cache_size": "768MB", "work_mem": "4MB", "maintenance_work_mem": "64MB",
    "wal_buffers": "8MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "checkpoint_completion_target": "0.9",
    "fsync": "on", "full_page_writes": "on",
    "autovacuum_naptime": "1d",  # so that nobody cleans up what a test has spoiled
}
WITH_CRON = {"shared_preload_libraries": "pg_cron", "cron.database_name": "test_1"}


class GoodCluster(PostgresCluster):
    """With the settings that the doctor wants for a machine of MEMORY. `environment` is added to its processes'."""

    def __init__(self, name, settings=None, environment=None, initdb=()):
        # fsync is on, as the doctor wants it, and costs nothing.
        self._environment = {"LD_PRELOAD": "libeatmydata.so", **(environment or {})}
        super().__init__(name, {**GOOD_SETTINGS, **(settings or {})}, initdb=initdb)

    def start(self):
        # Set only where the user is PostgreSQL's already: what a preloaded library makes belongs to that one.
        words = [*cluster.become_postgres(), "env", *(f"{name}={value}" for name, value in self._environment.items()), "setpriv"]
        with mock.patch.object(cluster, "become_postgres", lambda: words):
            super().start()


class Patient:
    """`before` are the words before the doctor's command and before those that it prints for a shell."""

    def __init__(self, its_cluster, directory, before=()):
        self.cluster = its_cluster
        self.before = before
        self.database = its_cluster.create_database(migrated=True)
        self.file = directory / "raceway.toml"
        self.configure()

    def schedule_cleanup(self):
        """By pg_cron."""
        self.database.sql("CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO raceway", "postgres")
        self.database.sql("SELECT schedule_cleanup('0 3 * * *', older_than => '30 days')")
        return self

    def clean_up(self):
        """As a timer would."""
        self.database.sql("CALL cleanup(older_than => '30 days')")
        return self

    def configure(self, **sections):
        self.sections = {"server": {"port": free_port()}, "storage": {"backend": "postgres"},
                         "storage.postgres": {"connection_string": self.database.connection_string()}}
        for section, keys in sections.items():
            self.add(section.replace("__", "."), keys)
        self.file.write_text(toml(self.sections))

    def add(self, section, keys):
        self.sections.setdefault(section, {}).update(keys)
        self.file.write_text(toml(self.sections))

    def connect(self, connection_string):
        self.add("storage.postgres", {"connection_string": connection_string})

    def report(self, *before, environment=None):
        """The findings; the exit status is that of the worst."""
        done = subprocess.run([*self.before, *before, str(paths.SERVER), "--config", str(self.file), "doctor", "--json",
                               "--memory", MEMORY], capture_output=True, text=True, timeout=60, check=False, cwd="/",
                              env=server_environment(environment))
        assert done.stderr == "", done.stderr
        report = json.loads(done.stdout)
        assert done.returncode == ["ok", "warning", "error"].index(report["worst"])
        assert len(report["findings"]) >= 5
        return report["findings"]

    def examine(self, *before, environment=None):
        """{check: finding} of all that is not ok."""
        return {each["check"]: each for each in self.report(*before, environment=environment) if each["severity"] != "ok"}

    def verdict(self, check):
        """The one finding of a check."""
        (finding,) = [each for each in self.report() if each["check"] == check]
        return finding

    def restart(self):
        self.cluster.stop()
        self.cluster.start()

    def apply(self, finding, **words):
        """Does what was printed, as it was printed, but for `words` that stand for what nobody can know here. The test's
        cluster is no service of the machine: what systemctl would do to it is done by its means."""
        assert finding["mend"], finding
        for mend in finding["mend"]:
            lines = mend["lines"]
            for word, meant in words.items():
                lines = [line.replace(word, str(meant)) for line in lines]
            if mend["place"] == "sql":
                user = {"superuser": "postgres", "owner": "raceway"}[mend["as"]]
                self.database.sql("\n".join(lines), user)
                if mend["then"] == "restart PostgreSQL":
                    self.restart()
            elif mend["place"] == "raceway.toml":
                section, *keys = lines
                keys = dict(line.split(" = ", 1) for line in keys)
                self.add(section.strip("[]"), {name: json.loads(value) for name, value in keys.items()})
            else:
                for line in lines:
                    self._run(line)

    def _run(self, line):
        service = {"systemctl start postgresql": self.cluster.start, "systemctl restart postgresql": self.restart}
        if line in service:
            service[line]()
            return
        path = f"{paths.BUILD}:{Path(binary('psql')).parent}:{os.environ['PATH']}"
        done = subprocess.run([*self.before, "bash", "-euc", line], capture_output=True, text=True, check=False, cwd="/",
                              env=server_environment({
                                  "PATH": path, "RACEWAY_CONFIG": str(self.file), "PGHOST": self.cluster.host,
                                  "PGPORT": str(self.cluster.port), "PGUSER": "postgres"}))
        assert done.returncode == 0, (line, done.stdout, done.stderr)
