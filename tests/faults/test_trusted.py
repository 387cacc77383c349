"""The extension is trusted: a role that may do no more than CREATE in a database brings it, owns its tables, and makes of
them whatever it likes. Nothing of that may reach beyond what plain SQL of the same role reaches."""

import pytest

from support.hostile import Estates, HostileSession, assert_harmless, assert_ran_as_mallory, look, reach_of_plain_sql
from support.routines import PROCEDURES, READ_AND_WRITE, SEQUENCES, for_layout, routines
from support.surroundings import COMBINATIONS, HOSTILE_PATH, SURROUNDINGS, TABLES, combined

CASES = [(layout, name) for layout in TABLES for name, one in SURROUNDINGS.items() if layout in one.layouts]


@pytest.fixture(scope="module")
def estates(cluster):
    made = Estates(cluster)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def furnished(estates):
    """furnished(edition, layout): a database that nobody changes."""
    made = {}

    def one(edition, layout):
        if (edition, layout) not in made:
            made[edition, layout] = estates.furnished(edition, layout)
        return made[edition, layout]

    return one


@pytest.fixture(scope="module")
def mallory(furnished):
    """mallory(layout): a session of hers; what is done in it is rolled back."""
    sessions = {}

    def one(layout):
        if layout not in sessions:
            sessions[layout] = HostileSession(furnished("extension", layout), "mallory")
        return sessions[layout]

    yield one
    for session in sessions.values():
        session.close()


@pytest.mark.parametrize("layout, name", CASES)
def test_what_is_called_reaches_no_further_than_plain_sql(mallory, layout, name):
    session, surrounding = mallory(layout), SURROUNDINGS[name]
    is_all = name == "all of it"
    heard = set()
    with session.transaction("ROLLBACK"):
        calls = [call for routine in routines(session) for call in (routine.calls() if is_all else routine.calls()[:1])
                 if is_all or not (routine.is_pure or routine.has_sequence)]
        session.run(f"SET LOCAL evil.thorough = {'on' if is_all else 'off'};" + surrounding.sql)
        session.run("SET LOCAL evil.known = ''")
        session.ear.take()
        newest = 0 if is_all else session.value("SELECT dba.newest()")
        before = look(session, newest)
        reach = reach_of_plain_sql(session, before, newest)
        for call in [*calls, *SEQUENCES]:
            with session.tried():
                if session.outcome(f"{for_layout(call, layout)}; SET CONSTRAINTS ALL IMMEDIATE") == "00000":
                    assert_harmless(before, look(session, newest), reach, call)
            notes = session.ear.take()
            assert_ran_as_mallory(notes, reach, call)
            heard |= {note["label"] for note in notes}
    assert bool(heard) == surrounding.runs, heard


@pytest.mark.parametrize("layout", TABLES)
@pytest.mark.parametrize("combination", COMBINATIONS)
def test_what_commits_reaches_no_further_either(estates, furnished, combination, layout):
    database = estates.copy(furnished("extension", layout), combined(combination, layout))
    with HostileSession(database, "mallory") as session, HostileSession(database, "postgres") as dba:
        session.run("SET evil.thorough = on;" + HOSTILE_PATH.replace("LOCAL", "SESSION"))
        with session.transaction("ROLLBACK"):
            before = look(session)
            reach = reach_of_plain_sql(session, before)
        before = look(dba)
        for call in PROCEDURES:
            session.outcome(call)
            assert_ran_as_mallory(session.ear.take(), reach, call)
        assert_harmless(before, look(dba), reach, combination)
        assert_ran_as_mallory([note for note, in dba.run("SELECT note FROM dba.seen")], reach, combination)
    database.drop()


LEFT = "GRANT ALL ON SCHEMA raceway, evil TO writer; GRANT ALL ON ALL TABLES IN SCHEMA raceway, evil TO writer;" \
    "GRANT ALL ON ALL ROUTINES IN SCHEMA raceway TO writer;"
PATHS = ("raceway, public", "evil, raceway, pg_catalog")


def calls_of_others(session):
    """What makes no tables: whose those are is another matter."""
    return [call for routine in routines(session) for call in routine.calls() if not routine.has_sequence] + [
        sequence for sequence in SEQUENCES if "CREATE " not in sequence and "ALTER " not in sequence]


def run_each(session, calls, layout):
    """{statement: how it ended}, and the labels of mallory's code that ran as the session's user, and was taken back."""
    outcomes, labels = {}, {}
    with session.transaction("ROLLBACK"):
        for call in calls:
            with session.tried():
                outcomes[call] = session.outcome(f"{for_layout(call, layout)}; SET CONSTRAINTS ALL IMMEDIATE")
            labels |= {note["label"]: call for note in session.ear.take() if note["user"] != "mallory"}
    return outcomes, labels


@pytest.mark.parametrize("caller", ["postgres", "writer"])
@pytest.mark.parametrize("layout", TABLES)
@pytest.mark.parametrize("edition", ["extension", "portable"])
def test_who_calls_in_her_database_runs_no_more_of_hers_than_plain_sql(estates, furnished, edition, layout, caller):
    usual = None
    for combination in ("quiet", "names", "code"):
        database = estates.copy(furnished(edition, layout), LEFT + combined(combination, layout))
        with HostileSession(database, caller) as session:
            calls = calls_of_others(session)
            for path in PATHS:
                session.run(f"SET search_path = {path}")
                _, by_plain_sql = run_each(session, READ_AND_WRITE, layout)
                outcomes, labels = run_each(session, calls, layout)
                more = {label: call for label, call in labels.items() if label not in by_plain_sql}
                assert not more, (combination, path)
                assert bool(labels) == (combination == "code")
                usual = usual or outcomes
                if combination == "quiet":
                    assert outcomes == usual, path
        database.drop()


@pytest.mark.parametrize("layout", TABLES)
@pytest.mark.parametrize("edition", ["extension", "portable"])
@pytest.mark.parametrize("combination", ["quiet", "names", "code"])
def test_who_maintains_her_database_runs_no_more_of_hers_than_plain_sql(estates, furnished, combination, edition, layout):
    """Over several transactions, of which each begins with whatever search_path is set; and what was made is hers."""
    database = estates.copy(furnished(edition, layout), LEFT + combined(combination, layout))
    with HostileSession(database, "postgres") as session:
        session.run(HOSTILE_PATH.replace("LOCAL", "SESSION"))
        _, by_plain_sql = run_each(session, READ_AND_WRITE, layout)
        ends = {call: session.outcome(call) for call in PROCEDURES}
        assert {note["label"] for note in session.ear.take() if note["user"] == "postgres"} <= set(by_plain_sql)
        assert combination != "quiet" or set(ends.values()) == ({"00000"} if layout == "plain" else {"00000", "55000"}), ends
        assert session.run("SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r"
                           " ON r.oid OPERATOR(pg_catalog.=) c.relowner WHERE c.relnamespace OPERATOR(pg_catalog.=)"
                           " 'raceway'::pg_catalog.regnamespace AND c.relkind OPERATOR(pg_catalog.<>) 'v'::pg_catalog.char"
                           " AND r.rolname OPERATOR(pg_catalog.<>) 'mallory'::pg_catalog.name") == []
        # As autovacuum does, as the owner of each table.
        session.run("ANALYZE")
        assert [note for note in session.ear.take() if note["user"] != "mallory"] == []
    database.drop()
