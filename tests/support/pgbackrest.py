"""pgBackRest on one machine: its repository, configuration and locks in a directory of the test's own, no daemon."""

import json

from support.backups import archiving, shell, workspace


class PgBackRest:
    """`settings` are for the cluster to be backed up; configure() when it runs."""

    kinds = ("full", "incr")

    def __init__(self):
        self.directory = workspace()
        self._config = self.directory / "pgbackrest.conf"
        self._command = f"pgbackrest --config={self._config} --stanza=raceway"
        self.settings = archiving(f"eatmydata {self._command} archive-push %p")

    def version(self):
        return shell("pgbackrest version", self.directory)

    def _run(self, words):
        return shell(f"{self._command} {words}", self.directory)

    def configure(self, cluster):
        place = self.directory
        self._config.write_text(
            f"[global]\nrepo1-path={place}/repository\nlock-path={place}/lock\nlog-path={place}/log\n"
            f"spool-path={place}/spool\nlog-level-file=off\nlog-level-console=warn\nstart-fast=y\ncompress-type=zst\n"
            "repo1-bundle=y\nrepo1-retention-full=2\n\n"
            f"[raceway]\npg1-path={cluster.data}\npg1-socket-path={cluster.host}\npg1-port={cluster.port}\n"
            "pg1-user=postgres\n")
        self._run("stanza-create")
        self._run("check")

    def back_up(self, kind):
        self._run(f"--type={kind} backup")

    def made(self):
        """The kinds of the backups there are, the oldest first; each is sound."""
        (stanza,) = json.loads(self._run("info --output=json"))
        assert stanza["status"]["message"] == "ok" and not any(backup["error"] for backup in stanza["backup"])
        return tuple(backup["type"] for backup in stanza["backup"])

    def restore(self, data, target=None):
        """Lays down the latest backup that it needs, to be brought forward to a named restore point, or to the end."""
        aim = f'--type=name --target="{target}" --target-action=promote' if target else ""
        shell(f"mkdir -m 700 {data}", self.directory)
        self._run(f"{aim} --pg1-path={data} restore")
