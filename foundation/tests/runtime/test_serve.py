"""`serve`: what a person reads when it cannot."""

import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bedplate.lifecycle import Drain
from bedplate.runtime import Serving, serve
from bedplate.runtime.listener import bind
from bedplate.runtime.process import STOP_SIGNALS


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Take the signals back from `serve`, which keeps them until the process ends."""
    before = [(number, signal.getsignal(number)) for number in STOP_SIGNALS]
    yield
    for number, handler in before:
        signal.signal(number, handler)


def make_application(drain: Drain, *arguments: object) -> ASGIApp:
    """Return an application whose lifespan fails when there are arguments."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if arguments:
            raise ConnectionError(*arguments)
        yield

    return Starlette(lifespan=lifespan)


def make_operations(drain: Drain, application: ASGIApp, *arguments: object) -> ASGIApp:
    """Return an operations application."""
    return Starlette()


def test_failing_startup_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """An exception in the lifespan is one sentence on stderr, no traceback, exit code 3."""
    failure = ("nothing listens\non port 5432.",)
    assert serve(make_application, serving=Serving(port=0), arguments=failure) == 3
    assert capfd.readouterr().err == (
        "The application could not start (ConnectionError: nothing listens on port 5432); "
        "correct that and start again, log level DEBUG shows the traceback.\n"
    )


@pytest.mark.parametrize("field", ["port", "operations_port"])
def test_port_in_use_is_one_sentence(capfd: pytest.CaptureFixture[str], field: str) -> None:
    """A port that another process has is one sentence, before anything starts; exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        serving = Serving(**{"port": 0, "operations_port": 0, field: port})
        assert serve(make_application, make_operations, serving) == 3
    assert capfd.readouterr().err == (
        f"Cannot listen on port {port} on 127.0.0.1: another process uses it; "
        "stop that process, or choose another port.\n"
    )


def test_a_port_that_is_taken_during_the_start_is_one_sentence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Two processes may bind a port, and one may listen: the other closes what it has opened."""
    ended: list[Starlette] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        other.listen()
        yield
        ended.append(app)

    with bind("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        assert serve(lambda _: Starlette(lifespan=lifespan), serving=Serving(port=port)) == 3
    assert len(ended) == 1
    assert capfd.readouterr().err == (
        f"Cannot listen on port {port} on 127.0.0.1: another process uses it; "
        "stop that process, or choose another port.\n"
    )
