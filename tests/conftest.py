"""Fixtures of the end-to-end and fault tests. One cluster serves all; every store has a database of its own."""

import signal

import pytest

pytest.register_assert_rewrite("support")  # so that what fails there is shown as well

from support.cluster import PostgresCluster
from support.environments import DIRECT_ONLY, ENVIRONMENTS, REPRESENTATIVE
from support.store import BACKENDS, Store


def pytest_configure():
    # A SIGTERM ends the run as Ctrl-C does, so that clusters and servers are cleaned up.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))


def pytest_addoption(parser):
    parser.addoption("--environment", choices=ENVIRONMENTS, default="direct",
                     help="the way to PostgreSQL; in others than `direct` only what depends on it runs")
    parser.addoption("--part", default="1/1", help="N/M: every M-th file, from the N-th on")
    parser.addoption("--representative", action="store_true", help="only the tests that stand for all")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--environment") != "direct":
        portable = ENVIRONMENTS[config.getoption("--environment")].portable
        select(config, items, lambda item: reaches_postgresql(item)
               and not (portable and item.get_closest_marker("extension")))
    part, parts = map(int, config.getoption("--part").split("/"))
    if parts > 1:
        modules = sorted({module_of(item) for item in items})
        select(config, items, lambda item: modules.index(module_of(item)) % parts == part - 1)
    if config.getoption("--representative"):
        select(config, items, lambda item: module_of(item) in REPRESENTATIVE)


def module_of(item):
    return item.module.__name__.rpartition(".")[2]


def reaches_postgresql(item):
    backend = item.callspec.params.get("backend") if hasattr(item, "callspec") else None
    return "cluster" in item.fixturenames and backend != "memory" and module_of(item) not in DIRECT_ONLY


def select(config, items, wanted):
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]


@pytest.fixture(scope="session")
def cluster(request):
    """A PostgreSQL cluster for the whole run. Tests that stop theirs make one of their own."""
    environment = request.config.getoption("--environment")
    with ENVIRONMENTS[environment]() if environment != "direct" else PostgresCluster() as running:
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
