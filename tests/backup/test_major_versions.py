"""From an older major version of PostgreSQL to the one of this machine, by pg_upgrade and by dump and restore: the same
database, which goes on. Where Debian's packages of an older one, with its headers, are installed beside it."""

import re
from pathlib import Path

import pytest

from support.backups import Restored, shell, workspace
from support.catalog import difference, extension_of, rows_of, tables_of
from support.cluster import (
    MAJOR, PG_CONFIG, PostgresCluster, binary, copy_of_extension, found_under, major_of, older_pg_configs, stage_extension,
    staged_extension)
from support.estate import LAYOUTS, assert_goes_on, create_database, settle

ALIKE = ("--no-data-checksums",) if MAJOR >= 18 else ()  # what was off by default before
VERSION_OF_COLUMNS = "pg_attver"  # an option of columns that some minor releases write down by themselves, and others refuse
OLDER = older_pg_configs() or [pytest.param(None, marks=pytest.mark.skip("there is no older PostgreSQL with its headers"))]


class OlderCluster(PostgresCluster):
    """Of another PostgreSQL, with the extension built for it."""

    def __init__(self, pg_config):
        self.pg_config = pg_config
        stage = stage_extension(copy_of_extension() / "extension", pg_config)
        super().__init__(f"of-{major_of(pg_config)}", found_under(stage, pg_config), with_extension=False)


@pytest.fixture(scope="module", params=OLDER, ids=lambda pg_config: str(pg_config and major_of(pg_config)))
def older(request):
    with OlderCluster(request.param) as running:
        yield running


@pytest.fixture(scope="module", params=LAYOUTS)
def layout(request):
    return request.param


@pytest.fixture(scope="module")
def original(older, layout):
    """A database in use there."""
    database = create_database(older, f"raceway_{layout}")
    settle(database, layout)
    return database


def essence(lines):
    """Without what the versions of PostgreSQL, and pg_upgrade, put down in words of their own: the privilege to maintain,
    which is new with 17; the names of NOT NULL, which are with 18; the row types of views; privileges at installation."""
    return [line.replace("arwdDxtm", "arwdDxt") for line in lines
            if not re.match(r"type raceway\.(?!vclock)|.*: privileges at first:|.*: constraint: \S+ n ", line, re.DOTALL)]


def assert_taken_along(database, original, layout):
    """The rows are those of the original; all else is as if it had been made there, and it goes on."""
    assert difference(rows_of(original), rows_of(database)) == []
    here = create_database(database.cluster, "made_here")
    settle(here, layout)
    for of in (extension_of, tables_of):
        assert difference(essence(of(here)), essence(of(database))) == []
    assert_goes_on(database)


def test_a_dump_is_restored_and_goes_on(original, layout):
    directory = workspace()
    shell(f"pg_dump {original.name} | grep -v 'SET ({VERSION_OF_COLUMNS}=' > raceway.sql", directory, original.cluster)
    with PostgresCluster(f"restored-from-{original.name}") as newer:
        restored = create_database(newer, original.name)
        shell(f"psql -X -q -v ON_ERROR_STOP=1 -d {restored.name} < raceway.sql", directory, newer)
        assert_taken_along(restored, original, layout)


def test_pg_upgrade_takes_it_along_and_it_goes_on(older, original, layout):
    """The older cluster stands still meanwhile, and is compared afterwards."""
    directory = workspace()
    bindirs = " ".join(f"-{letter} {binary('', pg_config)}" for letter, pg_config in (("b", older.pg_config), ("B", PG_CONFIG)))

    def upgrade(data):
        shell(f"{binary('initdb')} -D {data} -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync {' '.join(ALIKE)}",
              directory)
        with open(data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.writelines(f"{key} = '{value}'\n" for key, value in newer_settings.items())
        shell(f"pg_upgrade {bindirs} -d {older.data} -D {data} -U postgres -s {directory} -p {older.port} -P {older.port + 1}"
              f" || (cat {data}/pg_upgrade_output.d/*/log/* | grep -h ERROR; exit 1)", directory)

    newer_settings = found_under(staged_extension())
    if "extension_destdir" not in newer_settings and not Path(binary("../lib/raceway.so")).exists():
        pytest.skip("from 18 on pg_upgrade finds libraries only where they are installed")
    older.stop()
    try:
        newer = Restored(upgrade, f"upgraded-with-{original.name}")
    except AssertionError as error:
        if f'unrecognized parameter "{VERSION_OF_COLUMNS}"' in str(error):
            pytest.skip(f"these minor releases do not agree about {VERSION_OF_COLUMNS}")
        raise
    finally:
        older.start()
    with newer:
        upgraded = newer.database(original)
        assert_taken_along(upgraded, original, layout)
