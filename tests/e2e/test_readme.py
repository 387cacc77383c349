"""The guides' walk-throughs, by copy and paste: their own blocks are run against a server of the test's."""

import json
import os
import re
import socket
import subprocess

import pytest

from support import paths


def blocks(section, language, guide="README.md"):
    """The code blocks of a section, in order."""
    text = (paths.ROOT / guide).read_text().split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shell(script, port, directory):
    """Runs it where the server's own port is taken for the documented one."""
    script = script.replace("8080", str(port))
    environment = {**os.environ, "RACEWAY_SERVER_PORT": str(port)}
    return subprocess.run(["bash", "-euc", script], cwd=directory, capture_output=True, text=True, check=False, timeout=30,
                          env=environment)


def run_in_shell(script, port, directory):
    done = shell(script, port, directory)
    done.check_returncode()
    return done.stdout


def test_the_first_race_is_found_as_it_says(open_store, tmp_path):
    port = open_store("memory").server.port
    send, read, find, export = blocks("A first race, in a minute", "sh")
    assert '"stored":3' in run_in_shell(send, port, tmp_path)
    events = json.loads(run_in_shell(read, port, tmp_path))["data"]["events"]
    assert [event["causality_vector"] for event in events] == [
        [["web", 1]], [["web", 1], ["worker-1", 1]], [["web", 1], ["worker-2", 1]]]
    [shown] = re.findall(r"\n```\n(1 race.*?)```", (paths.ROOT / "README.md").read_text(), re.DOTALL)
    found = shell(find, port, paths.ROOT)
    assert found.returncode == 1 and found.stdout.startswith(shown)
    run_in_shell(export, port, tmp_path)
    exported = json.loads((tmp_path / "traces.json").read_text())["data"]
    assert [trace["trace_id"] for trace in exported["traces"]] == ["transfer"]


def test_the_job_of_ci_fails_where_there_is_a_race(tmp_path):
    [job] = blocks("In CI", "yaml")
    script = "\n".join(line[4:] for line in job.split("script: |\n")[1].splitlines())
    (tmp_path / "build").symlink_to(paths.SERVER.parent)
    (tmp_path / "known-races.txt").write_text("")
    tests = tmp_path / "run-tests"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for send, outcome in ((blocks("A first race, in a minute", "sh")[0], 1), ("true", 0)):
        tests.write_text("#!/bin/bash\n" + send.replace("8080", str(port)))
        tests.chmod(0o755)
        done = shell(script, port, tmp_path)
        assert done.returncode == outcome, done.stderr
        assert ("<failure" in (tmp_path / "races.xml").read_text()) == (outcome == 1)


def test_spans_sent_as_the_guide_shows_have_a_race(open_store):
    port = open_store("memory").server.port
    *_, send = blocks("Programs with OpenTelemetry", "sh", "server/README.md")
    found = shell(send, port, paths.ROOT)
    assert found.stdout.startswith("{}1 race ") and "withdraw 30" in found.stdout and "withdraw 50" in found.stdout, found.stdout + found.stderr


def test_the_analysts_statements_run_as_the_role_raceway(open_store, tmp_path):
    store = open_store("postgres")
    run_in_shell(blocks("A first race, in a minute", "sh")[0], store.server.port, tmp_path)
    race, indexes = blocks("Vector clocks", "sql", "sql/README.md")
    assert store.database.rows(race) == [{"variable": "balance", "one": "bank.js:12", "other": "bank.js:45"}]
    store.database.sql(indexes)


@pytest.mark.extension
def test_the_analysts_questions_have_the_answers_that_are_shown(open_store, tmp_path):
    store = open_store("postgres")
    run_in_shell(blocks("A first race, in a minute", "sh")[0], store.server.port, tmp_path)
    assert_answers_as_shown(store, *(blocks("What happened before what", language, "sql/README.md") for language in ("sql", "text")))


def assert_answers_as_shown(store, questions, answers):
    assert len(questions) == len(answers) > 0
    for question, answer in zip(questions, answers):
        shown = store.database.sql(f"\\pset format aligned\n\\pset tuples_only off\n{question}")
        assert [line.rstrip() for line in shown.strip("\n").split("\n")] == answer.splitlines()


@pytest.mark.extension
def test_the_questions_about_all_traces_have_the_answers_that_are_shown(open_store):
    store = open_store("postgres")
    run_in_shell(blocks("All traces", "sh", "sql/README.md")[0], store.server.port, paths.ROOT)
    refresh, *questions = blocks("All traces", "sql", "sql/README.md")
    store.database.sql(refresh)
    assert_answers_as_shown(store, questions, blocks("All traces", "text", "sql/README.md"))


def test_retention_runs_as_it_says(open_store):
    store = open_store("postgres")
    store.post(json.dumps({"event_id": "e", "trace_id": "t", "kind": "K", "timestamp": "2024-01-01T00:00:00Z"}).encode())
    statements = blocks("Retention", "sql", "server/README.md")[0]
    store.database.sql(statements)
    assert store.counts() == (1, 1)
    store.database.sql("UPDATE traces SET created_at = created_at - interval '31 days'")
    store.database.sql(statements)
    assert store.counts() == (0, 0)


def test_every_link_of_a_guide_leads_somewhere():
    for guide in ("README.md", "server/README.md", "sql/README.md", "extension/README.md", "tests/README.md"):
        text = (paths.ROOT / guide).read_text()
        for target in re.findall(r"\]\(([^)#:]*)(?:#[^)]*)?\)", text):
            assert ((paths.ROOT / guide).parent / target).exists(), f"{guide}: {target}"
        headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"(?m)^#+ (.*)$", text)}
        for anchor in re.findall(r"\]\(#([^)]*)\)", text):
            assert anchor in headings, f"{guide}: #{anchor}"
