"""Which route a request met, as the template it was declared with."""

from starlette.types import Scope

from bedplate.observability.z_pages import is_z_page


def route_template(scope: Scope) -> str | None:
    """Return the full template of the matched route (`/api/items/{id}`), or None.

    Convertors (`{path:path}`) are left out, as in the OpenAPI document.
    FastAPI keeps the template that includes the routers' prefixes in a private scope key; where it
    is missing, the route's own path has to do.
    """
    if (fastapi := scope.get("fastapi")) is not None:
        context = fastapi.get("effective_route_context")
        if context is not None:
            path: str | None = context.path_format
            return path
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return scope["path"] if path is None and is_z_page(scope) else path
