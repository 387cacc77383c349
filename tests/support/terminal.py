"""What a command looks like on a terminal."""

import os
import pty
import subprocess

from support import paths
from support.server import server_environment


def on_a_terminal(*arguments, environment=None, columns=100):
    """What a command prints on a terminal of so many columns."""
    mine, its = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=its, check=True)
    process = subprocess.Popen([str(paths.SERVER), *arguments], stdout=its, stdin=subprocess.DEVNULL,
                               env=server_environment({"TERM": "xterm", **(environment or {})}))
    os.close(its)
    shown = b""
    try:
        while piece := os.read(mine, 65536):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(mine)
    process.wait(timeout=30)
    return shown.decode().replace("\r\n", "\n")
