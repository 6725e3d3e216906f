"""Live events as processes of their own, and clients that follow them."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bedplate.testing.databases import Migrate, TemplateFile
from bedplate.testing.processes import ServerProcess, free_port

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
StartLive = Callable[..., Awaitable["Instance"]]


@dataclass(frozen=True)
class Instance:
    """One process of live events, and where it listens."""

    url: str
    process: ServerProcess


def process_of(database_url: str, folder: Path, **env: str) -> Instance:
    """Return an instance on a database, not started yet, with further variables."""
    port = free_port()
    process = ServerProcess(
        [BEDPLATE, "run", "live", "--grace", "0", "--port", str(port),
         "--operations-port", str(free_port())],
        url=f"http://127.0.0.1:{port}/healthz",
        env={"LIVE_DATABASE_URL": database_url, "LOG_LEVEL": "warning", **env},
        cwd=folder,
        timeout_seconds=60,
    )  # fmt: skip
    return Instance(f"http://127.0.0.1:{port}", process)


@pytest.fixture
async def start_live(tmp_path: Path) -> AsyncIterator[StartLive]:
    """Give what starts an instance on a database, with further variables."""
    async with AsyncExitStack() as stack:

        async def start(database_url: str, **env: str) -> Instance:
            made = process_of(database_url, tmp_path, **env)
            await stack.enter_async_context(made.process)
            return made

        yield start


@pytest.fixture(scope="module")
def shared_instance(
    template_file_of: Callable[[Migrate], TemplateFile],
    migrate_database: Migrate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Instance]:
    """Give one process for tests that don't end it: each makes a session of its own."""
    folder = tmp_path_factory.mktemp("live")
    made = process_of(template_file_of(migrate_database).clone(folder), folder)
    with made.process:
        yield made


@pytest.fixture
async def clients() -> AsyncIterator[Callable[[str], httpx2.AsyncClient]]:
    """Give what makes HTTP clients of a URL, closed at the test's end."""
    async with AsyncExitStack() as stack:

        def client(url: str) -> httpx2.AsyncClient:
            made = httpx2.AsyncClient(base_url=url, timeout=30)
            stack.push_async_callback(made.aclose)
            return made

        yield client


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    id: str
    data: dict[str, Any]

    @property
    def offset(self) -> int:
        """The offset of a durable event, which its id ends with."""
        return int(self.id.rpartition("-")[2])


@dataclass
class Listener:
    """One that follows a session by server-sent events, and can be cut off at any moment."""

    client: httpx2.AsyncClient
    path: str
    headers: dict[str, str]
    events: list[Event] = field(default_factory=list)
    last_id: str = ""
    status: int = 0
    ended: bool = False
    _task: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def names(self) -> list[str]:
        """The names of the events that came."""
        return [event.name for event in self.events]

    @property
    def durable(self) -> list[Event]:
        """The events that have an id, the state that a stream begins with left out."""
        return [event for event in self.events if event.id and event.name != "state"]

    async def start(self) -> "Listener":
        """Connect, with the last id if there is one, and return when the stream has begun."""
        self.ended, self.status = False, 0
        self._task = asyncio.create_task(self._follow())
        await self.until(lambda: self.status != 0)
        return self

    async def cut(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        """Return when something is true. Raises `TimeoutError`, saying what came."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    self._news.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.05):
                            await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.status}: {self.names}") from None

    async def heard(self, name: str, seconds: float = 30) -> Event:
        """Return the last event of a name, as soon as there is one."""
        await self.until(lambda: name in self.names, seconds)
        return [event for event in self.events if event.name == name][-1]

    async def _follow(self) -> None:
        headers = {**self.headers, "Last-Event-ID": self.last_id} if self.last_id else self.headers
        try:
            async with self.client.stream("GET", self.path, headers=headers) as response:
                self.status = response.status_code
                self._news.set()
                fields: dict[str, str] = {}
                async for line in response.aiter_lines():
                    if line and not line.startswith(":"):
                        name, _, value = line.partition(": ")
                        fields[name] = value
                    elif not line:
                        self._take(fields)
                        fields = {}
        except httpx2.TransportError:
            pass
        finally:
            self.ended = True
            self._news.set()

    def _take(self, fields: dict[str, str]) -> None:
        self.last_id = fields.get("id", self.last_id)
        if "data" in fields:
            data = json.loads(fields["data"])
            self.events.append(Event(fields.get("event", ""), fields.get("id", ""), data))
        self._news.set()


@pytest.fixture
async def listen() -> AsyncIterator[Callable[..., Awaitable[Listener]]]:
    """Give what follows a session, with a client, the session's path and a token's header."""
    made: list[Listener] = []

    async def listen(
        client: httpx2.AsyncClient, path: str, headers: dict[str, str], last_id: str = ""
    ) -> Listener:
        listener = Listener(client, f"{path}/events", headers, last_id=last_id)
        made.append(listener)
        return await listener.start()

    yield listen
    for each in made:
        await each.cut()
