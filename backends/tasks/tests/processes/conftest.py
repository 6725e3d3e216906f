"""The API as processes of their own, many users, and clients that write all the time."""

import asyncio
import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from bedplate import clock, ids
from bedplate.auth.hashed_sessions import hash_token
from bedplate.auth.tables import user_sessions, users
from bedplate.database import Database
from bedplate.testing.processes import ServerProcess, free_port
from tasks.models import Task
from tasks.settings import TasksSettings

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
SECRET = "0123456789abcdef" * 4
WRITES_A_MINUTE = 30
USERS = 600

Headers = dict[str, str]


@dataclass(frozen=True)
class Instance:
    """One process of the API, and where it listens."""

    url: str
    operations_url: str
    process: ServerProcess


StartAPI = Callable[..., Awaitable[Instance]]


def described(folder: Path, database_url: str, variables: dict[str, str]) -> Instance:
    """Return an instance, not started, with the settings of production."""
    port, operations_port = free_port(), free_port()
    process = ServerProcess(
        [BEDPLATE, "run", "tasks", "--grace", "0.3", "--port", str(port),
         "--operations-port", str(operations_port)],
        url=f"http://127.0.0.1:{port}/healthz",
        env={
            "ENVIRONMENT": "production",
            "CORS_ORIGINS": "https://app.example.com",
            "SESSION_HASH_SECRET": SECRET,
            "DATABASE_URL": database_url,
            **variables,
        },
        cwd=folder,
        timeout_seconds=60,
    )  # fmt: skip
    return Instance(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{operations_port}", process)


@pytest.fixture
async def start_api(tmp_path: Path) -> AsyncIterator[StartAPI]:
    """Give what starts an instance on a database, with some more variables."""
    async with AsyncExitStack() as stack:

        async def start(database_url: str, **variables: str) -> Instance:
            instance = described(tmp_path, database_url, variables)
            await stack.enter_async_context(instance.process)
            return instance

        yield start


@pytest.fixture
def sign_in_many() -> Callable[[str], Awaitable[list[Headers]]]:
    """Give what signs many users in, in a database, and returns the headers that prove them."""

    async def sign_in_many(database_url: str) -> list[Headers]:
        tokens = [ids.token(16) for _ in range(USERS)]
        user_ids = [ids.uuid() for _ in tokens]
        rows = [
            {
                "id": ids.uuid(),
                "user_id": user_id,
                "token_hash": hash_token(SecretStr(SECRET), token.encode()),
                "expires_at": clock.now() + timedelta(days=1),
                "revoked": False,
                "created_at": clock.now(),
            }
            for user_id, token in zip(user_ids, tokens, strict=True)
        ]
        people = [{"id": user_id, "email": f"{user_id}@example.com"} for user_id in user_ids]
        settings = TasksSettings(_env_file=None, database_url=SecretStr(database_url))
        async with Database.open(settings) as database, database.engine.begin() as connection:
            await connection.execute(insert(users), people)
            await connection.execute(insert(user_sessions), rows)
        return [{"Authorization": f"Bearer {token}"} for token in tokens]

    return sign_in_many


@dataclass
class Writers:
    """Clients that add tasks, one after the other, until they are stopped or refused.

    Each changes its user before the user's budget is spent. `acknowledged` are the ids of the
    tasks that were answered with 201, `lost` the requests that were sent and never answered.
    """

    url: str
    users: Iterator[Headers]
    number: int
    acknowledged: list[int] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    slowest: float = 0.0
    _stopping: bool = False
    _clients: list[asyncio.Task[None]] = field(default_factory=list)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_acknowledged(self, more: int) -> None:
        """Return when so many more tasks have been acknowledged."""
        goal = len(self.acknowledged) + more
        await self._until(lambda: len(self.acknowledged) >= goal)

    async def until_answered(self, status: int, more: int) -> None:
        """Return when so many more requests have been answered with this status."""
        goal = self.statuses[status] + more
        await self._until(lambda: self.statuses[status] >= goal)

    async def _until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not reached():
                self._answered.clear()
                await self._answered.wait()

    async def refused(self) -> None:
        """Return when every client has been refused a connection."""
        async with asyncio.timeout(60):
            await asyncio.gather(*self._clients)

    async def _write(self) -> None:
        async with httpx2.AsyncClient(base_url=self.url, timeout=60) as client:
            with contextlib.suppress(httpx2.ConnectError):  # such a request was never sent
                for user in self.users:
                    for _ in range(WRITES_A_MINUTE):
                        if self._stopping:
                            return
                        await self._write_once(client, user)

    async def _write_once(self, client: httpx2.AsyncClient, user: Headers) -> None:
        began = clock.monotonic()
        try:
            response = await client.post("/tasks", json={"title": "Milk"}, headers=user)
        except httpx2.ConnectError:
            raise
        except httpx2.TransportError as error:
            self.lost.append(repr(error))
            return
        self.slowest = max(self.slowest, clock.monotonic() - began)
        self.statuses[response.status_code] += 1
        if response.status_code == httpx2.codes.CREATED:
            self.acknowledged.append(response.json()["id"])
        self._answered.set()

    async def __aenter__(self) -> Self:
        """Begin to write."""
        self._clients = [asyncio.create_task(self._write()) for _ in range(self.number)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the requests that are under way, and stop."""
        self._stopping = True
        await asyncio.gather(*self._clients)


@pytest.fixture
def writers() -> Callable[[str, list[Headers], int], Writers]:
    """Give what sends so many clients to an address."""

    def writers(url: str, people: list[Headers], number: int) -> Writers:
        return Writers(url, itertools.chain(people), number)

    return writers


@pytest.fixture
def stored_in() -> Callable[[str], Awaitable[list[int]]]:
    """Give what returns the ids of all tasks in a database, in order."""

    async def stored_in(database_url: str) -> list[int]:
        settings = TasksSettings(_env_file=None, database_url=SecretStr(database_url))
        async with Database.open(settings) as database, database.engine.connect() as connection:
            return list(await connection.scalars(select(Task.id).order_by(Task.id)))

    return stored_in
