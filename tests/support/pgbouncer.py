"""PgBouncer in front of a cluster, with as few server connections as asked for."""

import os
import pwd
import shutil
import subprocess

from support import paths
from support.certificates import HOST
from support.cluster import PASSWORD, become_postgres, temporary_directory
from support.wait import free_port, wait_until

PROGRAM = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class PgBouncer:
    """Everybody the user list names is trusted; `with_passwords` everybody with a password of the cluster's is let in.
    With an `authority` clients have to come over TLS. Nothing is set that would help a server which relies on sessions.
    `more` are lines of its configuration.
    """

    def __init__(self, cluster, server_connections=1, mode="transaction", with_passwords=False, authority=None, more=""):
        self.cluster = cluster
        self.with_passwords = with_passwords
        self.authority = authority
        self.port = free_port()
        self.directory = temporary_directory("rwb-")
        self.log = paths.LOGS / "pgbouncer.log"
        users = self.directory / "users.txt"
        users.write_text('"postgres" ""\n' + ("" if with_passwords else '"raceway" ""\n'))
        self.config = self.directory / "pgbouncer.ini"
        self.config.write_text(
            "[databases]\n"
            f"* = host={cluster.host} port={cluster.port}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = {'scram-sha-256' if with_passwords else 'trust'}\nauth_file = {users}\n"
            "auth_user = postgres\nauth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1\n"
            f"admin_users = postgres\npool_mode = {mode}\ndefault_pool_size = {server_connections}\n"
            "max_client_conn = 200\n"
            + (f"client_tls_sslmode = require\nclient_tls_key_file = {authority.key}\n"
               f"client_tls_cert_file = {authority.certificate}\n" if authority else "") + more)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        self.process = None

    def connection_string(self, database, user=None):
        return (f"port={self.port} dbname={database.name} user={user or database.owner} hostaddr=127.0.0.1"
                + (f" password={PASSWORD}" if self.with_passwords else "")
                + (f" host={HOST} sslmode=verify-full sslrootcert={self.authority.ca}" if self.authority else ""))

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
