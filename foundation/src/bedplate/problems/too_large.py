from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.problems.document import problem_response
from bedplate.problems.exceptions import ContentTooLarge

_PLAIN = (b"content-type", b"text/plain; charset=utf-8")


class TooLargeAsProblem:
    """Replaces the plain-text 413 of FastAPI's `max_body_size` with a problem document.

    Starlette's limit replaces any response to a body that is declared too large, so an exception
    handler can't do it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; pass other scopes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def replacing(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                replaced = (
                    message["status"] == ContentTooLarge.status and _PLAIN in message["headers"]
                )
                if replaced:
                    await problem_response(scope, ContentTooLarge())(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, replacing)
