"""Barman on one machine: its home, configuration and log in a directory of the test's own, no cron and no ssh. It takes
its backups by pg_basebackup, and finds the log where the cluster's archive_command puts it."""

import json

from support.backups import archiving, database_user, shell, workspace
from support.cluster import binary


class Barman:
    """`settings` are for the cluster to be backed up; configure() when it runs."""

    # By pg_basebackup each one is full.
    kinds = ("full", "full")

    def __init__(self):
        self.directory = workspace()
        self._config = self.directory / "barman.conf"
        incoming = f"{self.directory}/home/raceway/incoming"
        # Under another name first, so that Barman never sees half a file.
        self.settings = archiving(f'cp "%p" "{incoming}/.%f" && mv "{incoming}/.%f" "{incoming}/%f"')

    def version(self):
        return shell("barman --version", self.directory).splitlines()[0]

    def _run(self, words):
        return shell(f"barman -c {self._config} {words}", self.directory)

    def configure(self, cluster):
        place, where = self.directory, f"host={cluster.host} port={cluster.port} user=postgres dbname=postgres"
        self._config.write_text(
            f"[barman]\nbarman_home = {place}/home\nbarman_user = {database_user()}\nlog_file = {place}/barman.log\n"
            f"configuration_files_directory = {place}/barman.d\n\n"
            f"[raceway]\ndescription = the test's own\nconninfo = {where}\nstreaming_conninfo = {where}\n"
            f"backup_method = postgres\narchiver = on\nimmediate_checkpoint = true\npath_prefix = "
            f"{binary('psql').rpartition('/')[0]}\n")
        shell("mkdir -p home/raceway/incoming barman.d", place)
        self._run("switch-wal --force --archive raceway")
        self._run("check raceway")

    def back_up(self, kind):
        assert kind == "full"
        self._run("backup --wait raceway")

    def made(self):
        """The kinds of the backups there are, the oldest first; each is sound."""
        backups = json.loads(shell(f"barman -c {self._config} -f json list-backup raceway", self.directory))["raceway"]
        assert all(backup["status"] == "DONE" for backup in backups)
        return ("full",) * len(backups)

    def restore(self, data, target=None):
        """Lays down the latest backup, to be brought forward to a named restore point, or to the end."""
        self._run("archive-wal raceway")
        aim = f'--target-name "{target}" --target-action promote' if target else ""
        self._run(f"recover {aim} raceway latest {data}")
