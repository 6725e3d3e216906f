"""Real processes for tests: started, waited for, ended, and never left behind."""

import contextlib
import http.client
import itertools
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import IO, Self, TypedDict

import anyio.to_thread

from bedplate.testing import watchdog

_POLL_SECONDS = 0.01
_MIN_PORT = 20_000
_PORTS_PER_WORKER, _WORKERS = 750, 16
_next_port = itertools.count(secrets.randbelow(_PORTS_PER_WORKER))


class ProcessError(RuntimeError):
    """A process that a test needs has ended or doesn't answer; the text shows its output."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens.

    It is below the range from which systems choose client ports: a server that is down for a while
    finds its port free again, and a client that retries can't connect to itself. Each test worker
    has a range of its own and goes through it in turn, so no two tests get the same port.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    for _ in range(_PORTS_PER_WORKER):
        port = _MIN_PORT + worker * _PORTS_PER_WORKER + next(_next_port) % _PORTS_PER_WORKER
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise ProcessError(f"{_PORTS_PER_WORKER} ports of 127.0.0.1 are all taken")


@dataclass(eq=False)
class ServerProcess:
    """A command that runs as a server while a test needs it, in `with` or `async with`.

    url              asked until it answers with any HTTP status
    ready            asked until it returns true, instead of `url`
    env              added to this process's environment
    user             account to run as; only root may choose one
    timeout_seconds  limit for the start, and for the end
    end_signal       asks the process to end
    """

    command: Sequence[str]
    _: KW_ONLY
    url: str | None = None
    ready: Callable[[], bool] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: str | None = None
    timeout_seconds: float = 30.0
    end_signal: signal.Signals = signal.SIGTERM

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._past_output = ""
        self._status: int | None = None

    @property
    def pid(self) -> int:
        """The id of the running process. Raises ProcessError when there is none."""
        return self._living().pid

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """Standard output and standard error of the process since its start."""
        if self._log is None:
            return self._past_output
        # pread: the file's position belongs to the process that writes.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def start(self) -> None:
        """Start the process and wait until it is ready. Raises ProcessError if it never is."""
        if self._process is not None:
            raise ProcessError(f"{self.command[0]} is running already")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _finish
        try:
            # A session of its own: Ctrl-C reaches only the test run, which ends it in order.
            self._process = subprocess.Popen(  # noqa: S603 - the test's own command
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env},
                cwd=self.cwd,
                start_new_session=True,
                **run_as(self.user),
            )
        except OSError:
            self._finish()
            raise
        watchdog.watch(self._process.pid, self.end_signal)
        try:
            self._wait_until(self._is_ready, self.timeout_seconds, "was ready", "was not ready")
        except ProcessError:
            self.kill()  # also what an ended process has left behind
            raise

    def terminate(self) -> None:
        """Ask the process to end, as an orchestrator does (SIGTERM); don't wait for it."""
        self._living().send_signal(self.end_signal)

    def kill(self) -> None:
        """End the process and its whole process group at once (SIGKILL), as in a crash."""
        self._living().kill()
        self.wait()

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Wait for the end and return the exit status, or minus the signal. Raises ProcessError."""
        if self._process is None and self._status is not None:
            return self._status
        try:
            self._status = self._living().wait(timeout_seconds or self.timeout_seconds)
        except subprocess.TimeoutExpired:
            raise ProcessError(self._complaint("did not end in time")) from None
        self._finish()
        return self._status

    def wait_until_written(self, text: str, timeout_seconds: float | None = None) -> None:
        """Wait until `text` is in the output. Raises ProcessError if it never is."""
        seconds = timeout_seconds or self.timeout_seconds
        self._wait_until(
            lambda: text in self.output, seconds, f"wrote {text!r}", f"did not write {text!r}"
        )

    def stop(self) -> None:
        """Ask the process to end; kill it and raise ProcessError when it doesn't in time."""
        if self._process is None:
            return
        self.terminate()
        try:
            self.wait()
        except ProcessError:
            self.kill()
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await anyio.to_thread.run_sync(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.stop)

    def _is_ready(self) -> bool:
        if self.ready is not None:
            return self.ready()
        return self.url is None or _answers(self.url)

    def _wait_until(
        self, reached: Callable[[], bool], seconds: float, success: str, failure: str
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            # Before `reached`: the last thing that a process does still counts after its end.
            running = self.running
            if reached():
                return
            if not running:
                raise ProcessError(self._complaint(f"ended before it {success}"))
            if time.monotonic() > deadline:
                raise ProcessError(self._complaint(f"{failure} in time"))
            time.sleep(_POLL_SECONDS)

    def _complaint(self, what: str) -> str:
        return f"{' '.join(self.command)} {what}. Its output:\n{self.output}"

    def _finish(self) -> None:
        self._past_output = self.output
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._process is not None:
            with contextlib.suppress(OSError):  # processes that it started and left behind
                os.killpg(self._process.pid, signal.SIGKILL)
            watchdog.forget(self._process.pid)
            self._process = None

    def _living(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ProcessError(f"{self.command[0]} is not running")
        return self._process


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that say which account a command runs as."""

    user: str
    group: str
    extra_groups: list[str | int]


def run_as(user: str | None) -> RunAs:
    """Return the arguments that make `subprocess` run a command as `user` with its own group."""
    if user is None:
        return {}
    import grp  # noqa: PLC0415 - both exist only where accounts do
    import pwd  # noqa: PLC0415

    account = pwd.getpwnam(user)
    return {"user": user, "group": grp.getgrgid(account.pw_gid).gr_name, "extra_groups": []}


def _answers(url: str) -> bool:
    # Not urllib.request: a proxy of the environment would be asked for 127.0.0.1.
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=1)
    try:
        connection.request("GET", parts._replace(scheme="", netloc="").geturl() or "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def children(pid: int) -> list[int]:
    """Return the ids of the processes that process `pid` has started and that still run."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if listing.exists():
        return [int(child) for child in listing.read_text().split()]
    command = ["pgrep", "-P", str(pid)]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    return [int(child) for child in listed.stdout.split()]


def wait_until_gone(pids: Sequence[int], timeout_seconds: float = 10.0) -> None:
    """Wait until none of `pids` runs, children or not. Raises ProcessError after the timeout."""
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
