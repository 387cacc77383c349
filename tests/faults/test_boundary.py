"""The boundary between C++ exceptions and PostgreSQL's errors (extension/src/postgres/boundary.hpp), by a module that
fails in every way (tests/boundary_probe). All in one backend: it must be the same one, and as well, afterwards."""

import json
import shutil
import subprocess

import pytest

from support import paths
from support.cluster import PG_CONFIG

PROBE = paths.TESTS / "boundary_probe"
CALLS = 100_000
# What may be left of CALLS calls: less than a byte a call, so not one of the objects of any of them.
SPARE_BYTES = 64 * 1024

RULE = "A counter is a whole number from 0 to 18446744073709551615."
REMEDY = "Count the component's own events from 1, and leave a component out that has not been heard of."
CLOCK_RULE = 'A vector clock is an object that maps components to counters, like {"api": 2, "db": 1}.'
CLOCK_REMEDY = "raceway.vclock_normalize() makes a clock of an object or of an array of [component, counter] pairs."
OWN = ("RW001", "raised in plpgsql", "its detail: 100%", "its hint: %s")

# kind of failure: SQLSTATE, message, detail, hint
EXPECTED = {
    "bad_alloc": ("53200", "out of memory", "", ""),
    "runtime_error": ("XX000", "a runtime error, 100% of it", "", ""),
    "long_runtime_error": ("XX000", "x" * 100_000, "", ""),
    "empty_runtime_error": ("XX000", "an error without a message", "", ""),
    "bytes_that_are_no_text": ("23514", "caf? ?!", "", ""),
    "int": ("XX000", "an exception that is no std::exception", "", ""),
    "sql_error": ("23514", "a message", "a detail: 100%", "a hint: %s"),
    "bare_sql_error": ("23514", "a message alone", "", ""),
    "clock_out_of_range": ("22003", 'component "db" of the vector clock has an invalid counter: -1', RULE, REMEDY),
    "no_clock": ("22023", "not a vector clock: []", CLOCK_RULE, CLOCK_REMEDY),
    "exception_in_guard": ("XX000", "thrown inside a guard", "", ""),
    "sql_error_in_guard": ("23514", "inside a guard", "", ""),
    "division": ("22012", "division by zero", "", ""),
    "division_in_two_guards": ("22012", "division by zero", "", ""),
    "own_error": OWN,
    "own_error_and_finish": OWN,
    "failing_function": ("XX000", "a runtime error, 100% of it", "", ""),
    "failing_function_twice": ("XX000", "a runtime error, 100% of it", "", ""),
    "recovered": ("P0001", "recovered from: division by zero", "", ""),
    "other_memory": ("XX000", "thrown while another memory context was current", "", ""),
}

FUNCTIONS = """
    CREATE FUNCTION probe_fail(kind text) RETURNS text AS :'module', 'boundary_probe_fail' LANGUAGE c STRICT;
    CREATE FUNCTION probe_fail_unguarded() RETURNS void AS :'module', 'boundary_probe_fail_unguarded' LANGUAGE c;
    CREATE FUNCTION probe_made() RETURNS bigint AS :'module', 'boundary_probe_made' LANGUAGE c;
    CREATE FUNCTION probe_alive() RETURNS bigint AS :'module', 'boundary_probe_alive' LANGUAGE c;
    CREATE FUNCTION probe_heap() RETURNS bigint AS :'module', 'boundary_probe_heap' LANGUAGE c;
    CREATE FUNCTION probe_memory_context() RETURNS text AS :'module', 'boundary_probe_memory_context' LANGUAGE c;

    CREATE FUNCTION probe_raise() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'raised in plpgsql' USING ERRCODE = 'RW001', DETAIL = 'its detail: 100%', HINT = 'its hint: %s',
        COLUMN = 'c', CONSTRAINT = 'k', DATATYPE = 'd', TABLE = 't', SCHEMA = 's';
    END $$;
    CREATE TABLE probe_table (id int CONSTRAINT id_is_positive CHECK (id > 0));

    -- What a call fails with.
    CREATE FUNCTION failure_of(kind text) RETURNS jsonb LANGUAGE plpgsql AS $$
    DECLARE e_message text; e_detail text; e_hint text; e_context text; e_column text; e_constraint text;
            e_datatype text; e_table text; e_schema text;
    BEGIN
      PERFORM probe_fail(kind);
      RETURN NULL;
    EXCEPTION WHEN others THEN
      GET STACKED DIAGNOSTICS e_message = MESSAGE_TEXT, e_detail = PG_EXCEPTION_DETAIL, e_hint = PG_EXCEPTION_HINT,
        e_context = PG_EXCEPTION_CONTEXT, e_column = COLUMN_NAME, e_constraint = CONSTRAINT_NAME,
        e_datatype = PG_DATATYPE_NAME, e_table = TABLE_NAME, e_schema = SCHEMA_NAME;
      RETURN jsonb_build_object('kind', kind, 'error', jsonb_build_array(sqlstate, e_message, e_detail, e_hint),
        'context', e_context, 'names', jsonb_build_array(e_schema, e_table, e_column, e_datatype, e_constraint),
        'pid', pg_backend_pid(), 'alive', probe_alive(), 'memory', probe_memory_context());
    END $$;

    -- What many calls leave behind, each failing in a subtransaction of its own.
    CREATE FUNCTION repeat_failure(kind text, calls int) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      FOR i IN 1 .. calls LOOP
        BEGIN
          PERFORM probe_fail(kind);
        EXCEPTION WHEN others THEN
          NULL;
        END;
      END LOOP;
    END $$;
    CREATE FUNCTION held() RETURNS TABLE (contexts numeric, heap bigint) LANGUAGE sql AS $$
      SELECT sum(total_bytes), probe_heap() FROM pg_backend_memory_contexts $$;
"""


@pytest.fixture(scope="module")
def probed(cluster):
    """A database with the probe's functions. They are of an untrusted language: its superuser makes them."""
    # Built where its Makefile says: a path of our own may hold a space.
    subprocess.run(["make", "-s", "-C", str(PROBE), f"PG_CONFIG={PG_CONFIG}"], check=True)
    module = cluster.directory / "boundary_probe.so"
    shutil.copy(paths.BUILD / "boundary_probe.so", module)
    module.chmod(0o755)
    database = cluster.create_database(owner="postgres")
    database.sql(FUNCTIONS, module=module)
    return database


def failures(database, kinds):
    """The failure of each kind, one after the other in the same backend."""
    lines = database.sql("\n".join(f"SELECT failure_of('{kind}');" for kind in kinds)).split("\n")
    return [json.loads(line) for line in lines]


def test_every_failure_arrives_with_all_it_says(probed):
    told = {one["kind"]: tuple(one["error"]) for one in failures(probed, EXPECTED)}
    assert told == EXPECTED


def test_every_failure_runs_the_destructors_and_leaves_the_backend_as_it_was(probed):
    told = failures(probed, [kind for kind in EXPECTED for _ in range(3)])
    assert {one["alive"] for one in told} == {0}
    assert len({one["pid"] for one in told}) == 1
    assert len({one["memory"] for one in told}) == 1
    assert int(probed.sql("SELECT failure_of('bad_alloc') IS NULL; SELECT probe_made();").split("\n")[1]) == 3


def test_a_postgresql_error_keeps_its_names_and_its_context(probed):
    (own, constraint) = failures(probed, ["own_error", "constraint"])
    assert own["names"] == ["s", "t", "c", "d", "k"]
    assert own["context"].startswith("PL/pgSQL function probe_raise() line 3 at RAISE\n")
    assert 'SQL statement "SELECT probe_raise()"' in own["context"]
    assert constraint["error"][0] == "23514"
    assert constraint["names"] == ["public", "probe_table", "", "", "id_is_positive"]
    assert constraint["alive"] == 0


def test_a_function_that_does_not_fail_returns(probed):
    assert probed.sql("SELECT probe_fail('nothing'), probe_alive()") == "nothing|0"


def test_the_session_goes_on_after_an_error_that_nobody_caught(probed):
    lines = probed.sql("""
        \\set ON_ERROR_STOP off
        SELECT pg_backend_pid() AS pid \\gset
        SELECT probe_fail('own_error');
        \\echo :LAST_ERROR_SQLSTATE
        SELECT probe_fail('int');
        \\echo :LAST_ERROR_SQLSTATE
        BEGIN;
        SELECT probe_fail('bad_alloc');
        \\echo :LAST_ERROR_SQLSTATE
        ROLLBACK;
        SELECT probe_fail_unguarded();
        \\echo :LAST_ERROR_SQLSTATE
        SELECT probe_fail('failing_function_twice');
        \\echo :LAST_ERROR_SQLSTATE
        SELECT pg_backend_pid() = :pid, probe_alive(), (SELECT count(*) > 0 FROM pg_class);
    """).split("\n")
    assert lines == ["RW001", "XX000", "53200", "22012", "XX000", "t|0|t"]


def test_an_interrupt_runs_the_destructors(probed):
    lines = probed.sql("""
        \\set ON_ERROR_STOP off
        SET statement_timeout = '100ms';
        SELECT probe_fail('endless');
        \\echo :LAST_ERROR_SQLSTATE
        RESET statement_timeout;
        SELECT probe_alive();
    """).split("\n")
    assert lines == ["57014", "0"]


@pytest.mark.parametrize("kind", ["bad_alloc", "runtime_error", "int", "sql_error", "clock_out_of_range", "division",
                                  "exception_in_guard", "own_error", "failing_function", "recovered", "other_memory"])
def test_a_hundred_thousand_failures_leak_nothing(probed, kind):
    before, after, alive = probed.sql(f"""
        SELECT repeat_failure('{kind}', 1000);
        SELECT * FROM held();
        SELECT repeat_failure('{kind}', 10);
        SELECT * FROM held() \\gset before_
        SELECT repeat_failure('{kind}', {CALLS});
        \\echo :before_contexts :before_heap
        SELECT contexts || ' ' || heap FROM held();
        SELECT probe_alive();
    """).split("\n")[-3:]
    contexts_before, heap_before = map(int, before.split())
    contexts_after, heap_after = map(int, after.split())
    assert alive == "0"
    assert contexts_after - contexts_before < SPARE_BYTES
    assert heap_after - heap_before < SPARE_BYTES
