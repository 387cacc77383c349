"""What ships: the Debian packages, the unit, the container files, the metadata for PGXN. `make deb-test` installs the
packages in a clean Debian as well; here they are built, checked and unpacked."""

import json
import re
import subprocess

import pytest

from support import paths
from support.cluster import MAJOR
from support.server import server_environment

PACKAGING = paths.ROOT / "server" / "packaging"
UNIT = paths.ROOT / "server" / "raceway.service"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def packages():
    """{name: file} of the packages, which lintian has nothing to say against."""
    run(PACKAGING / "build-deb", cwd=paths.ROOT)
    files = (paths.BUILD / "deb").glob("*.deb")
    return {file.name.split("_")[0]: file for file in files}


def test_two_packages_hold_server_and_extension(packages, tmp_path):
    assert sorted(packages) == [f"postgresql-{MAJOR}-raceway", "raceway"]
    for name, file in packages.items():
        run("dpkg-deb", "-x", file, tmp_path)
        assert run("dpkg-deb", "-f", file, "Version").strip() == paths.EXTENSION_VERSION
    assert run(tmp_path / "usr/bin/raceway", "--version", env=server_environment()) == f"raceway {paths.EXTENSION_VERSION}\n"
    run(tmp_path / "usr/bin/raceway", "config", "--check", "--config", tmp_path / "etc/raceway/raceway.toml", env=server_environment())
    assert list(tmp_path.glob(f"usr/lib/postgresql/{MAJOR}/lib/raceway.so"))
    scripts = tmp_path / f"usr/share/postgresql/{MAJOR}/extension"
    assert (scripts / f"raceway--{paths.EXTENSION_VERSION}.sql").exists() and (scripts / "raceway.control").exists()
    unit = next(tmp_path.glob("**/raceway.service")).read_text()
    assert "ExecStart=/usr/bin/raceway " in unit


def test_what_they_depend_on_is_in_debian(packages):
    for file in packages.values():
        depends = run("dpkg-deb", "-f", file, "Depends")
        names = [re.match(r"[a-z0-9.+-]+", part.strip())[0] for part in depends.split(",")]
        assert len(names) > 3
        run("apt-cache", "show", "--no-all-versions", *names)


def test_the_unit_is_one_and_hardened(tmp_path):
    unit = tmp_path / "raceway.service"
    program = tmp_path / "raceway"
    program.symlink_to(paths.SERVER)  # whose own path may have a space
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/raceway", str(program)))
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    about_ours = [line for line in (checked.stdout + checked.stderr).splitlines() if "raceway" in line]
    assert checked.returncode == 0 and about_ours == []
    run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)  # of 100; 96 without any hardening
    text = UNIT.read_text()
    assert "DynamicUser=yes" in text and "StateDirectory=raceway" in text and "User=root" not in text


def test_the_compose_file_is_one_and_wants_its_secrets():
    command = ["docker-compose", "-f", str(PACKAGING / "compose.yaml"), "config"]
    secrets = {"RACEWAY_PASSWORD": "one", "RACEWAY_API_KEY": "two"}
    merged = run(*command, env={**server_environment(), **secrets})
    assert "password=one" in merged and "RACEWAY_SERVER_API_KEYS: two" in merged
    assert subprocess.run(command, capture_output=True, check=False, env=server_environment()).returncode != 0
    given = dict(re.findall(r"(RACEWAY_(?:SERVER|STORAGE)_[A-Z_]+): ['\"]?([^'\"\n]+)", merged))
    assert len(given) == 4
    run(paths.SERVER, "config", "--check", env={**server_environment(), **given})


def instructions():
    text = (PACKAGING / "Dockerfile").read_text()
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [line.split(None, 1) for line in joined.splitlines() if line.strip()]


def test_the_dockerfile_builds_apart_and_runs_without_root():
    stages, users, tags = [], {}, {}
    for word, rest in instructions():
        assert word in {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}, word
        if word == "ARG":
            tags.update([rest.split("=")])
        elif word == "FROM":
            tag, name = re.fullmatch(r"[a-z]+:\${([A-Z]+)} AS (\S+)", rest).groups()
            assert tag in tags, "which images they stand on can be chosen"
            stages.append(name)
        elif word == "USER":
            users[stages[-1]] = rest
        elif word == "COPY" and not rest.startswith("--from="):
            assert (paths.ROOT / rest.split()[0]).exists()
        elif word == "COPY":
            assert re.match(r"--from=(\S+)", rest)[1] in stages
        elif word == "ENV" and "PGDATA" in rest:
            assert f"postgres:{rest.split('=')[1]}\n" in (PACKAGING / "compose.yaml").read_text()
        elif word == "RUN" and "apt-get install" in rest:
            assert "rm -rf /var/lib/apt/lists" in rest and "--no-install-recommends" in rest
        elif word in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list)
    assert stages == ["build", "build-extension", "postgres", "server"]
    assert set(users) == {"postgres", "server"} and not any(user.startswith(("root", "0")) for user in users.values())


def test_the_metadata_for_pgxn_is_complete():
    """As https://pgxn.org/spec/ requires it."""
    meta = json.loads((paths.ROOT / "extension" / "META.json").read_text())
    assert {"name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"} <= set(meta)
    assert re.fullmatch(r"[^\s/\\\x00-\x1f]{2,}", meta["name"])
    semantic = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-?[A-Za-z][0-9A-Za-z-]*)?"
    assert re.fullmatch(semantic, meta["version"]) and meta["version"] == paths.EXTENSION_VERSION
    assert meta["meta-spec"]["version"] == "1.0.0" and meta["meta-spec"]["url"].startswith("https://pgxn.org/meta/")
    assert meta["license"] in {"agpl_3", "apache_2_0", "artistic_2", "bsd", "gpl_2", "gpl_3", "lgpl_2_1", "lgpl_3_0", "mit",
                               "mozilla_2_0", "open_source", "perl_5", "postgresql"}
    assert meta["release_status"] in {"stable", "testing", "unstable"}
    for name, provided in meta["provides"].items():
        assert name == "raceway" and {"file", "version"} <= set(provided)
        assert provided["version"] == paths.EXTENSION_VERSION
        assert (paths.ROOT / provided["file"]).exists() and (paths.ROOT / provided["docfile"]).exists()
    for required in meta["prereqs"].values():
        assert set(required) <= {"requires", "recommends", "suggests", "conflicts"}
        assert all(re.fullmatch(semantic, version) for named in required.values() for version in named.values())
    assert all(1 < len(tag) < 256 for tag in meta["tags"])
