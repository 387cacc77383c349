"""How it comes to be built from nothing: for which PostgreSQL, and with which packages of Debian."""

import fcntl
import os
import re
import shutil
import subprocess

import pytest

from support import paths

WHICH = paths.ROOT / "extension" / "which-pg_config"


def which(directory, **environment):
    """What the script prints where Debian's versions are in `directory`; None where it finds nothing."""
    done = subprocess.run([WHICH, directory], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stdout.strip() if done.returncode == 0 else None


def postgresql(directory, headers):
    """A PostgreSQL, as far as anybody asks who looks for one; its pg_config."""
    (directory / "include").mkdir(parents=True)
    (directory / "bin").mkdir()
    if headers:
        (directory / "include" / "postgres.h").touch()
    config = directory / "bin" / "pg_config"
    config.write_text(f'#!/bin/sh\n[ "$*" = --includedir-server ] && echo "{directory}/include"\n')
    config.chmod(0o755)
    return str(config)


def test_the_newest_postgresql_that_can_be_built_for_is_taken(tmp_path):
    debian, tools = tmp_path / "versions of Debian", tmp_path / "tools"
    tools.mkdir()
    (tools / "ls").symlink_to(shutil.which("ls"))
    assert which(debian, PATH=str(tools)) is None
    path = f"{tmp_path}/own one/bin:{tools}"
    own = postgresql(tmp_path / "own one", headers=True)
    assert which(debian, PATH=path) == own
    nine, ten, _ = (postgresql(debian / major, headers) for major, headers in [("9", True), ("10", True), ("11", False)])
    assert which(debian, PATH=path) == ten
    assert which(debian, PATH=path, PG_CONFIG=nine) == nine
    shutil.rmtree(debian / "10")
    assert which(debian, PATH=path) == nine


def test_no_major_version_is_pinned():
    """What names one would have to be changed with each release of Debian."""
    files = [paths.ROOT / "Makefile", paths.ROOT / "extension" / "Makefile", *(paths.ROOT / ".ci").rglob("*"),
             *(paths.ROOT / "server" / "packaging").rglob("*"), *(paths.TESTS / "packages").glob("*.*")]
    texts = {file: file.read_text() for file in files if file.is_file()}
    assert len(texts) > 15
    pinned = re.compile(r"(?:postgres|PostgreSQL|postgresql)[-/: ]\d(?!>)|debian:\d|bookworm|trixie|pg_ctlcluster \d")
    assert {str(file): pinned.findall(text) for file, text in texts.items() if pinned.search(text)} == {}


@pytest.fixture
def own_debian(tmp_path):
    """An environment in which apt and dpkg know of one package only, that of the group `test` for PostgreSQL 42, and
    install it there: the root, the script, and the variables."""
    root, archive, checkout = tmp_path / "root", tmp_path / "archive", tmp_path / "checkout"
    for directory in ["var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/dpkg/triggers", "var/lib/apt/lists/partial",
                      "var/cache/apt/archives/partial", "var/log/apt", "etc/apt/apt.conf.d", "etc/apt/preferences.d"]:
        (root / directory).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    control = archive / "package" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text("Package: needed-for-42\nVersion: 1\nArchitecture: all\nMaintainer: N <n@example>\nDescription: one\n")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", control.parent.parent, archive], check=True, capture_output=True)
    index = subprocess.run(["dpkg-scanpackages", "."], cwd=archive, check=True, capture_output=True, text=True).stdout
    (archive / "Packages").write_text(index)
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{archive} ./\n")
    configuration = tmp_path / "apt.conf"
    configuration.write_text(f'Dir "{root}/";\nAPT::Sandbox::User "root";\nDPkg::Options {{ "--root={root}"; }};\n')
    shutil.copytree(paths.ROOT / ".ci", checkout / ".ci")
    (checkout / ".ci/packages/test").write_text("needed-for-@MAJOR@   # by tests\n")
    return root, checkout / ".ci" / "install-packages", {
        **os.environ, "PG_CONFIG": "/usr/lib/postgresql/42/bin/pg_config", "APT_CONFIG": str(configuration), "DPKG_ADMINDIR": str(root / "var/lib/dpkg"),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def as_root():
    """The words before a command that is to take itself for one of root's."""
    words = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
    if subprocess.run([*words, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("user namespaces are not to be had")
    return words


def begin(script, environment, **changed):
    return subprocess.Popen([*as_root(), str(script), "test"], env={**environment, **changed}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def installed(environment):
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}"], env=environment, check=False,
                            capture_output=True, text=True)
    return listed.stdout


def test_who_installs_packages_waits_for_others_who_do(own_debian):
    root, script, environment = own_debian
    with open(root / "var/lib/apt/lists/lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        first = begin(script, environment)
        waiting = first.stdout.readline()
        second = begin(script, environment)
        fcntl.lockf(lock, fcntl.LOCK_UN)
    said = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert waiting == "Waiting for another program that installs packages\n", said
    assert (first.returncode, second.returncode) == (0, 0), said
    assert "".join(said).count("Installing from Debian: needed-for-42") == 1
    assert installed(environment) == "needed-for-42 installed"


def test_a_postgresql_that_is_not_debians_needs_no_packages_of_it(own_debian, tmp_path):
    _, script, environment = own_debian
    process = begin(script, environment, PG_CONFIG=postgresql(tmp_path / "own", headers=True))
    assert (process.communicate(timeout=60)[0], process.returncode) == ("", 0)
    assert installed(environment) == ""
