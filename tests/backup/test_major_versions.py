"""From an older major version of PostgreSQL to the one of this machine, by pg_upgrade and by dump and restore: the same
database, which goes on. Where Debian's packages of an older one, with its headers, are installed beside it."""

import shutil

import pytest

from support import paths
from support.backups import Restored, shell, workspace
from support.catalog import assert_same_database
from support.cluster import (
    MAJOR, PG_CONFIG, PostgresCluster, binary, found_under, major_of, older_pg_configs, stage_extension, temporary_directory)
from support.estate import LAYOUTS, assert_goes_on, create_database, settle

ALIKE = ("--no-data-checksums",) if MAJOR >= 18 else ()  # what was off by default before
OLDER = older_pg_configs() or [pytest.param(None, marks=pytest.mark.skip("there is no older PostgreSQL with its headers"))]


class OlderCluster(PostgresCluster):
    """Of another PostgreSQL, with the extension built for it."""

    def __init__(self, pg_config):
        self.pg_config = pg_config
        copy = temporary_directory("raceway-copy-")
        for folder in ("extension", "sql", "pg_regress"):
            shutil.copytree(paths.ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.o", "*.so", "*.d", "flags"))
        stage = stage_extension(copy / "extension", pg_config)
        super().__init__(f"of-{major_of(pg_config)}", found_under(stage, pg_config), with_extension=False)


@pytest.fixture(scope="module", params=OLDER, ids=lambda pg_config: str(pg_config and major_of(pg_config)))
def older(request):
    with OlderCluster(request.param) as running:
        yield running


@pytest.fixture(scope="module", params=LAYOUTS)
def original(request, older):
    """A database in use there, in each layout."""
    database = create_database(older, f"raceway_{request.param}")
    settle(database, request.param)
    return database


def test_a_dump_is_restored_and_goes_on(original):
    directory = workspace()
    shell(f"pg_dump -Fc {original.name} > raceway.dump", directory, original.cluster)
    with PostgresCluster(f"restored-from-{original.name}") as newer:
        restored = create_database(newer, original.name)
        shell(f"pg_restore -j2 --exit-on-error -d {restored.name} raceway.dump", directory, newer)
        assert_same_database(restored, original)
        assert_goes_on(restored)


def test_pg_upgrade_takes_it_along_and_it_goes_on(older, original):
    """The older cluster stands still meanwhile, and is compared afterwards."""
    directory = workspace()
    bindirs = " ".join(f"-{letter} {binary('', pg_config)}" for letter, pg_config in (("b", older.pg_config), ("B", PG_CONFIG)))

    def upgrade(data):
        shell(f"{binary('initdb')} -D {data} -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync {' '.join(ALIKE)}",
              directory)
        with open(data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{key} = '{value}'\n" for key, value in newer_settings.items())
        shell(f"pg_upgrade {bindirs} -d {older.data} -D {data} -U postgres -s {directory} -p {older.port} -P {older.port + 1}",
              directory)

    newer_settings = found_under(stage_extension(paths.ROOT / "extension", PG_CONFIG))
    older.stop()
    with Restored(upgrade, f"upgraded-with-{original.name}") as newer:
        older.start()
        upgraded = newer.database(original)
        assert_same_database(upgraded, original)
        assert_goes_on(upgraded)
