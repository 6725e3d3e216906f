"""The system's list of processes: whose child each is, and whether it still runs."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bedplate.testing.processes import ProcessError

_POLL_SECONDS = 0.01


def children(pid: int) -> list[int]:
    """Return the ids of the processes that process `pid` has started and that still run."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if listing.exists():
        return [int(child) for child in listing.read_text().split()]
    command = ["pgrep", "-P", str(pid)]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return [int(child) for child in listed.stdout.split()]


def wait_until_gone(pids: Sequence[int], timeout_seconds: float = 10.0) -> None:
    """Wait until none of the processes `pids` runs; they need not be children of this one.

    Raises ProcessError after `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    while running := [pid for pid in pids if _runs(pid)]:
        if time.monotonic() > deadline:
            raise ProcessError(f"processes {running} did not end in time")
        time.sleep(_POLL_SECONDS)


def _runs(pid: int) -> bool:
    if not Path("/proc/self/stat").exists():
        return _exists(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    # A zombie has ended; it stays until its parent asks for its status, which may be never.
    return stat.rpartition(")")[2].split()[0] != "Z"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
