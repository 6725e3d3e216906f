"""A small process that ends the servers of a test run that can't end them itself.

It has the reading end of a pipe. When the test process ends, even by SIGKILL, the system closes the
writing end; the watchdog then signals the processes on its list and removes the folders. Unlike
PR_SET_PDEATHSIG it works on macOS, and for a process that changed its user.
"""

import atexit
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from signal import SIGKILL

_GRACE_SECONDS = 10.0
_lock = threading.Lock()
_watchdog: "subprocess.Popen[str] | None" = None


def watch(pid: int, signal: int = SIGKILL) -> None:
    """Send `signal` to process `pid` when this process ends without a `forget`."""
    _send(f"watch {pid} {int(signal)}")


def forget(pid: int) -> None:
    """Remove process `pid` from the list: it has ended."""
    _send(f"forget {pid}")


def remove_later(path: Path) -> None:
    """Remove the folder `path` when this process ends, if it still exists then."""
    _send(f"remove {path}")


def _send(line: str) -> None:
    global _watchdog  # noqa: PLW0603 - one watchdog per process
    with _lock:
        if _watchdog is None:
            _watchdog = _start()
            atexit.register(_watchdog.communicate)
        pipe = _watchdog.stdin
        if pipe is not None:
            pipe.write(line + "\n")
            pipe.flush()


def _start() -> "subprocess.Popen[str]":
    # A session of its own: Ctrl-C in the terminal must not reach it.
    return subprocess.Popen(  # noqa: S603 - this file
        [sys.executable, "-I", "-S", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        text=True,
        start_new_session=True,
    )


def _main() -> None:
    pids: dict[int, int] = {}
    paths: list[str] = []
    for line in sys.stdin:
        action, _, rest = line.rstrip("\n").partition(" ")
        if action == "watch":
            pid, signal = rest.split()
            pids[int(pid)] = int(signal)
        elif action == "forget":
            pids.pop(int(rest), None)
        else:
            paths.append(rest)
    _end(pids)
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def _end(pids: dict[int, int]) -> None:
    for pid, signal in pids.items():
        _send_signal(pid, signal)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(_send_signal(pid, 0) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in pids:
        _send_signal(pid, SIGKILL)


def _send_signal(pid: int, signal: int) -> bool:
    """Return whether the process exists; signal 0 only asks."""
    try:
        os.kill(pid, signal)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    _main()
