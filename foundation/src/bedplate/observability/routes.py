"""Which route a request matched, and whether it is one of the operators' pages."""

from collections.abc import Mapping
from typing import Any

Z_PAGES = frozenset({"/healthz", "/readyz", "/statusz", "/metrics"})


def is_z_page(scope: Mapping[str, Any]) -> bool:
    """Return whether a request is for a z-page, wherever its backend is mounted."""
    path: str = scope.get("path", "")
    if root_path := scope.get("root_path"):
        path = path.removeprefix(root_path)
    return path in Z_PAGES


def route_template(scope: Mapping[str, Any]) -> str | None:
    """Return the full template of the matched route (`/api/items/{id}`), or None.

    Convertors (`{path:path}`) are left out, as in the OpenAPI document. FastAPI keeps the template
    with the routers' prefixes in a private scope key; without it, the route's own path is used.
    """
    if (fastapi := scope.get("fastapi")) is not None:
        context = fastapi.get("effective_route_context")
        if context is not None:
            path: str | None = context.path_format
            return path
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return scope["path"] if path is None and is_z_page(scope) else path
