"""How a layer gets outside of everything that FastAPI builds."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp


def wrap_outermost(app: FastAPI, layer: Callable[..., ASGIApp], **options: Any) -> None:
    """Put `layer(stack, **options)` around the whole middleware stack of `app`.

    What `add_middleware` adds sits inside Starlette's `ServerErrorMiddleware`, and doesn't see the
    answer to an unhandled error; a layer that is added here does. The last one added is outermost.
    Raises `RuntimeError` when the application has already served something.
    """
    if app.middleware_stack is not None:
        raise RuntimeError("The application has started; add outermost layers before that.")
    build = app.build_middleware_stack

    def build_wrapped() -> ASGIApp:
        return layer(build(), **options)

    app.build_middleware_stack = build_wrapped  # type: ignore[method-assign]
