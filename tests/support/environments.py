"""The ways in which a server reaches its PostgreSQL. The end-to-end tests run in any of them: `--environment NAME`."""

from pathlib import Path

from support import paths
from support.certificates import HOST, Authority
from support.cluster import PASSWORD, PostgresCluster
from support.pgbouncer import PgBouncer
from support.server import run_raceway

MANAGED = Path(__file__).with_name("managed.sql")


class Environment(PostgresCluster):
    """A cluster and the way to it; `reach` says how a server connects."""

    portable = False  # without the extension: the schema is plain SQL

    def __init__(self, name, settings=None):
        super().__init__(name, settings, with_extension=not self.portable)

    def create_database(self, owner="raceway", migrated=False):
        database = super().create_database(owner)
        if self.portable:
            database.backend = "supabase"
        if migrated:
            done = run_raceway("migrate", environment={
                "RACEWAY_STORAGE_BACKEND": database.backend,
                "RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING": database.connection_string()})
            assert done.returncode == 0, done.stderr
        return database


class Managed(Environment):
    """As a managed PostgreSQL is set up: see managed.sql."""

    def _furnish(self):
        super()._furnish()
        for role in ("anon", "authenticated", "service_role"):
            self.sql(f"CREATE ROLE {role} NOLOGIN")

    def _make_database(self, name, owner):
        super()._make_database(name, "postgres")
        self.sql(MANAGED.read_text(), name, role=owner)


class Tls(Managed):
    """Over TLS, which the cluster insists on, with its certificate and its name checked."""

    def __init__(self, name="tls"):
        self.authority = Authority()
        super().__init__(name, {"ssl": "on", "ssl_cert_file": self.authority.certificate,
                                "ssl_key_file": self.authority.key})

    def _admitted(self):
        return "hostssl all all 127.0.0.1/32 scram-sha-256\n"

    def reach(self, database, user):
        return (f"host={HOST} hostaddr=127.0.0.1 port={self.port} dbname={database.name} user={user} "
                f"password={PASSWORD} sslmode=verify-full sslrootcert={self.authority.ca}")


class Pooled(Environment):
    """Behind PgBouncer in transaction mode, with TLS to it and fewer connections to the cluster than there are clients."""

    mode = "transaction"
    connections = 3
    encrypted = True

    def __init__(self, name="pooled"):
        self.bouncer = None
        super().__init__(name)
        self.bouncer = PgBouncer(self, self.connections, self.mode, with_passwords=True,
                                 authority=Authority() if self.encrypted else None).__enter__()

    def reach(self, database, user):
        return self.bouncer.connection_string(database, user)

    def remove(self):
        if self.bouncer is not None:
            self.bouncer.__exit__()
            self.bouncer = None
        super().remove()


class PooledSession(Pooled):
    """Behind PgBouncer in session mode."""

    mode = "session"
    connections = 40
    encrypted = False


class PortableTls(Tls):
    portable = True


class PortablePooled(Pooled, Managed):
    portable = True


ENVIRONMENTS = {"direct": PostgresCluster, "pooled": Pooled, "session": PooledSession, "tls": Tls,
                "portable-tls": PortableTls, "portable-pooled": PortablePooled}

# What chooses the edition by itself, or asks the database without a server, and runs in the direct environment alone.
DIRECT_ONLY = ("test_portable", "test_analysis_agrees")
# The modules that stand for all where there is no time for all.
REPRESENTATIVE = ("test_backends_agree", "test_roll_ups")


def names(every=True):
    """Those that can be had beside the direct one, or those of them that are not much like another."""
    portable = (paths.ROOT / "sql" / "portable").is_dir()
    return [name for name, kind in ENVIRONMENTS.items()
            if name != "direct" and (portable or not kind.portable) and (every or name != "session")]
