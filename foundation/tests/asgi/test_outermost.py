"""Layers outside of everything that FastAPI builds."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.asgi import wrap_outermost


class Noting:
    """Notes its name when a request passes."""

    def __init__(self, app: ASGIApp, *, name: str, seen: list[str]) -> None:
        self.app, self.name, self.seen = app, name, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note, and pass on."""
        self.seen.append(self.name)
        await self.app(scope, receive, send)


async def test_the_last_is_outermost(call: Callable[..., Any]) -> None:
    """Layers are met in the opposite order of their addition, before all middleware."""
    app, seen = FastAPI(), list[str]()
    app.add_middleware(Noting, name="middleware", seen=seen)
    wrap_outermost(app, Noting, name="first", seen=seen)
    wrap_outermost(app, Noting, name="second", seen=seen)
    await call(app)
    assert seen == ["second", "first", "middleware"]


async def test_too_late(call: Callable[..., Any]) -> None:
    """Once the application has served, a layer would never be met: that is an error."""
    app = FastAPI()
    await call(app)
    with pytest.raises(RuntimeError, match="has started"):
        wrap_outermost(app, Noting, name="late", seen=[])
