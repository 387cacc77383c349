"""The extension is trusted: a role that may do no more than CREATE in a database brings it, owns its tables, and makes of
them whatever it likes. Nothing of that may reach beyond what plain SQL of the same role reaches."""

from contextlib import ExitStack

import pytest

from support.editions import EDITIONS
from support.hostile import Estates, ListeningSession, assert_harmless, assert_ran_as_mallory, look, reach_of_plain_sql
from support.routines import PROCEDURES, READ_AND_WRITE, SEQUENCES, for_layout, routines, uncalled
from support.surroundings import BOTH, COMBINATIONS, HOSTILE_PATH, SURROUNDINGS, combined

ALL = "all of it"
# In the portable edition everything is hers: no code there has other rights, and one that is called by all means is enough.
CASES = [("extension", layout, name) for name, one in SURROUNDINGS.items() for layout in BOTH if layout in one.layouts and layout in one.tried]
CASES += [("portable", layout, ALL) for layout in BOTH]


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
def mallory(estates, furnished):
    """mallory(edition, layout): a session of hers; what is done in it is rolled back."""
    sessions = {}
    with ExitStack() as opened:
        def one(edition, layout):
            if (edition, layout) not in sessions:
                database = opened.enter_context(estates.copy(furnished(edition, layout)))
                sessions[edition, layout] = opened.enter_context(ListeningSession(database, "mallory"))
            return sessions[edition, layout]

        yield one


def until_one_ends_well(session, calls, layout):
    outcomes = []
    for call in calls:
        with session.tried():
            outcomes.append((call, session.outcome(for_layout(call, layout))))
        if outcomes[-1][1] == "00000":
            break
    return outcomes


@pytest.mark.parametrize("edition", EDITIONS)
def test_no_routine_is_left_out(estates, furnished, edition):
    """A new one that the calls of these tests do not get through is named here."""
    outcomes = []
    for layout in BOTH:
        with estates.copy(furnished(edition, layout)) as database, ListeningSession(database, "mallory") as session:
            found = routines(session)
            with session.transaction("ROLLBACK"):
                for calls in [*(one.calls() for one in found), *([one] for one in SEQUENCES)]:
                    outcomes += until_one_ends_well(session, calls, layout)
            outcomes += [(call, session.outcome(call)) for call in PROCEDURES]
    assert uncalled(found, outcomes) == []


def calls_of_hers(session, has_all):
    """Those of what may write, and of what reads: those only with all, for what they can do is done by the former, too."""
    found = routines(session)
    if not has_all:
        return [*SEQUENCES, *(one.usual_call() for one in found if one.is_volatile and not one.has_sequence)], []
    return ([*SEQUENCES, *(call for one in found if one.is_volatile for call in one.calls())],
            [call for one in found if not one.is_volatile for call in one.calls()])


@pytest.mark.parametrize("edition, layout, name", CASES)
def test_what_is_called_reaches_no_further_than_plain_sql(mallory, edition, layout, name):
    session, surrounding, heard = mallory(edition, layout), SURROUNDINGS[name], set()
    with session.transaction("ROLLBACK"):
        writing, reading = calls_of_hers(session, name == ALL)
        session.run(f"SET LOCAL evil.thorough = {'on' if name == ALL else 'off'};" + surrounding.sql)
        session.run(f"SET LOCAL search_path = {surrounding.path}; SET LOCAL evil.known = ''")
        session.ear.take()
        before = look(session, name == ALL)
        reach = reach_of_plain_sql(session, before)
        for call in [*writing, *reading]:
            with session.tried():
                if session.outcome(f"{for_layout(call, layout)}; SET CONSTRAINTS ALL IMMEDIATE") == "00000" and call in writing:
                    assert_harmless(before, look(session, name == ALL), reach, call)
            notes = session.ear.take()
            assert_ran_as_mallory(notes, reach, call)
            heard |= {note["label"] for note in notes}
    assert bool(heard) == surrounding.runs, heard


@pytest.mark.parametrize("layout", BOTH)
@pytest.mark.parametrize("combination", COMBINATIONS)
def test_what_commits_reaches_no_further_either(estates, furnished, combination, layout):
    with estates.copy(furnished("extension", layout), combined(combination, layout)) as database, \
            ListeningSession(database, "mallory") as session, ListeningSession(database, "postgres") as dba:
        session.run(f"SET evil.thorough = on; SET search_path = {HOSTILE_PATH}")
        with session.transaction("ROLLBACK"):
            before = look(session)
            reach = reach_of_plain_sql(session, before)
        before = look(dba)
        for call in PROCEDURES:
            session.outcome(call)
            assert_ran_as_mallory(session.ear.take(), reach, call)
        assert_harmless(before, look(dba), reach, combination)
        assert_ran_as_mallory([note for note, in dba.run("SELECT note FROM dba.seen")], reach, combination)


LEFT = "GRANT ALL ON SCHEMA raceway, evil TO writer; GRANT ALL ON ALL TABLES IN SCHEMA raceway, evil TO writer;" \
    "GRANT ALL ON ALL ROUTINES IN SCHEMA raceway TO writer;"
PATHS = {"quiet": ("raceway, public", HOSTILE_PATH), "names": ("raceway, public", HOSTILE_PATH), "code": ("raceway, public",)}
OWNED_BY_OTHERS = """
    SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) c.relowner
    WHERE c.relnamespace OPERATOR(pg_catalog.=) 'raceway'::pg_catalog.regnamespace
      AND c.relkind OPERATOR(pg_catalog.<>) 'v'::pg_catalog.char AND r.rolname OPERATOR(pg_catalog.<>) 'mallory'::pg_catalog.name
"""


def calls_of_others(session):
    """What makes no tables: whose those are is another matter."""
    return [one.usual_call() for one in routines(session) if not one.has_sequence] + [
        sequence for sequence in SEQUENCES if "CREATE " not in sequence and "ALTER " not in sequence]


def run_each(session, calls, layout):
    """{statement: how it ended}, and {label: statement} of mallory's code that ran as somebody else; all is taken back."""
    outcomes, labels = {}, {}
    with session.transaction("ROLLBACK"):
        for call in calls:
            with session.tried():
                outcomes[call] = session.outcome(f"{for_layout(call, layout)}; SET CONSTRAINTS ALL IMMEDIATE")
            labels |= {note["label"]: call for note in session.ear.take() if note["user"] != "mallory"}
    return outcomes, labels


def assert_calls_run_no_more(database, caller, layout, combination):
    usual = None
    with ListeningSession(database, caller) as session:
        calls = calls_of_others(session)
        for path in PATHS[combination]:
            session.run(f"SET search_path = {path}")
            _, by_plain_sql = run_each(session, READ_AND_WRITE, layout)
            outcomes, labels = run_each(session, calls, layout)
            more = {label: call for label, call in labels.items() if label not in by_plain_sql}
            assert not more, (caller, path)
            assert bool(labels) == (combination == "code")
            usual = usual or outcomes
            assert combination != "quiet" or outcomes == usual, (caller, path)


def assert_maintenance_runs_no_more(database, layout, combination):
    """Over several transactions, of which each begins with whatever search_path is set; and what was made is hers."""
    with ListeningSession(database, "postgres") as session:
        session.run(f"SET search_path = {HOSTILE_PATH}")
        _, by_plain_sql = run_each(session, READ_AND_WRITE, layout)
        ends = {call: session.outcome(call) for call in PROCEDURES}
        assert {note["label"] for note in session.ear.take() if note["user"] == "postgres"} <= set(by_plain_sql)
        assert combination != "quiet" or set(ends.values()) == ({"00000"} if layout == "plain" else {"00000", "55000"}), ends
        assert session.run(OWNED_BY_OTHERS) == []
        session.run("ANALYZE")  # as autovacuum does, as the owner of each table
        assert [note for note in session.ear.take() if note["user"] != "mallory"] == []


@pytest.mark.parametrize("layout", BOTH)
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("combination", PATHS)
def test_who_works_in_her_database_runs_no_more_of_hers_than_by_plain_sql(estates, furnished, combination, edition, layout):
    with estates.copy(furnished(edition, layout), LEFT + combined(combination, layout)) as database:
        for caller in ("postgres", "writer")[:1 if combination == "quiet" else 2]:
            assert_calls_run_no_more(database, caller, layout, combination)
        assert_maintenance_runs_no_more(database, layout, combination)
