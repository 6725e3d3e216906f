"""The audit trail as processes of its own, and clients that record all the time."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx2
import pytest
from pydantic import SecretStr

from audits.log import repository as log
from audits.log.service import Notary
from audits.log.wiring import log_keys
from audits.records import service
from audits.records.export import Export
from audits.records.repository import Filter
from audits.settings import AuditsSettings
from audits.transparency.checkpoint import verifier_of
from audits.verification.export import verify_export
from bedplate.database import Database
from bedplate.testing.processes import ServerProcess, free_port

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
AUDITS = "/api/v1/audits"
TENANT = "default"


@dataclass(frozen=True)
class Instance:
    """One process of the trail, and where it listens."""

    url: str
    process: ServerProcess


StartTrail = Callable[[str], Awaitable[Instance]]


@pytest.fixture
async def start_trail(tmp_path: Path) -> AsyncIterator[StartTrail]:
    """Give what starts an instance on a database, whose signing key is the one of development."""
    async with AsyncExitStack() as stack:

        async def start(database_url: str) -> Instance:
            port = free_port()
            process = ServerProcess(
                [BEDPLATE, "run", "audits", "--grace", "0", "--port", str(port),
                 "--operations-port", str(free_port())],
                url=f"http://127.0.0.1:{port}/healthz",
                env={"DATABASE_URL": database_url, "LOG_LEVEL": "warning"},
                cwd=tmp_path,
                timeout_seconds=60,
            )  # fmt: skip
            await stack.enter_async_context(process)
            return Instance(f"http://127.0.0.1:{port}", process)

        yield start


@dataclass
class Recorders:
    """Clients that record one event after the other, and remember what was acknowledged."""

    url: str
    number: int
    acknowledged: dict[str, int] = field(default_factory=dict)
    """The sequence numbers of the records that were answered with 201, by id."""
    _clients: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: bool = False
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_acknowledged(self, more: int) -> None:
        """Return when so many more records have been acknowledged."""
        goal = len(self.acknowledged) + more
        async with asyncio.timeout(60):
            while len(self.acknowledged) < goal:
                self._answered.clear()
                await self._answered.wait()

    async def _record(self) -> None:
        async with httpx2.AsyncClient(base_url=self.url, timeout=60) as client:
            while not self._stopping:
                with contextlib.suppress(httpx2.TransportError):
                    response = await client.post(
                        AUDITS, json={"action_type": "other", "entity_type": "load"}
                    )
                    if response.status_code == httpx2.codes.CREATED:
                        body = response.json()
                        self.acknowledged[body["id"]] = body["sequence"]
                        self._answered.set()
                    continue
                await asyncio.sleep(0.02)  # the process is gone: it comes back

    async def __aenter__(self) -> Self:
        self._clients = [asyncio.create_task(self._record()) for _ in range(self.number)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._clients)


@dataclass(frozen=True)
class Chain:
    """A chain as the database has it, every record of it verified up to a new checkpoint."""

    sequences: dict[str, int]
    size: int


ReadChain = Callable[[str], Awaitable[Chain]]


@pytest.fixture
def read_chain() -> ReadChain:
    """Give what signs a database's chain, verifies all of it, and returns its records."""

    async def read_chain(database_url: str) -> Chain:
        settings = AuditsSettings(_env_file=None, database_url=SecretStr(database_url))
        keys = log_keys(settings)
        async with Database.open(settings) as database:
            await Notary(database, keys).sign(TENANT)
            session = database.read()
            checkpoint = await log.latest_checkpoint(session, TENANT)
            assert checkpoint is not None
            export = Export(
                session, TENANT, Filter(), size=checkpoint["size"], note=checkpoint["note"]
            )
            lines = b"".join([chunk async for chunk in export.lines("ndjson")])
            verifiers = [verifier_of(vkey) for vkey in keys.vkeys(TENANT)]
            verified = verify_export(lines.splitlines(keepends=True), verifiers)
            assert verified.size == checkpoint["size"]
            head = await log.head(session, TENANT)
            assert head.size == checkpoint["size"]
            events = await service.between(session, TENANT, 0, head.size)
        return Chain({str(event["id"]): event["seq"] for event in events}, head.size)

    return read_chain


@pytest.fixture
def recorders() -> Callable[[str, int], Recorders]:
    """Give what sends so many clients to an address."""
    return Recorders
