from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

Layer = Callable[[ASGIApp], ASGIApp]
"""Wraps an application: a layer class with its options applied."""


class ByRoute:
    """Puts `layer` around the application, and another layer around some routes.

    `routes` names them by method and exact path: `{("POST", "/backups/upload"): layer}`.
    """

    def __init__(
        self, app: ASGIApp, *, layer: Layer, routes: Mapping[tuple[str, str], Layer]
    ) -> None:
        self._ordinary = layer(app)
        self._routes = {route: special(app) for route, special in routes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection through the layer of its route."""
        served = self._ordinary
        if self._routes and scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            served = self._routes.get((scope["method"], path), served)
        await served(scope, receive, send)
