"""Real processes: started, waited for, ended, and never left behind."""

import os
import signal
import socket
import sys
from pathlib import Path

import httpx2
import pytest

from bedplate.testing.processes import (
    ProcessError,
    ServerProcess,
    children,
    free_port,
    wait_until_gone,
)

SERVE = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
while True:
    time.sleep(600)
"""


def python(program: str, timeout_seconds: float = 30) -> ServerProcess:
    """Return a process that is ready when it has written something."""
    process = ServerProcess(
        [sys.executable, "-c", program],
        ready=lambda: bool(process.output),
        timeout_seconds=timeout_seconds,
    )
    return process


async def test_it_answers_once_it_is_started(tmp_path: Path) -> None:
    """Any HTTP status counts as an answer; it runs where and with what it was asked."""
    (tmp_path / "hello").write_text("hello")
    url = f"http://127.0.0.1:{(port := free_port())}"
    async with (
        ServerProcess([*SERVE, str(port)], url=f"{url}/missing", cwd=tmp_path) as process,
        httpx2.AsyncClient(timeout=60) as http,
    ):
        assert (await http.get(f"{url}/hello")).text == "hello"
        assert "GET /missing" in process.output
    assert not process.running


def test_the_environment_is_added_to() -> None:
    """What the test sets comes on top of what there is."""
    show = "import os; print(os.environ['MINE'], bool(os.environ['PATH']))"
    process = ServerProcess(
        [sys.executable, "-c", show], ready=lambda: "mine" in process.output, env={"MINE": "mine"}
    )
    process.start()
    assert process.wait() == 0
    assert process.output == "mine True\n"


def test_a_process_that_ends_early_shows_its_output() -> None:
    """A test run that fails in CI says why."""
    process = ServerProcess([sys.executable, "-c", "exit('no such setting')"], ready=bool)
    with pytest.raises(ProcessError, match=r"ended before it was ready.*\nno such setting"):
        process.start()
    assert process.wait() == 1


def test_a_process_that_never_answers_is_ended() -> None:
    """The wait is bounded, and nothing stays behind."""
    process = ServerProcess(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        url=f"http://127.0.0.1:{free_port()}",
        timeout_seconds=0.5,
    )
    with pytest.raises(ProcessError, match="was not ready in time"):
        process.start()
    assert not process.running


def test_what_is_written_can_be_waited_for() -> None:
    """Also what a process writes last; what it will never write is an error, in bounded time."""
    process = python("import time; print('first', flush=True); time.sleep(0.1); print('last')")
    process.start()
    process.wait_until_written("last")
    with pytest.raises(ProcessError, match="ended before it wrote 'never'"):
        process.wait_until_written("never")
    assert process.wait() == 0


def test_what_is_not_written_in_time_is_an_error() -> None:
    """The process goes on; the test says what it waited for."""
    with python("import time; print('first', flush=True); time.sleep(600)") as process:
        with pytest.raises(ProcessError, match="did not write 'last' in time"):
            process.wait_until_written("last", 0.2)
        assert process.running


def test_a_missing_program_is_an_error() -> None:
    """Nothing is left half started."""
    process = ServerProcess(["/no/such/program"])
    with pytest.raises(FileNotFoundError):
        process.start()
    assert not process.running


def test_terminate_asks_and_kill_forces() -> None:
    """The exit status names the signal."""
    loop = "import time; print('up', flush=True); time.sleep(600)"
    process = python(loop)
    process.start()
    process.terminate()
    assert process.wait() == -signal.SIGTERM
    process.start()
    process.kill()
    assert process.wait() == -signal.SIGKILL


def test_a_process_that_does_not_end_is_killed_with_its_children() -> None:
    """The test fails, for a server must end when it is asked to; but the machine is clean."""
    process = python(STUBBORN, timeout_seconds=1)
    process.start()
    family = children(process.pid)
    assert len(family) == 1
    with pytest.raises(ProcessError, match="did not end in time"):
        process.stop()
    wait_until_gone(family)


def test_what_is_not_running_says_so() -> None:
    """A mistake of the test has a clear error."""
    process = ServerProcess(["true"])
    with pytest.raises(ProcessError, match="true is not running"):
        process.terminate()
    process.start()
    with pytest.raises(ProcessError, match="true is running already"):
        process.start()
    process.stop()


def test_waiting_for_a_process_that_stays_is_bounded() -> None:
    """The error names it."""
    with pytest.raises(ProcessError, match=str(os.getpid())):
        wait_until_gone([os.getpid()], timeout_seconds=0.05)


def test_free_ports_are_free_and_differ() -> None:
    """Two servers started one after the other do not meet."""
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 15
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", ports.pop()))
