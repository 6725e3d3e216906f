"""The application that the tests' routes stand in, and what every problem document must be."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from bedplate.asgi import AccessLog, wrap_outermost
from bedplate.problems import MEDIA_TYPE, Problem, ProblemPolicy, install_problems
from bedplate.testing.client import Client, client

MakeApp = Callable[..., FastAPI]


@pytest.fixture(scope="session")
def make_app() -> MakeApp:
    """Give what makes a plain application of routes, under `/api`, with problems."""

    def make_app(routes: APIRouter, policy: ProblemPolicy | None = None) -> FastAPI:
        app = FastAPI()
        install_problems(app, policy or ProblemPolicy())
        app.include_router(routes, prefix="/api")
        wrap_outermost(app, AccessLog, backend="test")
        return app

    return make_app


@pytest.fixture
async def caller(make_app: MakeApp, routes: APIRouter) -> AsyncIterator[Client]:
    """Give a client of the module's `routes`, over which exceptions are only seen as responses."""
    async with client(make_app(routes), raise_app_exceptions=False) as one:
        yield one


@pytest.fixture(scope="session")
def problem_of() -> Callable[[Any], dict[str, Any]]:
    """Give what returns the problem document of a response, having checked its form."""

    def problem_of(response: Any) -> dict[str, Any]:
        assert response.headers["content-type"] == MEDIA_TYPE
        document: dict[str, Any] = response.json()
        Problem.model_validate(document)
        assert document["status"] == response.status_code
        assert document["request_id"] == response.headers["x-request-id"]
        return document

    return problem_of
