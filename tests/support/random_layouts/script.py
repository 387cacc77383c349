"""Scripts of statements and of calls of ingest: a step of one is run by a Trial, for one way or for plain INSERTs."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.random_layouts import plain_inserts
from support.random_layouts.known import Change, Known
from support.sessions import DatabaseError
from support.wait import wait_until

PLAIN = "plain INSERTs"


@dataclass
class Call:
    """A call of ingest: hands of cards, a body for each, and who sends them."""

    hands: list
    bodies: list
    user: str

    def __str__(self):
        return f"{self.user} sends {[[card.event_id[:20] for card in hand] for hand in self.hands]}"


@dataclass
class Judged:
    """A call by one of the ways: what was in the way of writing directly (None: who knows), and the ways that were
    taken; none, where it ended with an error."""

    in_the_way: list | None
    taken: set
    answers: object


@dataclass
class Trial:
    """One way's run of a script. `other` is a second session. `waits`: who had to wait in each step that has two sides;
    plain INSERTs are done in the order of another run, whose `waits` are given."""

    way: str
    session: object
    rows: dict
    other: object = None
    waits: list = field(default_factory=list)
    known: Known = field(default_factory=Known)
    steps: list = field(default_factory=list)     # what each step answered: the SQLSTATE of an error, None, or answers
    judged: list = field(default_factory=list)

    def run(self, script):
        self.session.run("SELECT setval('public.days', 1, false)")
        for step in script:
            step.run(self)
        if self.session.in_transaction():
            self.steps.append(guarded(self.session, "SET CONSTRAINTS ALL IMMEDIATE"))

    def change(self, session, change):
        if session.in_transaction():
            # Else what is deferred is in the way of changing the tables; a row written below the executor, of which the
            # server knows that its foreign key holds, leaves nothing to be checked.
            self.steps.append(guarded(session, "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"))
        error = guarded(session, change.sql)
        self.steps.append(error)
        self.known.note(change, error)
        return error

    def exchange(self, call):
        """What is answered to it, or the SQLSTATE."""
        def send():
            self.session.run(f"SET ROLE {call.user}")
            return self._send_plain(call) if self.way == PLAIN else self.session.ingest(call.bodies, self.way)
        answers = guarded(self.session, send)
        self.session.run("RESET ROLE")
        return answers

    def _send_plain(self, call):
        if self.session.in_transaction():
            return plain_inserts.store(self.session, call.hands, self.rows)
        with self.session.transaction():
            return plain_inserts.store(self.session, call.hands, self.rows)

    def judge(self, call, answers, known=None):
        """Notes what was answered, and what was in the way."""
        if self.way != PLAIN:
            is_empty = not any(card.good for hand in call.hands for card in hand)
            in_the_way = ["no event"] if is_empty else (known or self.known).in_the_way(call.user)
            taken = {answer.pop("ingest_way") for answer in answers} if isinstance(answers, list) else set()
            self.judged.append(Judged(in_the_way, taken, answers))
        self.steps.append(answers)

    @contextmanager
    def meanwhile(self, work, waiting, holding):
        """`work` runs in a thread until it ends or waits for `holding`; then the block runs, which is told whether it
        waits, and lets it go on. Its answer is in the list that the block is given."""
        done = []
        thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
        thread.start()
        blocks = "SELECT %s = ANY (pg_blocking_pids(%s))"
        wait_until(lambda: not thread.is_alive() or holding.value(blocks, holding.pid, waiting.pid), 60, "it ends or waits")
        is_waiting = thread.is_alive()
        self.waits.append(is_waiting)
        yield is_waiting, done
        thread.join(60)
        assert not thread.is_alive(), "it waits for ever"


def guarded(session, work):
    """What the statement, or the function, comes to: its rows are dropped, a function's answer is kept; the SQLSTATE of
    an error. Whatever transaction there is goes on."""
    in_transaction = session.in_transaction()
    if in_transaction:
        session.run("SAVEPOINT guard")
    try:
        answer = session.run(work) and None if isinstance(work, str) else work()
        if in_transaction:
            session.run("RELEASE guard")
        return answer or None
    except DatabaseError as error:
        if in_transaction:
            session.run("ROLLBACK TO guard; RELEASE guard")
        return error.pgcode


@dataclass
class Do:
    """A statement, by the session that sends or by the other one."""

    change: Change
    by_other: bool = False

    def run(self, trial):
        trial.change(trial.other if self.by_other else trial.session, self.change)

    def __str__(self):
        return f"{'the other: ' if self.by_other else ''}{self.change.sql}"


@dataclass
class Send:
    call: Call

    def run(self, trial):
        trial.judge(self.call, trial.exchange(self.call))

    def __str__(self):
        return str(self.call)


@dataclass
class Together:
    """Steps of the session that sends, in one transaction."""

    steps: list
    begin: str
    end: str

    def run(self, trial):
        before = trial.known.copy()
        trial.session.run(self.begin)
        one_snapshot = Change("", (("session", "one snapshot"),) if "ISOLATION" in self.begin else ())
        trial.known.note(one_snapshot)
        for step in self.steps:
            step.run(trial)
        error = ended(trial.session, self.end)
        trial.steps.append(error)
        if error is not None or self.end == "ROLLBACK":
            before.compared &= trial.known.compared   # what was answered meanwhile stays
            trial.known = before
        else:
            trial.known.note(Change("", lifts=one_snapshot.hinders))

    def __str__(self):
        return "\n    ".join([self.begin, *map(str, self.steps), self.end])


def ended(session, end):
    """The SQLSTATE by which COMMIT fails."""
    try:
        session.run(end)
    except DatabaseError as error:
        return error.pgcode
    return None


@dataclass
class WhileChanging:
    """The other one has begun to change the tables; what is sent meanwhile waits for that, or does not."""

    change: Change
    end: str
    call: Call

    def run(self, trial):
        if trial.way == PLAIN:
            self._run_plainly(trial)
            return
        trial.other.run("BEGIN")
        error = guarded(trial.other, self.change.sql)
        with trial.meanwhile(lambda: trial.exchange(self.call), trial.session, trial.other) as (waits, answers):
            end_error = ended(trial.other, self.end)
        before, after = trial.known, trial.known.copy()
        if self.end == "COMMIT" and end_error is None:
            after.note(self.change, error)
        trial.steps.append((error, end_error))
        trial.judge(self.call, answers[0], after if waits else before)
        trial.known = after

    def _run_plainly(self, trial):
        waits = trial.waits.pop(0)
        answers = None if waits else trial.exchange(self.call)
        trial.other.run("BEGIN")
        error = guarded(trial.other, self.change.sql)
        trial.steps.append((error, ended(trial.other, self.end)))
        trial.judge(self.call, trial.exchange(self.call) if waits else answers)

    def __str__(self):
        return f"while the other has done BEGIN; {self.change.sql}\n    {self.call}\n    the other: {self.end}"


@dataclass
class WhileSending:
    """The other one changes the tables while a transaction that has sent something is open, and sends once more."""

    first: Call
    change: Change
    second: Call | None

    def run(self, trial):
        if trial.way == PLAIN:
            self._run_plainly(trial)
            return
        trial.session.run("BEGIN")
        trial.judge(self.first, trial.exchange(self.first))
        with trial.meanwhile(lambda: guarded(trial.other, self.change.sql), trial.other, trial.session) as (waits, done):
            if waits:
                known = trial.known.copy()
                known.is_sure = False   # what it has done so far is seen, or not
                self._send_again(trial, known)
                trial.steps.append(ended(trial.session, "COMMIT"))
        trial.known.note(self.change, done[0])
        if not waits:
            self._send_again(trial, trial.known)
            trial.steps.append(ended(trial.session, "COMMIT"))
        trial.steps.append(done[0])

    def _send_again(self, trial, known):
        if self.second is not None:
            trial.judge(self.second, trial.exchange(self.second), known)

    def _run_plainly(self, trial):
        waits = trial.waits.pop(0)
        trial.session.run("BEGIN")
        trial.judge(self.first, trial.exchange(self.first))
        error = None if waits else guarded(trial.other, self.change.sql)
        self._send_again(trial, trial.known)
        trial.steps.append(ended(trial.session, "COMMIT"))
        trial.steps.append(guarded(trial.other, self.change.sql) if waits else error)

    def __str__(self):
        return f"BEGIN\n    {self.first}\n    the other: {self.change.sql}\n    {self.second}\n    COMMIT"
