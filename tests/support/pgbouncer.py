"""PgBouncer in front of a cluster, in transaction mode, with as few server connections as asked for."""

import os
import pwd
import shutil
import subprocess

from support import paths
from support.cluster import become_postgres, temporary_directory
from support.wait import free_port, wait_until

PROGRAM = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class PgBouncer:
    """Everybody the user list names is trusted. Nothing is set that would help a server which relies on sessions."""

    def __init__(self, cluster, server_connections=1):
        self.cluster = cluster
        self.port = free_port()
        self.directory = temporary_directory("rwb-")
        self.log = paths.LOGS / "pgbouncer.log"
        users = self.directory / "users.txt"
        users.write_text('"raceway" ""\n"postgres" ""\n')
        self.config = self.directory / "pgbouncer.ini"
        self.config.write_text(
            "[databases]\n"
            f"* = host={cluster.host} port={cluster.port}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {users}\nadmin_users = postgres\n"
            f"pool_mode = transaction\ndefault_pool_size = {server_connections}\nmax_client_conn = 200\n")
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        self.process = None

    def connection_string(self, database):
        return f"host=127.0.0.1 port={self.port} dbname={database.name} user={database.owner}"

    def _answers(self):
        assert self.process.poll() is None, f"pgbouncer ended, see {self.log}"
        return subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0

    def __enter__(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*become_postgres(), "--pdeathsig=KILL", PROGRAM, str(self.config)],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._answers, 15, f"pgbouncer answers (see {self.log})")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)
