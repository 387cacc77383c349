"""Ways in which a cluster crashes. Each is called with the cluster and the pid of a backend, and leaves it recovered."""

import os
import signal

from support.wait import wait_until


def kill_everything(cluster, _):
    cluster.kill()
    cluster.start()


def kill_one_backend(cluster, pid):
    """The others are ended by the postmaster, which recovers by itself."""
    before = cluster.log_text().count("all server processes terminated")
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # it was done before
        return
    wait_until(lambda: cluster.log_text().count("all server processes terminated") > before, 30, "it is noticed")
    cluster.await_ready()


def stop_immediately(cluster, _):
    cluster.stop_immediately()
    cluster.start()


CRASHES = {"kill -9 of all of it": kill_everything, "kill -9 of one backend": kill_one_backend,
           "an immediate stop": stop_immediately}
