"""The index of an application's routes.

What it uses of FastAPI 0.165 that isn't public: `_EffectiveRouteContext` (`path_regex`,
`param_convertors`, `methods`, `endpoint`, `app`), `_IncludedRouter` (`include_context`,
`original_router`, `effective_candidates`), `form_limits`, and the keys that the router leaves in
the scope: `fastapi` with `effective_route_context` and `included_router`, `route`, `router`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute, APIRouter
from starlette._utils import get_route_path
from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    StringConvertor,
    UUIDConvertor,
)
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.routing.compiled import CompiledRoute, why_not

WITHIN_A_PART = frozenset({FloatConvertor, IntegerConvertor, StringConvertor, UUIDConvertor})
"""Convertors that match no slash, so that the number of slashes tells which routes may match."""

Key = tuple[int, str | None]
"""The number of slashes in a path, and its first part; None where that is a parameter."""


@dataclass(frozen=True, slots=True)
class IndexedRoute:
    """A plain route, and what FastAPI would put into the scope.

    router     the innermost router that includes it, as FastAPI knows it
    context    FastAPI's, of an included route
    earlier    the paths of routes before it that aren't in the index
    """

    route: APIRoute
    router: Any
    context: Any
    pattern: re.Pattern[str]
    convertors: Mapping[str, Convertor[Any]]
    methods: frozenset[str]
    endpoint: Callable[..., Any]
    app: ASGIApp
    earlier: tuple[re.Pattern[str], ...]

    @property
    def key(self) -> Key | None:
        """Return where the index keeps it; None where a parameter may match slashes."""
        if any(type(each) not in WITHIN_A_PART for each in self.convertors.values()):
            return None
        template: str = self.context.path_format if self.context else self.route.path_format
        first = template.split("/", 2)[1]
        return template.count("/"), None if "{" in first else first


class RouteIndex:
    """Finds the route of a request that FastAPI would choose: the first that matches wholly."""

    def __init__(self, router: APIRouter) -> None:
        """Take the router of an application, whose routes are all there."""
        keyed = [(each.key, each) for each in _indexed(router)]
        self._anywhere = [each for key, each in keyed if key is None]
        self._routes: dict[Key, list[IndexedRoute]] = {}
        for wanted in {key for key, _ in keyed if key is not None}:
            among = (wanted, (wanted[0], None), None)
            self._routes[wanted] = [each for key, each in keyed if key in among]

    def find(self, method: str, path: str) -> "tuple[IndexedRoute, re.Match[str]] | None":
        """Return the route and how it matches; None where FastAPI has to look itself."""
        slashes = path.count("/")
        first = path.split("/", 2)[1] if slashes else None
        routes = self._routes
        for each in routes.get((slashes, first)) or routes.get((slashes, None)) or self._anywhere:
            if method in each.methods and (match := each.pattern.match(path)):
                if any(earlier.match(path) for earlier in each.earlier):
                    return None
                return each, match
        return None


class SearchedRouter:
    """Serves what the index finds, and leaves the rest to FastAPI's own router."""

    def __init__(
        self, router: ASGIApp, make_index: Callable[[], RouteIndex], owner: APIRouter
    ) -> None:
        """Take what serves the rest, what makes the index, and the router that is searched."""
        self._router = router
        self._make_index = make_index
        self._owner = owner
        self._index: RouteIndex | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        # Only FastAPI's own router names the route to its telemetry.
        if scope["type"] != "http" or scope.get("fastapi.telemetry") is not None:
            await self._router(scope, receive, send)
            return
        if self._index is None:
            self._index = self._make_index()
        found = self._index.find(scope["method"], get_route_path(scope))
        if found is None:
            await self._router(scope, receive, send)
            return
        indexed, match = found
        parameters = match.groupdict()
        for name, value in parameters.items():
            parameters[name] = indexed.convertors[name].convert(value)
        scope.setdefault("router", self._owner)
        scope["endpoint"] = indexed.endpoint
        scope["path_params"] = {**scope.get("path_params", {}), **parameters}
        scope["route"] = indexed.route
        if indexed.context is not None:
            own = scope.setdefault("fastapi", {})
            own["included_router"] = indexed.router
            own["effective_route_context"] = indexed.context
        await indexed.app(scope, receive, send)


def explain(router: APIRouter) -> Iterator[tuple[Any, str | None]]:
    """Yield what FastAPI knows of each route, and why FastAPI serves it; None if it is compiled."""
    behind: str | None = None
    for route, within, context in _all_routes(router):
        described: Any = context or route
        if not isinstance(route, WebSocketRoute) and _pattern(described) is None:
            behind = "after a mount without a path"
        reason = behind or _why_not_indexed(route, within, described)
        yield described, reason or why_not(route, described)


def _indexed(router: APIRouter) -> Iterator[IndexedRoute]:
    """Yield the plain routes, in the order in which FastAPI asks them."""
    earlier: list[re.Pattern[str]] = []
    for route, within, context in _all_routes(router):
        described: Any = context or route
        if isinstance(route, WebSocketRoute):
            continue
        pattern = _pattern(described)
        if pattern is None:
            return  # it may serve any path, as a host does: from here FastAPI looks itself
        if _why_not_indexed(route, within, described) is not None:
            earlier.append(pattern)
            continue
        yield IndexedRoute(
            route=route,  # type: ignore[arg-type]
            router=within,
            context=context,
            pattern=pattern,
            convertors=described.param_convertors,
            methods=frozenset(described.methods),
            endpoint=described.endpoint,
            app=CompiledRoute(route, described),
            earlier=tuple(earlier),
        )


def _pattern(described: Any) -> re.Pattern[str] | None:
    of: Any = getattr(described, "starlette_route", None) or described
    pattern: re.Pattern[str] | None = getattr(of, "path_regex", None)
    return pattern


def _all_routes(router: APIRouter) -> Iterator[tuple[BaseRoute, Any, Any]]:
    """Yield each route with the innermost included router and FastAPI's context of it, if any."""
    for route in router.routes:
        if hasattr(route, "effective_candidates"):
            yield from _within(route)
        else:
            yield route, None, None


def _within(included: Any) -> Iterator[tuple[BaseRoute, Any, Any]]:
    for candidate in included.effective_candidates():
        if hasattr(candidate, "effective_candidates"):
            yield from _within(candidate)
        else:
            yield candidate.original_route, included, candidate


def _why_not_indexed(route: BaseRoute, within: Any, described: Any) -> str | None:
    """Return what FastAPI does with a route besides matching it and calling its application."""
    kind = type(route)
    for reason, applies in (
        ("WebSocket", isinstance(route, WebSocketRoute)),
        ("not a route of FastAPI's", not isinstance(route, APIRoute)),
        ("own route class", getattr(kind, "matches", None) is not APIRoute.matches),
        ("own route class", getattr(kind, "handle", None) is not APIRoute.handle),
        ("form limits", within is not None and within.include_context.form_limits),
        ("any method", not getattr(described, "methods", None)),
    ):
        if applies:
            return reason
    return None
