"""An HTTP client that calls an ASGI app in process and fails a test on any unexpected 5xx."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.testing.lifespan import running

_SERVER_ERROR = 500
_MAX_BODY_LENGTH = 500


@asynccontextmanager
async def client(
    app: ASGIApp,
    *,
    lifespan: bool = True,
    raise_app_exceptions: bool = True,
    remote: tuple[str, int] = ("127.0.0.1", 123),
    root_path: str = "",
    **options: Any,
) -> AsyncIterator["Client"]:
    """Run the lifespan of `app` and yield a client that calls it.

    lifespan              False for an app that has none
    raise_app_exceptions  False: an unhandled exception is only a 500, as over a network
    remote                the client's address, as the app sees it
    root_path             the path below which the app is mounted
    options               options of `httpx2.AsyncClient` (headers, base_url, cookies, …)

    At the end it raises AssertionError if a response had a status of 500 or more that no
    `Client.expecting` announced.
    """
    async with AsyncExitStack() as stack:
        state = await stack.enter_async_context(running(app)) if lifespan else {}

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            # A copy for each request, as uvicorn gives it.
            await app({**scope, "state": dict(state)}, receive, send)

        transport = httpx2.ASGITransport(
            with_state,
            raise_app_exceptions=raise_app_exceptions,
            root_path=root_path,
            client=remote,
        )
        yield await stack.enter_async_context(Client(transport=transport, **options))


class Client(httpx2.AsyncClient):
    """An `httpx2.AsyncClient`, for any transport, that remembers unexpected 5xx."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"base_url": "http://testserver", **options})
        self._expected: list[int] = []
        self._unexpected: list[httpx2.Response] = []

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Allow these 5xx statuses within this context."""
        before, self._expected = self._expected, [*self._expected, *statuses]
        try:
            yield
        finally:
            self._expected = before

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request, as httpx2 does, and remember an unexpected 5xx."""
        response = await super().send(request, **options)
        if response.status_code >= _SERVER_ERROR and response.status_code not in self._expected:
            self._unexpected.append(response)
        return response

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Close the client; raise AssertionError after an unexpected 5xx, or note it."""
        await super().__aexit__(kind, error, trace)
        if not self._unexpected:
            return
        text = "5xx that no `expecting` announced:\n" + "\n".join(map(_line, self._unexpected))
        if error is None:
            raise AssertionError(text)
        error.add_note(text)


def _line(response: httpx2.Response) -> str:
    request = response.request
    return f"{request.method} {request.url.path}: {response.status_code} {_detail(response)}"


def _detail(response: httpx2.Response) -> str:
    try:
        text = response.text
        body = response.json()
    except httpx2.ResponseNotRead:
        return "(body not read)"
    except ValueError:
        return text[:_MAX_BODY_LENGTH]
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail or text)[:_MAX_BODY_LENGTH]
