"""The in-process client: lifespan, state, and the guard against unannounced 5xx."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import pytest
from fastapi import FastAPI, HTTPException, Request

from bedplate.testing.client import client


class State(TypedDict):
    """What the lifespan hands to requests."""

    visits: list[str]
    name: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[State]:
    """Open one list, and mark it when it is closed."""
    app.state.visits = visits = ["opened"]
    yield {"visits": visits, "name": "first"}
    visits.append("closed")


def make_app() -> FastAPI:
    """Return an app with a route of each kind."""
    app = FastAPI(lifespan=lifespan)

    @app.get("/visit")
    async def visit(request: Request) -> str:
        request.state.visits.append("visited")
        name: str = request.state.name
        request.state.name = "changed"
        return name

    @app.get("/down")
    async def down() -> None:
        raise HTTPException(503, "the database is away")

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError

    return app


async def test_the_lifespan_runs_around_the_requests() -> None:
    """Start-up comes before the first request, shutdown after the last."""
    app = make_app()
    async with client(app) as http:
        await http.get("/visit")
        assert app.state.visits == ["opened", "visited"]
    assert app.state.visits == ["opened", "visited", "closed"]


async def test_each_request_has_its_own_copy_of_the_state() -> None:
    """What one request puts on its state, the next does not see, as with uvicorn."""
    async with client(make_app()) as http:
        assert (await http.get("/visit")).json() == "first"
        assert (await http.get("/visit")).json() == "first"


async def test_an_unannounced_5xx_fails_the_test() -> None:
    """The failure names method, path, status and detail."""
    with pytest.raises(AssertionError, match="GET /down: 503 the database is away"):
        async with client(make_app()) as http:
            await http.get("/down")


async def test_an_announced_5xx_passes() -> None:
    """A test that says which 5xx it wants gets it."""
    async with client(make_app()) as http:
        with http.expecting(503):
            assert (await http.get("/down")).status_code == 503


async def test_an_announcement_holds_only_for_its_status_and_within_its_context() -> None:
    """Another status, and the same one later, still fail the test."""

    async def ask() -> None:
        async with client(make_app(), raise_app_exceptions=False) as http:
            with http.expecting(503):
                await http.get("/bug")
            await http.get("/down")

    with pytest.raises(AssertionError) as failure:
        await ask()
    assert "GET /bug: 500" in str(failure.value)
    assert "GET /down: 503" in str(failure.value)


async def test_a_failing_test_keeps_its_own_error() -> None:
    """The 5xx is a note on it, for it often is the cause."""

    async def ask() -> None:
        async with client(make_app()) as http:
            await http.get("/down")
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own") as failure:
        await ask()
    assert "GET /down: 503" in failure.value.__notes__[0]


async def test_an_exception_of_the_app_reaches_the_test() -> None:
    """By default the test sees the app's own traceback, not only a 500."""
    async with client(make_app()) as http:
        with pytest.raises(ZeroDivisionError):
            await http.get("/bug")
