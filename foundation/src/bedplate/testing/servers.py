"""The base of the real servers for tests: on a free port, or a server that already runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Self

from bedplate.testing.processes import ProcessError, ServerProcess, free_port

HOST = "127.0.0.1"
_START_ATTEMPTS = 3


class StandingServerError(RuntimeError):
    """A test tries to start, stop, pause or kill a server that the test kit did not start."""


class RealServer(ABC):
    """A server on a free port of 127.0.0.1, or one that already runs and keeps running.

    `product` is its name; `variable` is the environment variable with the URL of a running server.
    """

    product: ClassVar[str]
    variable: ClassVar[str]

    def __init__(self, *, standing_url: str | None = None) -> None:
        self._standing_url = standing_url
        self._port = 0
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int:
        """The process id of the server's main process."""
        return self._own().pid

    def start(self) -> None:
        """Start the server (again, on the same port) and wait for it. Raises ProcessError."""
        self._refuse_standing()
        if self._process is None:
            self._create()
        else:
            self._process.start()

    def stop(self) -> None:
        """Shut the server down at once: connections are closed."""
        self._own().stop()

    def close(self) -> None:
        """End the server, if it runs."""
        if self._process is not None:
            self.stop()

    def __enter__(self) -> Self:
        if self._standing_url is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def _create(self) -> None:
        """Start the server for the first time."""

    def _own(self) -> ServerProcess:
        self._refuse_standing()
        if self._process is None:
            raise ProcessError(f"this {self.product} server was never started")
        return self._process

    def _refuse_standing(self) -> None:
        if self._standing_url is not None:
            raise StandingServerError(
                f"The test kit did not start this {self.product} (it was given by"
                f" {self.variable}), so it leaves it running as it is."
                f" Use a {type(self).__name__}() of your own."
            )

    def _start_on_a_free_port(self, new_process: Callable[[], ServerProcess]) -> None:
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._port = free_port()
            process = new_process()
            try:
                process.start()
            except ProcessError as error:
                # Another process may have taken the port in between.
                if attempt == _START_ATTEMPTS or "in use" not in str(error):
                    raise
            else:
                self._process = process
                return
