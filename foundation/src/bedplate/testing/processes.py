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
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypedDict

import anyio.to_thread

from bedplate.testing import watchdog

_POLL_SECONDS = 0.01
_LOWEST_PORT = 20_000
_PORTS_A_WORKER, _WORKERS = 750, 16
_turn = itertools.count(secrets.randbelow(_PORTS_A_WORKER))


class ProcessError(RuntimeError):
    """A process ended, or did not answer, where a test needs it; the text shows its output."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on at the moment.

    It lies below the range that systems take client ports from. A server that is down for a while
    thus finds its port free again, and a client that retries cannot connect to itself. Test workers
    have ports of their own, each of which has its turn: nobody takes what another is about to use.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    for _ in range(_PORTS_A_WORKER):
        port = _LOWEST_PORT + worker * _PORTS_A_WORKER + next(_turn) % _PORTS_A_WORKER
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise ProcessError(f"{_PORTS_A_WORKER} ports of 127.0.0.1 are all taken")


class ServerProcess:
    """A command that runs as a server while a test needs it.

    Use it as `with` or, so that the event loop goes on meanwhile, as `async with`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        url: str | None = None,
        ready: Callable[[], bool] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        timeout_seconds: float = 30.0,
        end_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Describe the process; nothing is started yet.

        `url` is asked until it answers with any HTTP status, `ready` until it returns true.
        `env` is added to the environment. `user` is the account to run as (only root may).
        `timeout_seconds` bounds the start and, again, the end; `end_signal` asks it to end.
        """
        self.command = list(command)
        self.timeout_seconds = timeout_seconds
        self._ready = ready or (lambda: url is None or _answers(url))
        self._env = dict(env or {})
        self._cwd = cwd
        self._user = user
        self._end_signal = end_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._past_output = ""
        self._status: int | None = None

    @property
    def pid(self) -> int:
        """The id of the running process; raises ProcessError when there is none."""
        return self._living().pid

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """What the process has written to standard output and standard error since its start."""
        if self._log is None:
            return self._past_output
        # pread: the file's position belongs to the process that writes.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises ProcessError when it ends before that, or is not ready in time.
        """
        if self._process is not None:
            raise ProcessError(f"{self.command[0]} is running already")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _finish
        try:
            self._process = self._popen(self._log)
        except OSError:
            self._finish()
            raise
        watchdog.watch(self._process.pid, self._end_signal)
        self._wait_until_ready()

    def terminate(self) -> None:
        """Ask the process to end, as an orchestrator does (SIGTERM); returns at once."""
        self._living().send_signal(self._end_signal)

    def kill(self) -> None:
        """End the process and its whole process group at once (SIGKILL), as in a crash."""
        self._living().kill()
        self.wait()

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Wait for the end and return the exit status; negative: the signal that ended it.

        Raises ProcessError when it does not end within `timeout_seconds`.
        """
        if self._process is None and self._status is not None:
            return self._status
        try:
            self._status = self._living().wait(timeout_seconds or self.timeout_seconds)
        except subprocess.TimeoutExpired:
            raise ProcessError(self._complaint("did not end in time")) from None
        self._finish()
        return self._status

    def wait_until_written(self, text: str, timeout_seconds: float | None = None) -> None:
        """Wait until `text` is in the output.

        Raises ProcessError when the process ends without having written it, or has not within
        `timeout_seconds`.
        """
        self._wait_until(
            lambda: text in self.output,
            timeout_seconds or self.timeout_seconds,
            ended=f"ended before it wrote {text!r}",
            late=f"did not write {text!r} in time",
        )

    def stop(self) -> None:
        """End the process in an orderly way, or by force when it does not end in time."""
        if self._process is None:
            return
        self.terminate()
        try:
            self.wait()
        except ProcessError:
            self.kill()
            raise

    def __enter__(self) -> Self:
        """Start the process."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Start the process without holding up the event loop."""
        await anyio.to_thread.run_sync(self.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process without holding up the event loop."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.stop)

    def _popen(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches only the test run, which then ends it in order.
        return subprocess.Popen(  # noqa: S603 - the test's own command
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self._env},
            cwd=self._cwd,
            start_new_session=True,
            **run_as(self._user),
        )

    def _wait_until_ready(self) -> None:
        try:
            self._wait_until(
                self._ready,
                self.timeout_seconds,
                ended="ended before it was ready",
                late="was not ready in time",
            )
        except ProcessError:
            if self.running:
                self.kill()
            else:
                self.wait()
            raise

    def _wait_until(
        self, reached: Callable[[], bool], seconds: float, *, ended: str, late: str
    ) -> None:
        deadline = time.monotonic() + seconds
        while True:
            # Asked first: what a process does last, it has done when it runs no more.
            running = self.running
            if reached():
                return
            if not running:
                raise ProcessError(self._complaint(ended))
            if time.monotonic() > deadline:
                raise ProcessError(self._complaint(late))
            time.sleep(_POLL_SECONDS)

    def _complaint(self, what: str) -> str:
        return f"{' '.join(self.command)} {what}. Its output:\n{self.output}"

    def _finish(self) -> None:
        self._past_output = self.output
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._process is not None:
            with contextlib.suppress(OSError):  # what the process started and left behind
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


def children(pid: int) -> list[int]:
    """Return the ids of the processes that process `pid` started and that still run."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if listing.exists():
        return [int(child) for child in listing.read_text().split()]
    found = subprocess.run(  # noqa: S603 - a number is no danger
        ["pgrep", "-P", str(pid)],  # noqa: S607 - where a system keeps it differs
        check=False,
        capture_output=True,
        text=True,
    )
    return [int(child) for child in found.stdout.split()]


def wait_until_gone(pids: Sequence[int], timeout_seconds: float = 10.0) -> None:
    """Wait until none of the processes `pids`, which need not be our own, runs any more.

    Raises ProcessError when one still runs after `timeout_seconds`.
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
    # A zombie has ended; it waits for a parent that may never ask.
    return stat.rpartition(")")[2].split()[0] != "Z"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
