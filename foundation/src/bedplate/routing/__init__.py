"""Routes compiled: found at once, and served by one straight function each.

FastAPI asks each of its routes twice whether it matches, and works out the dependencies of a route
anew with each request. `compile_routes(app)` is the entrance to what does both beforehand:

index         finds the route of a request
compiled      makes the function of a route, or says why FastAPI has to serve it
dependencies  writes what calls the dependencies, in FastAPI's order
parameters    writes what reads and validates the parameters
bodies        reads and validates the body
answers       makes the response of what the endpoint returned

Each module lists what it uses of FastAPI that isn't public; `install.TESTED` names its releases.
"""

from bedplate.routing.index import RouteIndex
from bedplate.routing.install import TESTED, compile_routes, served_by

__all__ = ["TESTED", "RouteIndex", "compile_routes", "served_by"]
