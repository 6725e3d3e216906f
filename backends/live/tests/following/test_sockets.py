"""The same events over WebSockets."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.following.conftest import Instance

Clients = Callable[[str], httpx2.AsyncClient]


@pytest.fixture
async def evening(
    shared_instance: "Instance",
    clients: Clients,
    create_evening: Callable[..., Awaitable["Evening"]],
) -> "Evening":
    """Give a started session in a process that others use too."""
    made = await create_evening(clients(shared_instance.url))
    await made.start()
    return made


def url_of(evening: "Evening", query: str = "") -> str:
    """Return where a session's WebSocket is."""
    return (
        f"{evening.api.base_url}".replace("http", "ws", 1).rstrip("/") + f"{evening.path}/ws{query}"
    )


def token_of(guest: "Guest") -> str:
    """Return a participant's token."""
    return str(guest.joined["token"])


async def heard(socket: ClientConnection, name: str) -> dict[str, Any]:
    """Return the next message with an event's name."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message.get("event") == name:
            return message


async def test_a_browser_proves_itself_by_a_subprotocol(evening: "Evening") -> None:
    """A token that comes as a subprotocol is accepted, and not sent back."""
    ann = await evening.join("Ann")
    protocols = ["live.v1", f"bearer.{token_of(ann)}"]
    async with connect(url_of(evening), subprotocols=protocols) as socket:  # type: ignore[arg-type]
        assert socket.subprotocol == "live.v1"
        assert (await heard(socket, "state"))["data"]["state"] == "active"
        await evening.add_open("poll")
        opened = await heard(socket, "activity.opened")
        assert opened["data"]["type"] == "poll"
        assert opened["id"]


async def test_a_socket_goes_on_where_it_was(evening: "Evening") -> None:
    """With the last id in the query nothing is missed, and the state doesn't come again."""
    ann = await evening.join("Ann")
    async with connect(url_of(evening), additional_headers=ann.headers) as socket:
        await heard(socket, "state")
        poll = await evening.add_open("poll")
        last = (await heard(socket, "activity.opened"))["id"]
    await evening.close(poll)
    again = connect(url_of(evening, f"?last_event_id={last}"), additional_headers=ann.headers)
    async with again as socket:
        names = []
        while "activity.closed" not in names:
            names.append(json.loads(await socket.recv()).get("event"))
    assert "state" not in names


async def test_a_socket_without_a_token_is_refused(evening: "Evening") -> None:
    """Nobody follows without a token; the refusal is an HTTP status."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url_of(evening)):
            pass
    assert refused.value.response.status_code in {401, 403}
