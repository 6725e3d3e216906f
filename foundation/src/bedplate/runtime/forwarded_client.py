"""Which client asked: told by a supervisor to its workers, which see only a Unix socket."""

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = b"bedplate-client"


def forwarded_client(scope: Scope) -> tuple[bytes, bytes]:
    """Return the header that tells a worker which client a request came from."""
    return HEADER, orjson.dumps(scope.get("client"))


class ForwardedClient:
    """Sets `scope["client"]` to the client that the supervisor names.

    Only for a socket that nobody but the supervisor can reach: the header is believed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as if it had come from the client itself."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == HEADER:
                    scope["client"] = orjson.loads(value)
        await self._app(scope, receive, send)
