"""Channels in real processes over one Valkey, with clients on all of them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from bedplate.testing.processes import ServerProcess, free_port

PROGRAM = Path(__file__).with_name("channels_program.py")


class Client:
    """A client that reconnects as a browser does: with the last id, to any process."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.last_id = ""
        self.heard: list[tuple[str, str]] = []
        self.offsets: list[int] = []

    async def listen(self, url: str) -> None:
        """Listen until the stream ends."""
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with self._http.stream("GET", f"{url}/halls/a/events", headers=headers) as response:
            event = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "id":
                    self.last_id = value
                    self.offsets.append(int(value.rpartition("-")[2]))
                elif name == "data":
                    self.heard.append((event, value))

    async def hear(self, data: str) -> None:
        """Wait until an event with that data came."""
        async with asyncio.timeout(30):
            while data not in {value for _, value in self.heard}:  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.01)


def process(redis_url: str) -> ServerProcess:
    """Return a process with channels."""
    port = free_port()
    command = [sys.executable, str(PROGRAM), redis_url, str(port)]
    return ServerProcess(command, url=f"http://127.0.0.1:{port}/")


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Give an HTTP client."""
    async with httpx2.AsyncClient(timeout=60) as client:
        yield client


async def say(http: httpx2.AsyncClient, process: ServerProcess, text: str) -> None:
    """Publish in a process."""
    (await http.post(f"{process.url}halls/a", params={"text": text})).raise_for_status()


async def test_clients_of_two_processes_hear_the_same_and_survive_a_restart(
    redis_url: str, http: httpx2.AsyncClient
) -> None:
    """Clients on both hear all; when one process ends, theirs go on at the other without a gap."""
    async with AsyncExitStack() as stack:
        one, other = process(redis_url), process(redis_url)
        await asyncio.gather(*map(stack.enter_async_context, (one, other)))
        urls = [str(p.url).rstrip("/") for p in (one, other)]
        clients = [Client(http) for _ in range(4)]
        listening = [
            asyncio.create_task(client.listen(urls[number % 2]))
            for number, client in enumerate(clients)
        ]
        await asyncio.gather(*(client.hear("{}") for client in clients))
        for number in range(20):
            await say(http, (one, other)[number % 2], f"before {number}")
        await say(http, one, "last before")
        await asyncio.gather(*(client.hear('"last before"') for client in clients))

        one.terminate()
        await asyncio.gather(listening[0], listening[2])
        assert await asyncio.to_thread(one.wait) == 0
        for client in (clients[0], clients[2]):
            assert client.heard[-1] == ("closing", '{"reason":"restart"}')
        await say(http, other, "missed")
        listening += [
            asyncio.create_task(client.listen(urls[1])) for client in (clients[0], clients[2])
        ]
        await say(http, other, "end")
        await asyncio.gather(*(client.hear('"end"') for client in clients))
        for client in clients:
            assert client.offsets == list(range(24))
            said = [data for event, data in client.heard if event == "said"]
            assert len(said) == 23
            assert [event for event, _ in client.heard].count("snapshot") == 1
        other.terminate()
        await asyncio.gather(*listening)
        assert await asyncio.to_thread(other.wait) == 0
