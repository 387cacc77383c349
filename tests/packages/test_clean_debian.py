"""The Debian packages in a Debian that has nothing else: they install with what they depend on, and work. Needs root and
the archives that apt uses here. Not part of `make test`: `make deb-test`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import paths
from support.cluster import temporary_directory

def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def release():
    """The code name of the Debian that this is, as its archive has it."""
    names = run("apt-get", "indextargets", "--format", "$(CODENAME)", "Created-By: Packages", "Origin: Debian").split()
    return min(names, key=len)  # others are those of its updates, NAME-security say


def archives(suite):
    """The archives of Debian that apt uses here, as mmdebstrap takes them."""
    files = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("debian*")]
    found = [file for file in files if file.exists() and suite in file.read_text()]
    return found[:1] or ["http://deb.debian.org/debian"]


@pytest.fixture(scope="module")
def clean_debian():
    assert os.geteuid() == 0, "a Debian of its own is made and entered by root"
    directory = temporary_directory("raceway-debian-")
    root = directory / "root"
    packages = [str(file) for file in sorted((paths.BUILD / "deb").glob("*.deb"))]
    assert len(packages) == 2, "run `make deb`"
    # apt itself brings what they depend on; no service is started while they are installed.
    suite = release()
    run("mmdebstrap", "--mode=root", "--variant=apt", suite, root, *archives(suite))
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    for package in packages:
        shutil.copy(package, root / "tmp")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    in_root("apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends /tmp/*.deb", root)
    return root


def in_root(script, root, *isolate):
    """A shell there. Its processes end with it."""
    mounts = f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && "
    return run("unshare", "--mount", "--pid", "--fork", "--kill-child", *isolate, "sh", "-euc",
               ("ip link set lo up && " if isolate else "") + mounts + f'exec chroot {root} sh -euc "$1"', "sh", script,
               env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})


def test_the_packages_work_and_go_without_a_trace(clean_debian):
    shutil.copy(paths.TESTS / "packages" / "in_clean_debian.sh", clean_debian / "tmp")
    shown = in_root("exec sh /tmp/in_clean_debian.sh", clean_debian, "--net")
    assert shown.endswith("all is well\n"), shown
