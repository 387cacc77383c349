"""Copies of a cluster: taken while it runs, and brought forward by its log."""

import re
import subprocess

from support.cluster import PostgresCluster, become_postgres, binary
from support.wait import wait_until

# For a primary: what a copy needs of it.
PRIMARY_SETTINGS = {"wal_level": "replica", "wal_keep_size": "4GB", "max_wal_senders": 8, "full_page_writes": "on"}


def as_number(lsn):
    """A place in the log, 16/B374D848, as a number of bytes."""
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


def as_lsn(number):
    """And back."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


class Backup:
    """A base backup of a running cluster, without the log."""

    def __init__(self, primary, data):
        self.data = data
        subprocess.run(
            [*become_postgres(), binary("pg_basebackup"), "-D", str(data), "-h", primary.host, "-p", str(primary.port),
             "-U", "postgres", "-c", "fast", "-X", "none", "--no-sync", "--no-manifest"],
            check=True, cwd="/", capture_output=True)


class Copy(PostgresCluster):
    """A cluster that begins as a copy of another."""

    def _furnish(self):
        pass

    def database(self, database):
        """The copy of a database of the other cluster."""
        return type(database)(self, database.name, database.owner)

    def in_recovery(self):
        return self.sql("SELECT pg_is_in_recovery()") == "t"

    def assert_consistent(self):
        """No page came out other than on the primary, and nothing else went wrong with its recovery."""
        of_no_session = r"\] @ (?!LOG:|DETAIL:|HINT:)|inconsistent page"
        assert [line for line in self.log_text().splitlines() if re.search(of_no_session, line)] == []
        assert self.process.poll() is None


class Standby(Copy):
    """Follows a running primary."""

    def __init__(self, primary, name="standby", settings=None):
        self._primary = primary
        super().__init__(name, {"hot_standby_feedback": "on", "max_standby_streaming_delay": "1s",
                                "wal_receiver_status_interval": "1s",
                                "primary_conninfo": f"host={primary.host} port={primary.port} user=postgres",
                                **(settings or {})})

    def _initialise(self):
        self._own_directory()
        Backup(self._primary, self.data)
        (self.data / "standby.signal").touch()
        self._configure()

    def catch_up(self):
        """Waits until it has all that the primary has written by now."""
        goal = self._primary.sql("SELECT pg_switch_wal()")  # what is written is also sent
        wait_until(lambda: self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{goal}'") == "t", 60, "it catches up")

    def promote(self):
        """Makes it a primary of its own; the place in the log up to which it followed the other."""
        assert self.sql("SELECT pg_promote()") == "t"
        return as_number(self.sql("SELECT pg_last_wal_replay_lsn()"))


class Recovered(Copy):
    """A backup brought forward to a place in the primary's log, and not a record further, as after a crash there."""

    def __init__(self, backup, primary_data, lsn, name="recovered", settings=None):
        self._backup = backup
        super().__init__(name, {"restore_command": f'cp "{primary_data}/pg_wal/%f" "%p"', "recovery_target_lsn": lsn,
                                "recovery_target_action": "promote", "archive_mode": "off", **(settings or {})})

    def _initialise(self):
        self._own_directory()
        subprocess.run([*become_postgres(), "cp", "-a", str(self._backup.data), str(self.data)], check=True, cwd="/")
        (self.data / "recovery.signal").touch()
        self._configure()

    def _furnish(self):
        wait_until(lambda: not self.in_recovery(), 60, f"the recovery ends (see {self.log})")
