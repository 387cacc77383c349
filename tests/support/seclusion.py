"""A network and disks of a test's own, which only the processes put into it see and which go with it."""

import pwd
import subprocess
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from support import cluster
from support.wait import wait_until

ADDRESS = "10.87.0.1"  # leads nowhere else, and is no loopback address


class Seclusion:
    """Its loopback interface has ADDRESS as well. For root only."""

    @staticmethod
    def possible():
        """Whether we may have one: not as another user, nor in a container that is kept from it."""
        return subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False).returncode == 0

    def __enter__(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "unshare", "--net", "--mount", "sleep", "infinity"], cwd="/",
            stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: self._namespace("mnt") != Path("/proc/self/ns/mnt").readlink(), 10, "it has its own namespaces")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(timeout=30)

    def _namespace(self, kind):
        return Path(f"/proc/{self.process.pid}/ns/{kind}").readlink()

    def words(self):
        """To be put before a command so that it runs there."""
        return ["nsenter", f"--target={self.process.pid}", "--net", "--mount"]

    def run(self, *words):
        return subprocess.run([*self.words(), *map(str, words)], check=True, cwd="/", capture_output=True, text=True).stdout

    @contextmanager
    def entered_by_clusters(self):
        """Clusters that start meanwhile run there."""
        become_postgres = cluster.become_postgres
        with mock.patch.object(cluster, "become_postgres", lambda: [*self.words(), *become_postgres()]):
            yield

    def move_to_small_disk(self, data, mount_point, size):
        """Makes a disk of that size at `mount_point`, with `data` of a cluster in it; where that is then."""
        mount_point.mkdir()
        owner = pwd.getpwnam("postgres")
        self.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700,uid={owner.pw_uid},gid={owner.pw_gid}", "disk", mount_point)
        self.run("cp", "-a", data, mount_point / data.name)
        return mount_point / data.name

    def fill(self, mount_point, leaving):
        """Puts a file there that leaves only so much, e.g. "8M"."""
        free = int(self.run("stat", "--file-system", "--format=%a", mount_point)) * int(
            self.run("stat", "--file-system", "--format=%S", mount_point))
        kept = int(leaving.removesuffix("M")) << 20
        assert free > kept, f"{free} bytes are free"
        self.run("fallocate", "-l", free - kept, mount_point / "others")
