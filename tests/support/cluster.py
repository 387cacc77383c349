"""Temporary PostgreSQL clusters with the extension of this checkout, installed nowhere in the system.

PostgreSQL refuses to run as root: when we are root it runs as the user `postgres` of Debian's package, else as
ourselves. That user may not be able to read the checkout, so the extension is staged under /tmp and found there.
"""

import atexit
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from support import paths
from support.wait import free_port, wait_until


def _output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


PG_CONFIG = _output(paths.ROOT / "extension" / "which-pg_config")
PASSWORD = "not-a-secret"


class SqlError(Exception):
    """psql ended with an error; the text is what PostgreSQL said."""


def major_of(pg_config):
    return int(re.search(r"\d+", _output(pg_config, "--version"))[0])


MAJOR = major_of(PG_CONFIG)


def older_pg_configs():
    """Those of the older PostgreSQL's of Debian that the extension can be built for here, too."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_config"), key=major_of)
    return [pg_config for pg_config in there
            if major_of(pg_config) < MAJOR and (Path(_output(pg_config, "--includedir-server")) / "postgres.h").exists()]


def binary(name, pg_config=PG_CONFIG):
    """The full name of a program of a PostgreSQL: by default, of the one that all is built for."""
    return str(Path(_output(pg_config, "--bindir")) / name)


def become_postgres():
    """The words to put before a command so that it runs as a user PostgreSQL accepts, and dies with us."""
    words = ["setpriv"]
    if os.geteuid() == 0:
        words += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return words


def temporary_directory(prefix):
    """A short-named directory that user `postgres` may enter; removed at the end of the program."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    path.chmod(0o755)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def copy_of_extension():
    """A directory with a copy of all that the extension is made of, to be changed; removed at the end of the program."""
    copy = temporary_directory("raceway-copy-")
    for folder in ("extension", "sql", "pg_regress"):
        shutil.copytree(paths.ROOT / folder, copy / folder)
    return copy


def stage_extension(extension, pg_config):
    """Installs what stands in that directory, for that PostgreSQL, below a directory of its own; that directory."""
    stage = temporary_directory("raceway-stage-")
    # Suites run side by side, and one make at a time is enough for a directory.
    made = subprocess.run(
        ["flock", str(extension), "make", "--no-print-directory", "-j2", "-C", str(extension), "install", f"DESTDIR={stage}", f"PG_CONFIG={pg_config}"],
        capture_output=True, text=True, env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
    )
    if made.returncode != 0:
        raise RuntimeError(f"make -C {extension} install failed:\n{made.stdout}{made.stderr}")
    subprocess.run(["chmod", "-R", "a+rX", str(stage)], check=True)
    return stage


@cache
def staged_extension():
    """The directory under which the extension of this checkout is installed; staged once for each program."""
    return stage_extension(paths.ROOT / "extension", PG_CONFIG)


def found_under(stage, pg_config=PG_CONFIG):
    """The settings by which PostgreSQL finds an extension that is installed below `stage`: one of Debian's up to 17,
    two of everybody's since."""
    if "extension_destdir\t" in _output(binary("postgres", pg_config), "--describe-config"):
        return {"extension_destdir": str(stage)}
    share, library = (f"{stage}{_output(pg_config, option)}" for option in ("--sharedir", "--pkglibdir"))
    return {"extension_control_path": f"{share}:$system", "dynamic_library_path": f"{library}:$libdir"}


class PostgresCluster:
    """One temporary cluster. Over its socket everybody is trusted; over TCP a password is asked for.

    It has the superuser `postgres` and the plain role `raceway`. Its process dies with the thread that started it, so
    start it from the main thread.
    """

    pg_config = PG_CONFIG

    def __init__(self, name="main", settings=None, with_extension=True, initdb=()):
        self.directory = temporary_directory("rw-")
        self.data = self.directory / "data"
        self.log = paths.LOGS / f"postgres-{name}.log"
        self._log_begin = self.log.stat().st_size if self.log.exists() else 0  # of others of that name before us
        self.port = free_port()
        self.host = str(self.directory)
        self.process = None
        self._names = 0
        self._settings = {
            "unix_socket_directories": str(self.directory),
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "max_connections": 60,
            # A crash of the process loses no page that was handed to the kernel; only a crash of the machine would.
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
            "max_wal_size": "256MB",
            "timezone": "Asia/Kolkata",  # not UTC, so that a time that depends on the session's zone is found out
            "log_line_prefix": "%m [%p] %u@%d ",
            **(found_under(staged_extension()) if with_extension else {}),
            **(settings or {}),
        }
        self._initdb = initdb
        atexit.register(self.remove)
        self._initialise()
        self.start()
        self._furnish()

    def _furnish(self):
        self.sql(f"CREATE ROLE raceway LOGIN PASSWORD '{PASSWORD}'")

    def _own_directory(self):
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)

    def _initialise(self):
        self._own_directory()
        subprocess.run(
            [*become_postgres(), binary("initdb", self.pg_config), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions", *self._initdb],
            check=True, cwd="/", stdout=subprocess.DEVNULL, env=_clean_environment(),
        )
        hba = self.data / "pg_hba.conf"
        hba.write_text("local all,replication all trust\n" + self._admitted())
        self._configure()

    def _admitted(self):
        """The lines of pg_hba.conf for those who come over TCP."""
        return "host all all 127.0.0.1/32 scram-sha-256\n"

    def _configure(self):
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            for key, value in self._settings.items():
                conf.write(f"{key} = '{value}'\n")

    def start(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*become_postgres(), "--pdeathsig=QUIT", binary("postgres", self.pg_config), "-D", str(self.data)],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=_clean_environment(),
            )
        self.await_ready()

    def await_ready(self):
        """Waits until it accepts connections."""
        wait_until(self._is_ready, 30, f"PostgreSQL accepts connections (see {self.log})", every=0.05)

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended with {self.process.returncode} while starting, see {self.log}")
        asked = subprocess.run([binary("pg_isready"), "-q", "-h", self.host, "-p", str(self.port)], check=False)
        return asked.returncode == 0

    def _end(self, number):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=60)

    def log_text(self):
        """What it has said."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self._log_begin)
            return log.read()

    def complaints(self):
        """What no session may make it say, whatever it does."""
        bad = re.compile(r"PANIC|TRAP|leak|corrupt|invalid page|invalid memory|zero page|beyond EOF|inconsistent")
        return [line for line in self.log_text().splitlines() if bad.search(line)]

    def stop(self):
        """A fast shutdown: open transactions are rolled back, everything is written."""
        self._end(signal.SIGINT)

    def stop_immediately(self):
        """As after a crash: nothing is written any more; the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def kill(self):
        """kill -9 of all its processes, between two instructions of each."""
        postmaster = self.process.pid
        self.process.send_signal(signal.SIGSTOP)  # so that it starts no other meanwhile
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        pids = [postmaster, *map(int, children.split())]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(timeout=30)
        # While one of them is attached to the shared memory, no other cluster starts on these files.
        wait_until(lambda: not any(_lives(pid) for pid in pids), 30, "all processes have ended")

    def remove(self):
        """Ends the cluster and removes its files. May be called again."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.remove)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def sql(self, query, database="postgres", user="postgres", **variables):
        """What psql prints, unaligned and without headings. `variables` are psql's :'name'. SqlError on an error."""
        done = subprocess.run(
            [binary("psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose",
             *(word for name, value in variables.items() for word in ("-v", f"{name}={value}")),
             "-h", self.host, "-p", str(self.port), "-U", user, "-d", database, "-f", "-"],
            input=textwrap.dedent(query), capture_output=True, text=True, check=False, env=_clean_environment(),
        )
        if done.returncode != 0:
            raise SqlError(done.stderr.strip())
        return done.stdout.rstrip("\n")

    def create_role(self, name):
        """A plain role that may log in."""
        self.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
        return name

    def create_database(self, owner="raceway", migrated=False):
        """A new empty database; `migrated` with the extension and its tables, made by its owner."""
        self._names += 1
        database = Database(self, f"test_{self._names}", owner)
        self._make_database(database.name, owner)
        if migrated:
            database.sql("CREATE EXTENSION raceway; SELECT raceway.migrate()")
        return database


    def _make_database(self, name, owner):
        self.sql(f"CREATE DATABASE {name} OWNER {owner}")

    def reach(self, database, user):
        """How the server under test connects."""
        return f"host={self.host} port={self.port} dbname={database.name} user={user}"


class Database:
    """A database of a cluster, seen by default as its owner."""

    backend = "postgres"  # for [storage]

    def __init__(self, cluster, name, owner):
        self.cluster = cluster
        self.name = name
        self.owner = owner

    def drop(self):
        """Removes it, whoever is still connected; where the cluster runs."""
        if self.cluster.process.poll() is None:
            self.cluster.sql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def sql(self, query, user=None, **variables):
        return self.cluster.sql(query, self.name, user or self.owner, **variables)

    def rows(self, query, user=None, **variables):
        """The rows of one SELECT as dictionaries."""
        wrapped = f"SELECT coalesce(json_agg(q), '[]') FROM ({query.strip().rstrip(';')}) AS q"
        return json.loads(self.sql(wrapped, user, **variables))

    def value(self, query, user=None, **variables):
        """The one value of one row."""
        (row,) = self.rows(query, user, **variables)
        (value,) = row.values()
        return value

    @contextmanager
    def held(self, statements):
        """While the block runs, a superuser's session has run `statements` in a transaction that stays open."""
        session = subprocess.Popen(
            [binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.cluster.host, "-p", str(self.cluster.port),
             "-U", "postgres", "-d", self.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_clean_environment())
        try:
            session.stdin.write(f"BEGIN;\n{statements};\n\\echo held\n")
            session.stdin.flush()
            assert session.stdout.readline() == "held\n", f"{statements} failed"
            yield
        finally:
            session.kill()
            session.communicate()

    def connection_string(self, user=None):
        return self.cluster.reach(self, user or self.owner)

    def tcp_connection_string(self, password=PASSWORD, user=None):
        return (f"host=127.0.0.1 port={self.cluster.port} dbname={self.name} user={user or self.owner} "
                f"password={password}")


def _lives(pid):
    """Whether it has not ended yet; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _clean_environment():
    """Ours without PG*, so that no setting of the caller reaches a test."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8"}
