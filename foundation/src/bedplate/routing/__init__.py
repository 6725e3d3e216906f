"""Routes that are found at once: FastAPI asks each of its routes, and each that matches twice.

`find_routes_at_once(app)` is the entrance. What FastAPI does with a route once it is found, and
everything that isn't a plain route, stays with FastAPI.
"""

from bedplate.routing.index import RouteIndex
from bedplate.routing.install import TESTED, find_routes_at_once

__all__ = ["TESTED", "RouteIndex", "find_routes_at_once"]
