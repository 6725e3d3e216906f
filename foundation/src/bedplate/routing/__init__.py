"""Routes that are found at once: FastAPI asks each of its routes, and each that matches twice.

`compile_routes(app)` is the entrance. What FastAPI does with a route once it is found, and
everything that isn't a plain route, stays with FastAPI.
"""

from bedplate.routing.index import RouteIndex
from bedplate.routing.install import TESTED, compile_routes

__all__ = ["TESTED", "RouteIndex", "compile_routes"]
