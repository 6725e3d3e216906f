"""FastAPI's own limit on bodies, on an application and on a route."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Request
from fastapi.responses import PlainTextResponse

from bedplate.problems import MEDIA_TYPE, install_problems
from bedplate.testing.client import client

JSON = {"content-type": "application/json"}


async def _chunks() -> AsyncIterator[bytes]:
    yield b'"aaaaa'
    yield b'aaaaaaaaaaaaaaaaaaa"'


def _app(**options: Any) -> FastAPI:
    app = FastAPI(**options)
    install_problems(app)

    @app.post("/any")
    async def take(value: Annotated[Any, Body()]) -> str:
        return "taken"

    @app.post("/narrow", max_body_size=10)
    async def read(request: Request) -> int:
        return len(await request.body())

    @app.get("/plain")
    async def plain() -> PlainTextResponse:
        return PlainTextResponse("text", 400)

    return app


@pytest.mark.parametrize("content", [b'"aaaaaaaaaaaaaaaaaaaa"', _chunks])
@pytest.mark.parametrize(("path", "options"), [("/any", {"max_body_size": 10}), ("/narrow", {})])
async def test_a_body_that_is_too_large_is_a_problem(
    path: str, options: dict[str, Any], content: Any
) -> None:
    """Declared by its length or found while reading, for all routes or one."""
    body = content if isinstance(content, bytes) else content()
    async with client(_app(**options)) as one:
        response = await one.post(path, content=body, headers=JSON)
    assert response.status_code == 413
    assert response.headers["content-type"] == MEDIA_TYPE
    assert response.json()["code"] == "content_too_large"
    assert int(response.headers["content-length"]) == len(response.content)


async def test_other_plain_texts_are_left_alone() -> None:
    """Whoever answers in plain text means it."""
    async with client(_app()) as one:
        response = await one.get("/plain")
    assert response.text == "text"
