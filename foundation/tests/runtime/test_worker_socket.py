"""Questions and answers over a private socket."""

import pytest
from starlette.types import Receive, Scope, Send

from bedplate.runtime.worker_socket import ForwardedClient, forwarded_client


async def seen_with(scope: Scope) -> Scope:
    """Return the scope as the application behind `ForwardedClient` sees it."""
    seen: Scope = {}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope)

    await ForwardedClient(application)(scope, None, None)  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize("client", [["192.0.2.1", 1], ["2001:db8::1", 2], None])
async def test_client_arrives(client: list[object] | None) -> None:
    """What the supervisor saw is what the worker's application sees."""
    headers = [forwarded_client({"client": client})]
    seen = await seen_with({"type": "http", "headers": headers, "client": None})
    assert seen["client"] == client


async def test_other_scopes_and_requests_pass() -> None:
    """A lifespan has no headers, and a request without the header keeps its client."""
    assert await seen_with({"type": "lifespan"}) == {"type": "lifespan"}
    assert (await seen_with({"type": "http", "headers": [], "client": ["a", 1]}))["client"] == [
        "a",
        1,
    ]
