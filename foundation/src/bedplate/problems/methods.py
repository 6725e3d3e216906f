"""Which methods a path knows."""

from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path
from starlette.types import Scope


def allowed_methods(scope: Scope) -> list[str]:
    """Return every method that some route knows for this path (RFC 9110, section 10.2.1)."""
    path = _route_path(scope)
    methods: set[str] = set()
    for route in iter_route_contexts(scope["app"].routes):
        if route.path and route.methods and compile_path(route.path)[0].match(path):
            methods |= set(route.methods)
    if "GET" in methods and _answers_head(scope["app"]):
        methods.add("HEAD")
    return sorted(methods)


def _route_path(scope: Scope) -> str:
    """Return the path as the routes of the application know it, below its root path."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _answers_head(app: Any) -> bool:
    # That package answers with problems, so it is only there when this one is.
    from bedplate.asgi.head import HeadAsGet  # noqa: PLC0415

    return any(layer.cls is HeadAsGet for layer in app.user_middleware)
