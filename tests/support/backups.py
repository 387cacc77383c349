"""What an administrator has beside the cluster: a directory, a shell, an archive of the log, a place to restore to."""

import os
import pwd
import subprocess
from pathlib import Path

from support.cluster import become_postgres, binary, temporary_directory
from support.replicas import Copy
from support.wait import wait_until


def database_user():
    """The name of the user that clusters run as."""
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def workspace():
    """A directory that belongs to the user of the clusters; removed at the end of the program."""
    directory = temporary_directory("rwb-")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    return directory


def shell(script, directory, cluster=None, user="raceway"):
    """Runs a script as one would type it on the database's machine, in `directory`, with PostgreSQL's programs in the
    PATH; `psql` and the like connect to the cluster as `user`. What it printed, both streams together.

    As for the clusters, nothing is forced onto the disk: only a crash of the machine would need that."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "RACEWAY_"))}
    environment.update(LC_ALL="C.UTF-8", HOME=str(directory), USER=database_user(),
                       PATH=f"{Path(binary('psql')).parent}:{os.environ['PATH']}")
    if cluster is not None:
        environment.update(PGHOST=cluster.host, PGPORT=str(cluster.port), PGUSER=user)
    done = subprocess.run([*become_postgres(), "eatmydata", "bash", "-euo", "pipefail", "-c", script], cwd=directory, check=False,
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout[-3000:]}"
    return done.stdout.strip()


def archiving(command):
    """Settings of a cluster whose log is archived by `command`."""
    return {"wal_level": "replica", "full_page_writes": "on", "max_wal_senders": 8, "archive_mode": "on",
            "archive_command": command}


def await_archived(cluster):
    """All that was written by now is in the archive afterwards."""
    last = cluster.sql("SELECT pg_walfile_name(pg_switch_wal())")
    wait_until(lambda: cluster.sql("SELECT last_archived_wal FROM pg_stat_archiver") >= last, 30,
               f"{last} is archived (see {cluster.log})", every=0.05)


class Restored(Copy):
    """A cluster that begins with the files that `lay_down` puts into the directory it is given; it archives nothing.
    It is there when its recovery has ended."""

    def __init__(self, lay_down, name="restored", settings=None):
        self._lay_down = lay_down
        super().__init__(name, {"archive_mode": "off", **(settings or {})})

    def _initialise(self):
        self._own_directory()
        self._lay_down(self.data)
        self._configure()

    def _furnish(self):
        wait_until(lambda: not self.in_recovery(), 60, f"the recovery ends (see {self.log})")
