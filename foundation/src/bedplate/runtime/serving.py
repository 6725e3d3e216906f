import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp

from bedplate.lifecycle import Drain
from bedplate.passwords import without_passwords

STARTUP_FAILURE = 3
"""Exit code when the process could not start, as uvicorn's."""

FORCED = 1
"""Exit code when a second signal or the deadline ended the process."""


class StartupError(Exception):
    """The process cannot serve; the message is one sentence that names what to do."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where and how a process serves; all times are seconds.

    host, port: where the API listens; port 0 takes a free one.
    operations_host, operations_port: where the operations application listens; None switches it
        off, 0 takes a free one.
    grace_seconds: from SIGTERM until the listener closes. Readiness is 503 in that time, which
        must be longer than a load balancer takes to notice.
    deadline_seconds: from SIGTERM until running requests are cancelled.
    keep_alive_seconds: how long a connection may be idle; must be longer than a load balancer's
        own limit (60 s is common), or it reuses connections that are about to close.
    workers: number of processes. With one there is no supervisor.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    operations_host: str = "127.0.0.1"
    operations_port: int | None = 9090
    grace_seconds: float = 5.0
    deadline_seconds: float = 30.0
    keep_alive_seconds: int = 75
    workers: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for values that can't work."""
        if self.workers < 1:
            raise ValueError("workers must be at least 1.")
        if not 0 <= self.grace_seconds < self.deadline_seconds:
            raise ValueError("grace_seconds must be at least 0 and less than deadline_seconds.")


@dataclass(frozen=True, kw_only=True)
class Factories:
    """The functions that make the applications of a process, or their names: see `serve`."""

    application: str | Callable[..., ASGIApp]
    operations: str | Callable[..., ASGIApp] | None = None
    arguments: tuple[object, ...] = ()

    def make_application(self, drain: Drain) -> ASGIApp:
        """Return the API application; raises StartupError when the factory fails."""
        return _call(self.application, drain, *self.arguments)

    def make_operations(self, drain: Drain, application: ASGIApp) -> ASGIApp | None:
        """Return the operations application, if any; raises StartupError when it fails."""
        if self.operations is None:
            return None
        return _call(self.operations, drain, application, *self.arguments)


def _call(factory: str | Callable[..., ASGIApp], *arguments: object) -> ASGIApp:
    try:
        function = pkgutil.resolve_name(factory) if isinstance(factory, str) else factory
        application: ASGIApp = function(*arguments)
    except Exception as error:
        raise failure_to_start(error) from error
    return application


def failure_to_start(reason: Exception | str) -> StartupError:
    """Return the error that says in one sentence why the application did not start."""
    if isinstance(reason, StartupError):
        return reason
    text = " ".join(str(reason).split()).rstrip(".") or "no reason given"
    if isinstance(reason, Exception):
        text = without_passwords(text)
        text = f"{type(reason).__name__}: {text}"
    return StartupError(
        f"The application could not start ({text}); "
        "correct that and start again, log level DEBUG shows the traceback."
    )


def log_traceback(error: StartupError) -> None:
    """Log the traceback of a failure to start, at level DEBUG.

    Only when logs are configured: structlog's default prints local variables, which may be secret.
    """
    if structlog.is_configured():
        structlog.get_logger().debug("startup_failed", exc_info=error.__cause__)
