"""Nothing survives a test run, even one that is killed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bedplate.testing.processes import children, wait_until_gone

RUN = """
import tempfile
import time

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.processes import children
from bedplate.testing.valkey import ValkeyServer

tempfile.tempdir = {folder!r}


def test_it() -> None:
    with PostgresServer() as postgres, ValkeyServer() as valkey:
        print("\\npids", postgres.pid, *children(postgres.pid), valkey.pid, flush=True)
        while {wait}:
            time.sleep(600)
"""


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Give a folder that other accounts reach, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def start(folder: Path, *, wait: bool) -> subprocess.Popen[str]:
    """Start a test run of its own, with servers in `folder`."""
    folder.chmod(0o711)
    test = folder / "test_run.py"
    test.write_text(RUN.format(folder=str(folder), wait=wait))
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-s", str(test)],
        stdout=subprocess.PIPE,
        text=True,
    )


def pids_of(run: subprocess.Popen[str]) -> list[int]:
    """Return the processes of the run's servers, once they are started."""
    assert run.stdout is not None
    for line in run.stdout:
        if line.startswith("pids "):
            return [int(pid) for pid in line.split()[1:]]
    raise AssertionError("the run ended early")


def left(folder: Path) -> list[str]:
    """Return the folders that servers left."""
    return [path.name for path in folder.glob("bedplate-*")]


def watchdog_of(run: subprocess.Popen[str]) -> list[int]:
    """Return the process that watches this run."""
    return [
        pid
        for pid in children(run.pid)
        if "watchdog" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    ]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_a_killed_run_leaves_no_process_and_no_file(reachable: Path) -> None:
    """SIGKILL, as from a CI that cancels: the watchdog ends the servers and removes their data."""
    run = start(reachable, wait=True)
    pids = pids_of(run)
    watchdog = watchdog_of(run)
    assert len(watchdog) == 1
    assert len(pids) > 3
    run.kill()
    run.communicate()
    wait_until_gone([*pids, *watchdog], timeout_seconds=30)
    assert left(reachable) == []


def test_a_run_that_ends_leaves_no_process_and_no_file(reachable: Path) -> None:
    """The ordinary end."""
    run = start(reachable, wait=False)
    pids = pids_of(run)
    run.communicate()
    assert run.returncode == 0
    wait_until_gone(pids)
    assert left(reachable) == []
