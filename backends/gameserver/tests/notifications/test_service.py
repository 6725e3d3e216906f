"""Webhooks: real HTTP to a real receiver, which answers well or ill."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from bedplate import clock
from bedplate.documents import Document
from gameserver.events import EventKind, Events
from gameserver.notifications import delivery as queues
from gameserver.notifications.addresses import AddressRules
from gameserver.notifications.delivery import MAX_WAITING, DeliveryQueue, Patience
from gameserver.notifications.schemas import (
    Delivery,
    DeliveryState,
    HookFormat,
    HookList,
    HookNew,
    HookPatch,
)
from gameserver.notifications.service import Notifications
from gameserver_simulator.stand_ins.serving import serving

QUICK = Patience(tries=3, first=0.01, max_seconds=0.02)
LOCAL = AddressRules(http=True, private=True)
Open = Callable[..., Any]


class Receiver:
    """Takes webhooks, and answers as configured: one answer after the other, then 204."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.held = threading.Event()
        self.held.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        body = await request.body()
        await asyncio.to_thread(self.held.wait)
        self.received.append((dict(request.headers), body))
        status, headers = self.answers.pop(0) if self.answers else (204, {})
        await Response(status_code=status, headers=headers)(scope, receive, send)


@pytest.fixture
def receiver() -> Receiver:
    """Give what takes webhooks."""
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    """Give where it listens, with a secret in the path."""
    with serving(receiver) as found:
        yield f"{found}/api/webhooks/1/top-secret"


@pytest.fixture
def events() -> Events:
    """Give what reports events."""
    return Events()


@pytest.fixture
def opened(tmp_path: Path, events: Events) -> Open:
    """Give what opens the notifications of the test's own file."""

    @asynccontextmanager
    async def opened(
        patience: Patience = QUICK, rules: AddressRules = LOCAL
    ) -> AsyncIterator[Notifications]:
        document = Document(tmp_path / "webhooks.json", HookList, default=HookList)
        async with Notifications(document, events, rules, patience) as notifications:
            yield notifications

    return opened


async def add(notifications: Notifications, url: str, **fields: Any) -> DeliveryQueue:
    """Add a webhook, and return what carries to it."""
    values = {"name": "Hook", "url": SecretStr(url), "events": [EventKind.CRASHED], **fields}
    return await notifications.add(HookNew(**values))


async def flushed(queue: DeliveryQueue) -> Delivery:
    """Wait until nothing waits, and return the last delivery."""
    async with asyncio.timeout(20):
        await queue.flush()
    return queue.deliveries[-1]


async def test_signed_json(opened: Open, events: Events, receiver: Receiver, url: str) -> None:
    """An event arrives as JSON, signed as Standard Webhooks 1.0 says."""
    async with opened() as notifications:
        queue = await add(notifications, url)
        events.publish(EventKind.CRASHED, "It crashed.", exit_code=139)
        delivery = await flushed(queue)
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 204, 1)
    ((headers, body),) = receiver.received
    content = json.loads(body)
    assert content["type"] == "crashed"
    assert content["data"] == {"text": "It crashed.", "facts": {"exit_code": 139}}
    assert abs(int(headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    secret = queue.hook.secret
    assert secret is not None
    key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


async def test_discord(opened: Open, events: Events, receiver: Receiver, url: str) -> None:
    """Discord gets a message it takes, in which nobody is called by what a player typed."""
    async with opened() as notifications:
        queue = await add(notifications, url, format=HookFormat.DISCORD)
        events.publish(EventKind.CRASHED, "@everyone " + "x" * 3000)
        await flushed(queue)
    ((headers, body),) = receiver.received
    content = json.loads(body)
    assert content["allowed_mentions"] == {"parse": []}
    assert len(content["content"]) == 2000
    assert "webhook-signature" not in headers


async def test_filter(opened: Open, events: Events, receiver: Receiver, url: str) -> None:
    """Only the kinds that were asked for arrive, and none while the webhook is off."""
    async with opened() as notifications:
        queue = await add(notifications, url)
        events.publish(EventKind.PLAYER_JOINED, "Ada joined.", name="Ada")
        await notifications.change(queue.hook.id, HookPatch(enabled=False), None)
        events.publish(EventKind.CRASHED, "off")
        await notifications.change(
            queue.hook.id, HookPatch(enabled=True, events=[EventKind.STOPPED]), None
        )
        events.publish(EventKind.STOPPED, "on")
        await flushed(queue)
    assert [json.loads(body)["data"]["text"] for _, body in receiver.received] == ["on"]


async def test_tries_again(opened: Open, events: Events, receiver: Receiver, url: str) -> None:
    """What passes is tried again, under the same id, and then the next event comes."""
    receiver.answers = [(503, {}), (429, {"Retry-After": "0"})]
    async with opened() as notifications:
        queue = await add(notifications, url)
        events.publish(EventKind.CRASHED, "first")
        events.publish(EventKind.CRASHED, "second")
        await flushed(queue)
        first, second = queue.deliveries
    assert (first.attempts, second.attempts) == (3, 1)
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 2


@pytest.mark.parametrize(
    ("answers", "attempts", "error"),
    [
        ([(503, {})] * 3, 3, "The receiver answered 503."),
        ([(404, {})], 1, "The receiver answered 404."),
        ([(302, {"Location": "http://127.0.0.1:9/"})], 1, "redirects are not followed"),
    ],
)
async def test_gives_up(
    opened: Open,
    events: Events,
    receiver: Receiver,
    url: str,
    answers: list[tuple[int, dict[str, str]]],
    attempts: int,
    error: str,
) -> None:
    """What won't do better is not tried for ever, and no redirect is followed."""
    receiver.answers = list(answers)
    async with opened() as notifications:
        queue = await add(notifications, url)
        events.publish(EventKind.CRASHED, "x")
        delivery = await flushed(queue)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, attempts)
    assert error in (delivery.error or "")
    assert len(receiver.received) == attempts


async def test_slow_receiver(
    opened: Open,
    events: Events,
    receiver: Receiver,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A receiver that never answers is left, and holds no other webhook up."""
    monkeypatch.setattr(queues, "CALL_SECONDS", 0.2)
    healthy = Receiver()
    receiver.held.clear()
    with serving(healthy) as other:
        async with opened(Patience(tries=1)) as notifications:
            slow = await add(notifications, url)
            quick = await add(notifications, other)
            events.publish(EventKind.CRASHED, "x")
            assert (await flushed(quick)).state is DeliveryState.DELIVERED
            delivery = await flushed(slow)
    receiver.held.set()
    assert delivery.state is DeliveryState.FAILED
    assert "did not answer" in (delivery.error or "")


async def test_nobody_listens(opened: Open, events: Events) -> None:
    """A receiver that is away is said to be so, in a sentence without its URL."""
    async with opened() as notifications:
        queue = await add(notifications, "http://127.0.0.1:9/top-secret")
        events.publish(EventKind.CRASHED, "x")
        delivery = await flushed(queue)
    assert delivery.state is DeliveryState.FAILED
    assert "top-secret" not in delivery.model_dump_json()


async def test_bounded_queue(opened: Open, events: Events, receiver: Receiver, url: str) -> None:
    """A dead receiver costs no more than its queue: the oldest that wait are given up."""
    receiver.held.clear()
    async with opened() as notifications:
        queue = await add(notifications, url)
        for number in range(MAX_WAITING + 50):
            events.publish(EventKind.CRASHED, str(number))
        assert len(queue) == MAX_WAITING
        assert queue.dropped == 50
        receiver.held.set()
        await flushed(queue)
    texts = [json.loads(body)["data"]["text"] for _, body in receiver.received]
    assert texts == ["0", *(str(number) for number in range(51, MAX_WAITING + 50))]


async def test_leaving(opened: Open, events: Events, receiver: Receiver, url: str) -> None:
    """What waits when the manager goes away is still delivered."""
    async with opened() as notifications:
        await add(notifications, url, events=[EventKind.STOPPED])
        events.publish(EventKind.STOPPED, "bye")
    assert len(receiver.received) == 1


async def test_kept(opened: Open, url: str, tmp_path: Path) -> None:
    """Webhooks and their secrets are there after a restart, in a file for the owner only."""
    async with opened() as notifications:
        hook = (await add(notifications, url)).hook
    file = tmp_path / "webhooks.json"
    assert file.stat().st_mode & 0o777 == 0o600
    async with opened() as notifications:
        assert notifications.get(hook.id).hook == hook


async def test_private_addresses(opened: Open, events: Events, receiver: Receiver) -> None:
    """A name that leads into a private network is refused when it is called."""
    with serving(receiver) as found:
        port = found.rpartition(":")[2]
        async with opened(rules=AddressRules(http=True)) as notifications:
            queue = await add(notifications, f"http://localhost:{port}/x")
            events.publish(EventKind.CRASHED, "x")
            delivery = await flushed(queue)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 1)
    assert "private network" in (delivery.error or "")
    assert receiver.received == []
