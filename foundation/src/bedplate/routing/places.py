"""Where a route stands in the code: what FastAPI adds to the errors of a request."""

from typing import Any

from fastapi._compat import Undefined
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import EndpointContext, RequestValidationError
from fastapi.routing import _extract_endpoint_context
from starlette.requests import Request


class Place:
    """The file, line and path of an endpoint."""

    def __init__(self, dependant: Dependant) -> None:
        """Take a route's dependant, whose call is the endpoint."""
        self._path = dependant.path
        self._call = dependant.call

    def of(self, request: Request) -> EndpointContext:
        """Return what an error of this request names."""
        context = _extract_endpoint_context(self._call)
        if self._path:
            mounted = request.scope.get("root_path", "").rstrip("/")
            context["path"] = f"{request.method} {mounted}{self._path}"
        return context

    def invalid(self, request: Request, errors: list[Any], body: Any) -> RequestValidationError:
        """Return the error of a request whose parameters or body have `errors`."""
        return RequestValidationError(
            errors, body=None if body is Undefined else body, endpoint_ctx=self.of(request)
        )
