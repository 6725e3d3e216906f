from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.asgi.body_limit import BodyLimit
from bedplate.asgi.json_bounds import JSONBounds
from bedplate.asgi.timeout import RequestTimeout

Limits = tuple[int, float, int]
"""Bytes of a body, seconds until the response, and members of a JSON body."""


class RequestLimits:
    """Limits each body, also its JSON, and the time until its response in seconds.

    `uploads` are routes, by method and exact path, with limits of their own.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        uploads: Mapping[tuple[str, str], Limits],
        max_json_depth: int,
    ) -> None:
        self.has_uploads = bool(uploads)
        self.app = _limited(app, *limits, max_json_depth)
        self._uploads = {
            route: _limited(app, *own, max_json_depth) for route, own in uploads.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection within the limits of its route."""
        upload = self.upload_of(scope) if scope["type"] == "http" else None
        await (upload or self.app)(scope, receive, send)

    def upload_of(self, scope: Scope) -> ASGIApp | None:
        """Return what serves a request for an upload; None for every other request."""
        if not self._uploads:
            return None
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return self._uploads.get((scope["method"], path))


def _limited(
    app: ASGIApp, max_bytes: int, seconds: float, max_members: int, max_depth: int
) -> RequestTimeout:
    bounded = JSONBounds(app, max_depth=max_depth, max_members=max_members)
    return RequestTimeout(BodyLimit(bounded, max_bytes=max_bytes), seconds=seconds)
