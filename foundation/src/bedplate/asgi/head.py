from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Answers HEAD with the response to GET, without its body (RFC 9110, section 9.3.2).

    The routes see GET. An endless stream is stopped as if the client had disconnected.
    """

    answers_head = True  # so that the Allow header of a 405 lists HEAD

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a HEAD request as GET; pass everything else through."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        scope["method"] = "GET"
        complete = False

        async def send_head(message: Message) -> None:
            nonlocal complete
            if message["type"] == "http.response.start":
                # The server reads the method from this scope, to know that no body follows.
                scope["method"] = "HEAD"
                await send(message)
            elif not complete:
                complete = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif message.get("more_body", False):
                raise _HeadAnswered

        try:
            await self.app(scope, receive, send_head)
        except* (_HeadAnswered, ClientDisconnect):
            if not complete:
                raise


class _HeadAnswered(OSError):
    """Stops a stream; Starlette takes an `OSError` for a client that disconnected."""
