"""What the tests of results stand on: channels that remember what was sent to whom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from bedplate.realtime import Channels
from bedplate.testing.client import Client, client

MakeApp = Callable[..., Any]


@dataclass(frozen=True)
class Sent:
    """What was published or shown: its name, its version if it was shown, and what each got."""

    channel: str
    event: str
    version: int | None
    payloads: Mapping[str, Any]
    at: float


class RememberingChannels(Channels):
    """Channels that remember everything."""

    def __init__(self) -> None:
        super().__init__(None, namespace="live")
        self.sent: list[Sent] = []

    def publish(self, channel: str, event: str, payloads: Mapping[str, bytes]) -> None:
        """Remember an event, and publish it."""
        self._remember(channel, event, None, payloads)
        super().publish(channel, event, payloads)

    def set_latest(
        self, channel: str, key: str, event: str, version: int, payloads: Mapping[str, bytes]
    ) -> None:
        """Remember a value, and show it."""
        self._remember(channel, event, version, payloads)
        super().set_latest(channel, key, event, version, payloads)

    def _remember(
        self, channel: str, event: str, version: int | None, payloads: Mapping[str, bytes]
    ) -> None:
        parsed = {audience: orjson.loads(payload) for audience, payload in payloads.items()}
        self.sent.append(Sent(channel, event, version, parsed, asyncio.get_running_loop().time()))

    def results(self) -> list[Sent]:
        """Return the results that were shown."""
        return [sent for sent in self.sent if sent.event == "results"]

    async def until(self, condition: Callable[[Sent], bool]) -> Sent:
        """Wait for the newest result that meets a condition, and return it."""
        for _ in range(500):
            found = [sent for sent in self.results() if condition(sent)]
            if found:
                return found[-1]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no such results within ten seconds: {self.results()[-3:]}")

    async def until_host(self, **expected: object) -> Sent:
        """Wait for the newest result in which the host sees this, and return it."""
        return await self.until(lambda sent: expected.items() <= sent.payloads["host"].items())


@pytest.fixture
async def channels() -> AsyncIterator[RememberingChannels]:
    """Give the channels of the API under test."""
    async with RememberingChannels() as opened:
        yield opened


@pytest.fixture
async def api(make_app: MakeApp, channels: RememberingChannels) -> AsyncIterator[Client]:
    """Give a client of the API with these channels."""
    async with client(make_app(replacements={"channels": channels})) as opened:
        yield opened


Status = Callable[..., Awaitable[int]]


@pytest.fixture
def status_of(api: Client) -> Status:
    """Give what returns the status of the results for somebody."""

    async def status_of(activity: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        path = f"/api/v1/activities/{activity['id']}/results"
        return (await api.get(path, headers=headers)).status_code

    return status_of
