"""Fixtures of the end-to-end and fault tests. One cluster serves all; every store has a database of its own."""

import signal

import pytest

pytest.register_assert_rewrite("support")  # so that what fails there is shown as well

from support.cluster import PostgresCluster
from support.store import BACKENDS, Store


def pytest_configure():
    # A SIGTERM ends the run as Ctrl-C does, so that clusters and servers are cleaned up.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL cluster for the whole run. Tests that stop theirs make one of their own."""
    with PostgresCluster() as running:
        yield running


@pytest.fixture
def database(cluster):
    """An empty database of the plain role `raceway`."""
    created = cluster.create_database()
    yield created
    created.drop()


@pytest.fixture
def migrated(cluster):
    """The same with the extension and its tables."""
    created = cluster.create_database(migrated=True)
    yield created
    created.drop()


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request):
    return request.param


@pytest.fixture
def open_store(cluster, request):
    """open_store(backend, sections=None): a Store of this test's own. Its server must end well."""
    stores = []

    def open_one(backend, sections=None):
        stores.append(Store(backend, cluster, request.node.originalname, sections).__enter__())
        return stores[-1]

    yield open_one
    for store in reversed(stores):
        store.__exit__(None)


@pytest.fixture
def store(open_store, backend):
    """An empty store of this test's own."""
    return open_store(backend)
